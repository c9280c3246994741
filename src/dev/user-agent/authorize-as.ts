import { createBrowser, fieldOf, formsOf, type VisitedPage } from './browser.ts';
import { signInAtEmulator } from './emulator-sign-in.ts';

/** Who signs in where, and what they answer. */
export interface AuthorizeAsOptions {
  readonly email: string;
  readonly password: string;
  /** The whole authorization request, as the client made it. */
  readonly authorizeUrl: URL | string;
  /** `http://host:port` of the Auth emulator. */
  readonly authEmulatorUrl: string;
  readonly consent: 'allow' | 'deny';
}

/**
 * Does what a person does between the client's request and its answer: signs in, reads the consent page, answers.
 *
 * @returns where the browser is sent at the end: the client's redirect with `code`, or with `error`.
 * @throws Error that names the page it stopped at.
 */
export async function authorizeAs(options: AuthorizeAsOptions): Promise<URL> {
  const start = new URL(options.authorizeUrl);
  const browser = createBrowser(start.origin);
  const idToken = await signInAtEmulator(options);
  const signIn = await browser.open(start);
  if (signIn instanceof URL) return signIn;
  const consent = await browser.submit(signIn, actionOf(signIn, 'sign-in'), {
    csrf: fieldOf(signIn, 'csrf'),
    idToken,
  });
  if (consent instanceof URL) return consent;
  const end = await browser.submit(consent, actionOf(consent, 'consent'), {
    csrf: fieldOf(consent, 'csrf'),
    decision: options.consent,
  });
  if (end instanceof URL) return end;
  throw stoppedAt(end);
}

function actionOf(page: VisitedPage, step: string): string {
  const action = formsOf(page).find((one) => one.endsWith(`/${step}`));
  if (action === undefined) throw stoppedAt(page);
  return action;
}

function stoppedAt(page: VisitedPage): Error {
  const heading = /<h1>([^<]*)<\/h1>/.exec(page.html)?.[1] ?? 'a page without a heading';
  return new Error(`The visit stopped at "${heading}" (HTTP ${page.status}).`);
}
