import { html, jsonBlock, type SafeHtml } from '../oauth/html.ts';
import type { Page, PageAssets } from '../oauth/pages.ts';
import { shell } from './shell.ts';

/** What the console's script is told. No PHI: a clinic's name, an opaque user id, times. */
export interface ShellConfig {
  readonly tenant: string;
  readonly clinic: string;
  /** IANA zone of the clinic's wall clock. */
  readonly zone: string;
  readonly user: string;
  readonly idleMs: number;
  /** The session ends at the latest then, ms since the epoch. */
  readonly until: number;
}

const IDENTITY_HOSTS = ['https://identitytoolkit.googleapis.com', 'https://securetoken.googleapis.com'];

/** A fresh sign-in, with the same script as the one of `src/oauth`. `problem` stays until the person tries again. */
export function consoleSignInPage(
  assets: PageAssets,
  say: { status: number; problem: string; note?: string },
): Page {
  const emulator = assets.authEmulatorUrl === undefined ? [] : [assets.authEmulatorUrl];
  const body = html`
    <main class="card">
      <p class="brand">${assets.name}</p>
      <h1>Auditor console</h1>
      <p>Sign in with an auditor’s account.</p>
      ${say.note === undefined ? '' : html`<p class="detail" role="status">${say.note}</p>`}
      <form id="sign-in" method="post" action="/console/sign-in">
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
        <p id="error" class="error" role="alert" aria-live="assertive">${say.problem}</p>
        <button class="primary" type="submit">Sign in</button>
      </form>
      <noscript><p class="error">Signing in needs JavaScript. Turn it on for this site and reload the page.</p></noscript>
    </main>
    ${jsonBlock('sign-in-config', { apiKey: assets.apiKey, emulator: assets.authEmulatorUrl ?? null })}
    <script type="module" src="${assets.script}"></script>`;
  return {
    status: say.status,
    body: page({ title: `Auditor console · ${assets.name}`, styles: [assets.style] }, body),
    policy: policy([...IDENTITY_HOSTS, ...emulator]),
  };
}

/** The console itself: an empty shell that its script fills. */
export function consolePage(assets: PageAssets, config: ShellConfig): Page {
  const body = html`${shell(assets.name, config)}
    ${jsonBlock('console-config', config)}
    <script type="module" src="/assets/console.js"></script>`;
  return {
    status: 200,
    body: page({ title: `Audit log of ${config.clinic}`, styles: ['/assets/console-style.css'] }, body),
    policy: policy(["'self'"]),
  };
}

function policy(connect: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "worker-src 'self'",
    "style-src 'self'",
    'img-src data:',
    `connect-src ${connect.join(' ')}`,
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
}

function page(head: { title: string; styles: readonly string[] }, body: SafeHtml): SafeHtml {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${head.title}</title>
    <link rel="icon" href="data:,">
    ${head.styles.map((style) => html`<link rel="stylesheet" href="${style}">`)}
  </head>
  <body>${body}
  </body>
</html>
`;
}
