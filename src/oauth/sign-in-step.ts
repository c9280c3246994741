import type { Provider } from 'oidc-provider';
import { STAFF_ROLES } from '../access/members.ts';
import type { UserId } from '../kernel/ids.ts';
import { OAuthError, type OAuthErrorCode } from './errors.ts';
import { seeOther, sendPage } from './pages.ts';
import { LIMITS, type RateLimits } from './rate-limits.ts';
import type { SignedIn } from './sign-in.ts';
import { signInPage } from './sign-in-pages.ts';
import { expired, type InteractionOptions, SESSION_PATH, type Visit } from './visit.ts';

/** From proof of who somebody is to the consent page, or back to the sign-in page with a plain line. */

const SIGN_IN_PROBLEMS: Partial<Record<OAuthErrorCode, string>> = {
  SIGN_IN_TENANT: 'This account is not set up for a clinic yet. Ask your clinic’s front desk.',
  SIGN_IN_SECOND_FACTOR:
    'Staff accounts need a second factor. Set up an authenticator app for this account, then sign in again.',
  SIGN_IN_PROVIDER: 'That account did not confirm who you are. Try again, or sign in by email.',
  SIGN_IN_UNAVAILABLE: 'Sign-in is not available right now. Try again in a minute.',
  TOO_MANY: 'Too many attempts. Wait a quarter of an hour and start again from the app.',
};

/** The sign-in form, with the ID token that the page's script got from Firebase. */
export const submitSignIn = (options: InteractionOptions, visit: Visit): Promise<void> =>
  finish(options, visit, async () => visit.form.get('idToken') ?? '');

/** To an account elsewhere: the browser goes there and comes back to {@link returnFromProvider}. */
export function goToProvider(options: InteractionOptions, { res, details }: Visit, id: string): void {
  const url = options.federation.begin(id, details.uid);
  if (url === null || details.prompt.name !== 'login') throw expired();
  seeOther(res, url.href);
}

/** Back from an account elsewhere: its answer counts for the sign-in that began it and for no other. */
export function returnFromProvider(options: InteractionOptions, visit: Visit): Promise<void> {
  const { query, details } = visit;
  const answer = options.federation.returned(query.get('state'));
  if (answer === null || answer.uid !== details.uid) throw expired();
  return finish(options, visit, async () => {
    const code = query.get('code');
    if (code === null) throw new OAuthError('SIGN_IN_PROVIDER', 'Sign in again, or by email.');
    return options.federation.idTokenFor({ ...answer, code });
  });
}

async function finish(
  options: InteractionOptions,
  visit: Visit,
  idToken: () => Promise<string>,
): Promise<void> {
  const { req, res, details } = visit;
  if (details.prompt.name !== 'login') throw expired();
  const clientId = String(details.params['client_id']);
  let person: SignedIn;
  try {
    await refuseSpent(options.limits, visit);
    person = await options.signIn.verify(await idToken());
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
