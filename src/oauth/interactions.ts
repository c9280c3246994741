import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors, type Provider } from 'oidc-provider';
import type { Clock } from '../kernel/clock.ts';
import type { TenantId, UserId } from '../kernel/ids.ts';
import { type Details, loginOf, saveGrant, scopesOf } from './consent.ts';
import { OAuthError, type OAuthErrorCode } from './errors.ts';
import type { GrantRegistry } from './grants.ts';
import { consentPage, type PageAssets, type PageContext, sendPage, signInPage } from './pages.ts';
import type { SignedIn, SignIn } from './sign-in.ts';

/** What happened on the sign-in and consent pages, for the audit log. No names, no addresses. */
export type OAuthEvent =
  | {
      readonly kind: 'signed-in';
      readonly clientId: string;
      readonly userId: UserId;
      readonly tenant: TenantId;
    }
  | { readonly kind: 'sign-in-refused'; readonly clientId: string; readonly code: OAuthErrorCode }
  | { readonly kind: 'sign-in-cancelled'; readonly clientId: string }
  | {
      readonly kind: 'consent-given' | 'consent-denied';
      readonly clientId: string;
      readonly userId: UserId;
      readonly tenant: TenantId;
      readonly scopes: readonly string[];
      readonly grantId?: string;
    };

export interface InteractionOptions {
  readonly provider: Provider;
  readonly issuer: string;
  readonly signIn: SignIn;
  readonly grants: GrantRegistry;
  /** Scope → its meaning in words. */
  readonly scopes: Readonly<Record<string, string>>;
  readonly pages: PageAssets;
  readonly now: Clock;
  /** Keys the forms' tokens; the first one of the cookie keys. */
  readonly formKey: string;
  /** Awaited before the person goes on: if it fails, so does the step. */
  readonly onEvent: (event: OAuthEvent) => Promise<void>;
}

/** One request to an interaction's address. */
interface Visit {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly details: Details;
  readonly context: PageContext;
  readonly form: URLSearchParams;
}

/** Where the session's cookie is valid. */
export const SESSION_PATH = '/oauth';

const ADDRESS = /^\/oauth\/interaction\/([A-Za-z0-9_-]{1,64})(?:\/(sign-in|consent|cancel))?$/;

/** Scopes of OpenID that a client may ask for although they are not offered. */
const UNLISTED: Readonly<Record<string, string>> = {
  openid: 'Know which account you signed in with',
  offline_access: 'Stay connected until you disconnect it',
};

const SIGN_IN_PROBLEMS: Partial<Record<OAuthErrorCode, string>> = {
  SIGN_IN_TENANT: 'This account is not set up for a clinic yet. Ask your clinic’s front desk.',
  SIGN_IN_UNAVAILABLE: 'Sign-in is not available right now. Try again in a minute.',
};

/** Whether `path` is a sign-in or consent page, or one of their forms. */
export const isInteractionPath = (path: string): boolean => ADDRESS.test(path);

/**
 * Serves the pages between an authorization request and its code.
 *
 * @returns a handler that throws OAuthError `INTERACTION_EXPIRED` or `CROSS_SITE`, for the caller to show.
 */
export function createInteractions(
  options: InteractionOptions,
): (req: IncomingMessage, res: ServerResponse, path: string, body: Buffer) => Promise<void> {
  return async (req, res, path, body) => {
    const [, uid = '', action] = ADDRESS.exec(path) ?? [];
    const details = await findInteraction(options.provider, req, res, uid);
    const form = new URLSearchParams(body.toString('utf8'));
    const context = await contextOf(options, details);
    const visit: Visit = { req, res, details, context, form };
    if (req.method === 'POST') {
      assertOwnForm(options, visit);
      if (action === 'sign-in') return submitSignIn(options, visit);
      if (action === 'consent') return submitConsent(options, visit);
      if (action === 'cancel') return cancel(options, visit);
    }
    showPage(options, visit);
  };
}

async function findInteraction(
  provider: Provider,
  req: IncomingMessage,
  res: ServerResponse,
  uid: string,
): Promise<Details> {
  const details = await provider.interactionDetails(req, res).catch((cause: unknown) => {
    throw cause instanceof errors.SessionNotFound ? expired(cause) : cause;
  });
  if (details.uid !== uid) throw expired();
  return details;
}

const expired = (cause?: unknown): OAuthError =>
  new OAuthError('INTERACTION_EXPIRED', 'Start again from the app that you were connecting.', { cause });

