import type { ServerResponse } from 'node:http';
import { html, jsonBlock, type SafeHtml } from './html.ts';
import { LIFETIMES } from './lifetimes.ts';

/** What the pages need from outside. */
export interface PageAssets {
  /** URL path of the sign-in page's script, on this origin. */
  readonly script: string;
  /** URL path of the pages' style sheet, on this origin. */
  readonly style: string;
  /** Shown at the head of each page: the clinic's or the product's name. */
  readonly name: string;
  /** The Firebase project's web API key. Public by nature: it names the project and proves nothing. */
  readonly apiKey: string;
  /** Accounts elsewhere by which people may sign in: the last part of the form's address, and the button's word. */
  readonly providers?: readonly {
    readonly id: string;
    readonly label: string;
    readonly authorizeUrl: string;
  }[];
  /** The Auth emulator's address, in development only. */
  readonly authEmulatorUrl?: string;
}

/** Where the sign-in page's script sends a password: nowhere else, by content security policy. */
export const IDENTITY_HOSTS = [
  'https://identitytoolkit.googleapis.com',
  'https://securetoken.googleapis.com',
];

/** One page: its markup and the headers that protect it. */
export interface Page {
  readonly status: number;
  readonly body: SafeHtml;
  readonly policy: string;
}

/** Which interaction a page belongs to. */
export interface PageContext {
  /** The path of the interaction, `/oauth/interaction/…`. */
  readonly path: string;
  readonly csrf: string;
  readonly clientName: string;
  /** Where the person is sent afterwards. */
  readonly redirect: URL;
}

export function signInPage(assets: PageAssets, context: PageContext, error = ''): Page {
  const body = html`
    <h1>Sign in</h1>
    <p>to connect <strong>${context.clientName}</strong> to your health record</p>
    <form id="sign-in" method="post" action="${context.path}/sign-in">
      <input type="hidden" name="csrf" value="${context.csrf}">
      <input type="hidden" name="idToken" value="">
      <div id="first-step">
        <label for="email">Email</label>
        <input id="email" type="email" autocomplete="username" required autofocus>
        <label for="password">Password</label>
        <input id="password" type="password" autocomplete="current-password" required>
      </div>
      <div id="second-step" hidden>
        <label for="code">Code from your authenticator app</label>
        <input id="code" inputmode="numeric" autocomplete="one-time-code" maxlength="8">
      </div>
      <p id="error" class="error" role="alert" aria-live="assertive">${error}</p>
      <button class="primary" type="submit">Sign in</button>
    </form>
    ${providerForms(assets, context)}
    <form method="post" action="${context.path}/cancel">
      <input type="hidden" name="csrf" value="${context.csrf}">
      <button type="submit">Cancel</button>
    </form>
    <noscript><p class="error">Signing in needs JavaScript. Turn it on for this site and reload the page.</p></noscript>
    ${jsonBlock('sign-in-config', { apiKey: assets.apiKey, emulator: assets.authEmulatorUrl ?? null })}
    <script type="module" src="${assets.script}"></script>`;
  const emulator = assets.authEmulatorUrl === undefined ? [] : [assets.authEmulatorUrl];
  return {
    status: error === '' ? 200 : 400,
    body: layout(assets, 'Sign in', body),
    policy: policy({
      connect: [...IDENTITY_HOSTS, ...emulator],
      forms: [context.redirect, ...(assets.providers ?? []).map(({ authorizeUrl }) => new URL(authorizeUrl))],
    }),
  };
}

function providerForms({ providers = [] }: PageAssets, context: PageContext): SafeHtml[] {
  return providers.map(
    ({ id, label }) => html`<form class="provider" method="post" action="${context.path}/with-${id}">
      <input type="hidden" name="csrf" value="${context.csrf}">
      <button type="submit">Continue with ${label}</button>
    </form>`,
  );
}

/** What the consent page says: what the client asks for and for whom it would act, in words. */
export interface ConsentWords {
  readonly permissions: readonly string[];
  readonly actsFor: string;
}

export function consentPage(assets: PageAssets, context: PageContext, words: ConsentWords): Page {
  const days = LIFETIMES.grant / 86_400;
  const idle = LIFETIMES.idleGrant / 86_400;
  const nothing = words.permissions.length === 0;
  const body = html`
    <h1>Connect ${context.clientName}?</h1>
    <p>It will act for <strong>${words.actsFor}</strong>${nothing ? ', but nothing that it asks for is open to this account.' : ', and will be able to:'}</p>
    <ul class="scopes">${words.permissions.map((line) => html`<li>${line}</li>`)}</ul>
    <p class="detail">Your answer is sent to <strong>${context.redirect.host}</strong>${loopbackNote(context.redirect)}.
      Go on only if you started this yourself. The connection ends after ${days} days,
      after ${idle} days without use, or when you disconnect.</p>
    <form method="post" action="${context.path}/consent">
      <input type="hidden" name="csrf" value="${context.csrf}">
      ${nothing ? '' : html`<button class="primary" type="submit" name="decision" value="allow">Allow</button>`}
      <button type="submit" name="decision" value="deny">Don’t allow</button>
    </form>`;
  return {
    status: 200,
    body: layout(assets, `Connect ${context.clientName}?`, body),
    policy: policy({ connect: [], forms: [context.redirect] }),
  };
}

/** A dead end, told plainly: what happened and what to do. Nothing of the request is repeated. */
export function problemPage(assets: PageAssets, status: number, title: string, advice: string): Page {
  const body = html`<h1>${title}</h1><p>${advice}</p>`;
  return { status, body: layout(assets, title, body), policy: policy({ connect: [] }) };
}

/** Headers that every page of this server carries. */
export function pageHeaders(page: Pick<Page, 'policy'>): Readonly<Record<string, string>> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'private, no-store',
    'content-security-policy': page.policy,
    // Not `no-referrer`: that makes browsers send `Origin: null` with our own forms. Other sites see none either way.
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  };
}

export function sendPage(response: ServerResponse, page: Page): void {
  response.writeHead(page.status, pageHeaders(page));
  response.end(response.req.method === 'HEAD' ? undefined : page.body.markup);
}

const loopbackNote = (redirect: URL): string =>
  redirect.protocol === 'http:' ? ', an app on this computer' : '';

/** The content security policy of a page: its own script, style and forms, and what is named. */
export function policy(allowed: { connect: readonly string[]; forms?: readonly URL[] }): string {
  // Browsers hold the redirects that follow a form to form-action too, so where they lead is part of it.
  const actions = ["'self'", ...(allowed.forms ?? []).map(({ origin }) => origin)];
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    'img-src data:',
    `connect-src ${allowed.connect.length > 0 ? allowed.connect.join(' ') : "'none'"}`,
    `form-action ${actions.join(' ')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
}

/** A whole page around `body`. */
export function layout(assets: PageAssets, title: string, body: SafeHtml): SafeHtml {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${title} · ${assets.name}</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="${assets.style}">
  </head>
  <body>
    <main class="card">
      <p class="brand">${assets.name}</p>${body}
    </main>
  </body>
</html>
`;
}
