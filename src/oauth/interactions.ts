import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors, type Provider } from 'oidc-provider';
import type { Clock } from '../kernel/clock.ts';
import type { UserId } from '../kernel/ids.ts';
import { type Details, loginOf, saveGrant, scopesOf } from './consent.ts';
import { OAuthError, type OAuthErrorCode } from './errors.ts';
import type { OAuthEvent } from './events.ts';
import type { GrantRegistry } from './grants.ts';
import { consentPage, type PageAssets, type PageContext, sendPage, signInPage } from './pages.ts';
import { actsFor, type ClinicPerson, type PersonDirectory, STAFF_ROLES } from './people.ts';
import { LIMITS, type RateLimits } from './rate-limits.ts';
import type { SignedIn, SignIn } from './sign-in.ts';

export interface InteractionOptions {
  readonly provider: Provider;
  readonly issuer: string;
  readonly signIn: SignIn;
  readonly grants: GrantRegistry;
  readonly people: PersonDirectory;
  /** Accounts that need no second factor though their role does. */
  readonly withoutSecondFactor: readonly string[];
  /** The scopes that suit a role. */
  readonly scopesFor: (role: string) => readonly string[];
  /** Called when a person has connected the client. */
  readonly keepClient: (clientId: string) => Promise<void>;
  readonly limits: RateLimits;
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
  /** Whence the request came, as the rate limits count. */
  readonly address: string;
}

/** Where the session's cookie is valid. */
export const SESSION_PATH = '/oauth';

const ADDRESS = /^\/oauth\/interaction\/([A-Za-z0-9_-]{1,64})(?:\/(sign-in|consent|cancel))?$/;

/** Scopes of OpenID that a client may ask for although they are not offered. */
const UNLISTED: Readonly<Record<string, string>> = {
  openid: 'Know which account you signed in with',
  email: 'See your email address',
  offline_access: 'Stay connected until you disconnect it',
};

const SIGN_IN_PROBLEMS: Partial<Record<OAuthErrorCode, string>> = {
  SIGN_IN_TENANT: 'This account is not set up for a clinic yet. Ask your clinic’s front desk.',
  SIGN_IN_SECOND_FACTOR:
    'Staff accounts need a second factor. Set up an authenticator app for this account, then sign in again.',
  SIGN_IN_PROVIDER: 'That account did not confirm who you are. Try again, or sign in by email.',
  SIGN_IN_UNAVAILABLE: 'Sign-in is not available right now. Try again in a minute.',
  TOO_MANY: 'Too many attempts. Wait a quarter of an hour and start again from the app.',
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
): (request: {
  req: IncomingMessage;
  res: ServerResponse;
  path: string;
  body: Buffer;
  address: string;
}) => Promise<void> {
  return async ({ req, res, path, body, address }) => {
    const [, uid = '', action] = ADDRESS.exec(path) ?? [];
    const details = await findInteraction(options.provider, req, res, uid);
    const form = new URLSearchParams(body.toString('utf8'));
    const context = await contextOf(options, details);
    const visit: Visit = { req, res, details, context, form, address };
    if (req.method === 'POST') {
      assertOwnForm(options, visit);
      if (action === 'sign-in') return submitSignIn(options, visit);
      if (action === 'consent') return submitConsent(options, visit);
      if (action === 'cancel') return cancel(options, visit);
    }
    await showPage(options, visit);
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

async function showPage(options: InteractionOptions, { res, details, context }: Visit): Promise<void> {
  if (details.prompt.name !== 'consent') return sendPage(res, signInPage(options.pages, context));
  const { person, offered } = await askedOf(options, details);
  const permissions = offered.map((scope) => options.scopes[scope] ?? UNLISTED[scope] ?? scope);
  sendPage(res, consentPage(options.pages, context, { permissions, actsFor: actsFor(person) }));
}

/** Who is asked, and which of the scopes that the client wants suit them. */
async function askedOf(
  options: InteractionOptions,
  details: Details,
): Promise<{ login: SignedIn; person: ClinicPerson; offered: string[] }> {
  const login = loginOf(details);
  const person = login === null ? null : await options.people.find(login.tenant, login.userId);
  if (login === null || person === null) throw expired();
  return { login, person, offered: scopesOf(details, options.scopesFor(person.role)) };
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
  const { req, res, details } = visit;
  if (details.prompt.name !== 'login') throw expired();
  const clientId = String(details.params['client_id']);
  let person: SignedIn;
  try {
    await refuseSpent(options.limits, visit);
    person = await options.signIn.verify(visit.form.get('idToken') ?? '');
    await assertMember(options, person);
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    return refuseSignIn(options, visit, error.code);
  }
  await options.onEvent({ kind: 'signed-in', clientId, userId: person.userId, tenant: person.tenant });
  await leaveOtherAccount(options.provider, visit, person.userId);
  const { userId: accountId, authTime: ts, amr, tenant } = person;
  const login = { accountId, ts, amr: [...amr], tenant, remember: false };
  await options.provider.interactionFinished(req, res, { login }, { mergeWithLastSubmission: false });
}

async function refuseSpent(limits: RateLimits, { address, details }: Visit): Promise<void> {
  const spent = await Promise.all([
    limits.isSpent(LIMITS.signIn, address),
    limits.isSpent(LIMITS.attempt, details.uid),
  ]);
  if (spent.includes(true))
    throw new OAuthError('TOO_MANY', 'Wait a quarter of an hour.', { retryable: true });
}

/** The account belongs to the clinic that it names, and of staff to somebody who showed two factors. */
async function assertMember(options: InteractionOptions, { tenant, userId, amr }: SignedIn): Promise<void> {
  const person = await options.people.find(tenant, userId);
  if (person === null)
    throw new OAuthError('SIGN_IN_TENANT', 'Make the account a member of its clinic first.');
  const exempt = options.withoutSecondFactor.includes(userId);
  if (STAFF_ROLES.includes(person.role) && !amr.includes('mfa') && !exempt)
    throw new OAuthError('SIGN_IN_SECOND_FACTOR', 'Set up a second factor for this account first.');
}

/** Each refusal counts against the address and the interaction; the one that reaches a limit is its own event. */
async function refuseSignIn(
  options: InteractionOptions,
  { res, details, context, address }: Visit,
  code: OAuthErrorCode,
): Promise<void> {
  const clientId = String(details.params['client_id']);
  const { signIn, attempt } = LIMITS;
  if (code !== 'TOO_MANY') {
    await options.onEvent({ kind: 'sign-in-refused', clientId, code });
    const byAddress = await options.limits.take(signIn, address);
    const byAttempt = await options.limits.take(attempt, details.uid);
    if (byAddress === signIn.max || byAttempt === attempt.max)
      await options.onEvent({ kind: 'sign-in-locked', clientId });
  }
  const advice = SIGN_IN_PROBLEMS[code] ?? 'Sign-in did not work. Check your details and try again.';
  const page = signInPage(options.pages, context, advice);
  sendPage(res, code === 'TOO_MANY' ? { ...page, status: 429 } : page);
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
  if (details.prompt.name !== 'consent') throw expired();
  const { login, offered } = await askedOf(options, details);
  const clientId = String(details.params['client_id']);
  const who = { clientId, userId: login.userId, tenant: login.tenant, scopes: offered };
  if (form.get('decision') !== 'allow' || offered.length === 0) {
    await options.onEvent({ kind: 'consent-denied', ...who });
    return deny(options.provider, visit);
  }
  const grantId = await saveGrant(options, details, { login, offered });
  await options.keepClient(clientId);
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
