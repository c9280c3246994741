import type { ServerResponse } from 'node:http';
import { html, type SafeHtml } from '../kernel/html.ts';
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

/** RFC 9110 §15.4.4: look there with GET, so that a reload sends no form again. */
export function seeOther(response: ServerResponse, to: string): void {
  response.writeHead(303, { location: to, 'cache-control': 'private, no-store' }).end();
}

const loopbackNote = (redirect: URL): string =>
  redirect.protocol === 'http:' ? ', an app on this computer' : '';

/** The content security policy of a page: its own script, style and forms, and what is named. */
export function policy(allowed: {
  connect: readonly string[];
  forms?: readonly URL[];
  /** The page runs a worker of its own. */
  worker?: boolean;
}): string {
  // Browsers hold the redirects that follow a form to form-action too, so where they lead is part of it.
  const actions = ["'self'", ...(allowed.forms ?? []).map(({ origin }) => origin)];
  return [
    "default-src 'none'",
    "script-src 'self'",
    ...(allowed.worker === true ? ["worker-src 'self'"] : []),
    "style-src 'self'",
    'img-src data:',
    `connect-src ${allowed.connect.length > 0 ? allowed.connect.join(' ') : "'none'"}`,
    `form-action ${actions.join(' ')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
}

/** A page of one card around `body`. */
export function layout(assets: PageAssets, title: string, body: SafeHtml): SafeHtml {
  return documentOf(
    { title: `${title} · ${assets.name}`, style: assets.style },
    html`
    <main class="card">
      <p class="brand">${assets.name}</p>${body}
    </main>`,
  );
}

/** A whole document around `body`. */
export function documentOf(head: { title: string; style: string }, body: SafeHtml): SafeHtml {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${head.title}</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="${head.style}">
  </head>
  <body>${body}
  </body>
</html>
`;
}
