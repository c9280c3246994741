import { html, jsonBlock, type SafeHtml } from '../kernel/html.ts';
import { layout, type Page, type PageAssets, type PageContext, policy } from './pages.ts';

/** Where the script of the form sends a password: nowhere else, by content security policy. */
const IDENTITY_HOSTS = ['https://identitytoolkit.googleapis.com', 'https://securetoken.googleapis.com'];

/** The sign-in of an authorization request, with accounts elsewhere and a way out. */
export function signInPage(assets: PageAssets, context: PageContext, error = ''): Page {
  const body = html`
    <h1>Sign in</h1>
    <p>to connect <strong>${context.clientName}</strong> to your health record</p>
    ${signInForm(assets, { action: `${context.path}/sign-in`, csrf: context.csrf, problem: error })}
    ${providerForms(assets, context)}
    <form method="post" action="${context.path}/cancel">
      <input type="hidden" name="csrf" value="${context.csrf}">
      <button type="submit">Cancel</button>
    </form>`;
  return {
    status: error === '' ? 200 : 400,
    body: layout(assets, 'Sign in', body),
    policy: policy({
      connect: connectOf(assets),
      forms: [context.redirect, ...(assets.providers ?? []).map(({ authorizeUrl }) => new URL(authorizeUrl))],
    }),
  };
}

/** What the sign-in to a page of ours says. */
export interface PageSignInWords {
  readonly status: number;
  readonly title: string;
  readonly lead: string;
  /** Why somebody is here again. */
  readonly note?: string;
  readonly problem: string;
  /** Where the form goes. */
  readonly action: string;
}

/** A fresh sign-in to a page of ours. */
export function pageSignInPage(assets: PageAssets, words: PageSignInWords): Page {
  const body = html`
    <h1>${words.title}</h1>
    <p>${words.lead}</p>
    ${words.note === undefined ? '' : html`<p class="detail" role="status">${words.note}</p>`}
    ${signInForm(assets, words)}`;
  return {
    status: words.status,
    body: layout(assets, words.title, body),
    policy: policy({ connect: connectOf(assets) }),
  };
}

const connectOf = ({ authEmulatorUrl }: PageAssets): string[] => [
  ...IDENTITY_HOSTS,
  ...(authEmulatorUrl === undefined ? [] : [authEmulatorUrl]),
];

function signInForm(
  assets: PageAssets,
  form: { readonly action: string; readonly csrf?: string; readonly problem: string },
): SafeHtml {
  return html`<form id="sign-in" method="post" action="${form.action}">
      ${form.csrf === undefined ? '' : html`<input type="hidden" name="csrf" value="${form.csrf}">`}
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
      <p id="error" class="error" role="alert" aria-live="assertive">${form.problem}</p>
      <button class="primary" type="submit">Sign in</button>
    </form>
    <noscript><p class="error">Signing in needs JavaScript. Turn it on for this site and reload the page.</p></noscript>
    ${jsonBlock('sign-in-config', { apiKey: assets.apiKey, emulator: assets.authEmulatorUrl ?? null })}
    <script type="module" src="${assets.script}"></script>`;
}

function providerForms({ providers = [] }: PageAssets, context: PageContext): SafeHtml[] {
  return providers.map(
    ({ id, label }) => html`<form class="provider" method="post" action="${context.path}/with-${id}">
      <input type="hidden" name="csrf" value="${context.csrf}">
      <button type="submit">Continue with ${label}</button>
    </form>`,
  );
}