async function contextOf(options: InteractionOptions, details: Details): Promise<PageContext> {
  const clientId = String(details.params['client_id']);
  const client = await options.provider.Client.find(clientId);
  return {
    path: `/oauth/interaction/${details.uid}`,
    csrf: formToken(options.formKey, details.uid),
    clientName: shown(client?.clientName ?? new URL(String(details.params['redirect_uri'])).host),
    redirect: new URL(String(details.params['redirect_uri'])),
  };
}

/** A client chooses its own name: short, one line, no characters that reorder text. */
const shown = (name: string): string => name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '').slice(0, 60);

function showPage({ pages, scopes }: InteractionOptions, { res, details, context }: Visit): void {
  const page =
    details.prompt.name === 'consent'
      ? consentPage(
          pages,
          context,
          scopesOf(details).map((scope) => scopes[scope] ?? UNLISTED[scope] ?? scope),
        )
      : signInPage(pages, context);
  sendPage(res, page);
}

/** A form counts only from our own page (its origin) and from this interaction (its token). */
function assertOwnForm({ issuer, formKey }: InteractionOptions, { req, form, details }: Visit): void {
  const given = Buffer.from(form.get('csrf') ?? '');
  const expected = Buffer.from(formToken(formKey, details.uid));
  const own = given.length === expected.length && timingSafeEqual(given, expected);
  if (req.headers.origin !== issuer || !own) {
    throw new OAuthError('CROSS_SITE', 'Start again from the app that you were connecting.');
  }
}

const formToken = (key: string, uid: string): string =>
  createHmac('sha256', key).update(`chartseal/form-token/1\0${uid}`).digest('base64url');

async function submitSignIn(options: InteractionOptions, visit: Visit): Promise<void> {
  const { req, res, details, context, form } = visit;
  if (details.prompt.name !== 'login') throw expired();
  const clientId = String(details.params['client_id']);
  let person: SignedIn;
  try {
    person = await options.signIn.verify(form.get('idToken') ?? '');
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    await options.onEvent({ kind: 'sign-in-refused', clientId, code: error.code });
    const advice = SIGN_IN_PROBLEMS[error.code] ?? 'Sign-in did not work. Check your details and try again.';
    return sendPage(res, signInPage(options.pages, context, advice));
  }
  await options.onEvent({ kind: 'signed-in', clientId, userId: person.userId, tenant: person.tenant });
  await leaveOtherAccount(options.provider, visit, person.userId);
  const { userId: accountId, authTime: ts, amr, tenant } = person;
  const login = { accountId, ts, amr: [...amr], tenant, remember: false };
  await options.provider.interactionFinished(req, res, { login }, { mergeWithLastSubmission: false });
}

/** Someone else may have begun a sign-in in this browser: their session takes no part in this one. */
async function leaveOtherAccount(provider: Provider, { res, details }: Visit, userId: UserId): Promise<void> {
  if (details.session === undefined || details.session.accountId === userId) return;
  const gone = `${provider.cookieName('session')}=; path=${SESSION_PATH}; expires=Thu, 01 Jan 1970 00:00:00 GMT`;
  res.appendHeader('set-cookie', gone);
  delete details.session;
  await details.persist();
}

async function submitConsent(options: InteractionOptions, visit: Visit): Promise<void> {
  const { req, res, details, form } = visit;
  const login = loginOf(details);
  if (details.prompt.name !== 'consent' || login === null) throw expired();
  const clientId = String(details.params['client_id']);
  const who = { clientId, userId: login.userId, tenant: login.tenant, scopes: scopesOf(details) };
  if (form.get('decision') !== 'allow') {
    await options.onEvent({ kind: 'consent-denied', ...who });
    return deny(options.provider, visit);
  }
  const grantId = await saveGrant(options, details, login);
  await options.onEvent({ kind: 'consent-given', ...who, grantId });
  await options.provider.interactionFinished(req, res, { consent: { grantId } });
}

async function cancel(options: InteractionOptions, visit: Visit): Promise<void> {
  const clientId = String(visit.details.params['client_id']);
  await options.onEvent({ kind: 'sign-in-cancelled', clientId });
  await deny(options.provider, visit);
}

const deny = (provider: Provider, { req, res }: Visit): Promise<void> =>
  provider.interactionFinished(req, res, {
    error: 'access_denied',
    error_description: 'The person did not allow the connection.',
  });
