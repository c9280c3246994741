import { findMember, type Role } from '../access/members.ts';
import type { AuditLog } from '../audit/append.ts';
import { SYSTEM_TENANT, type TenantId, type UserId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { OAuthError } from '../oauth/errors.ts';
import { LIMITS, type RateLimits } from '../oauth/rate-limits.ts';
import type { SignedIn, SignIn } from '../oauth/sign-in.ts';

/** What the sign-in stands on. */
export interface EmergencySignInParts {
  readonly store: Store;
  readonly audit: AuditLog;
  readonly signIn: SignIn;
  /** Users whose password alone suffices; nobody in production. */
  readonly withoutSecondFactor: readonly string[];
  /** The counts of `src/oauth`: refused sign-ins of one address count together, wherever they were tried. */
  readonly limits: RateLimits;
}

/** Who came in; or what to tell them. */
export type EmergencySignIn =
  | { readonly problem: null; readonly tenant: TenantId; readonly user: UserId }
  | { readonly problem: string; readonly status: number };

const ROLES_HERE: readonly (Role | 'none')[] = ['clinician', 'auditor', 'admin'];
const PROBLEMS: Readonly<Record<string, string>> = {
  TOO_MANY: 'Too many attempts. Wait a quarter of an hour and try again.',
  SIGN_IN_UNAVAILABLE: 'Sign-in is not available right now. Try again in a minute.',
  SIGN_IN_SECOND_FACTOR:
    'This page needs a second factor. Set up an authenticator app for your account, then sign in again.',
  ROLE: 'This page is for clinicians, and for those who review emergency access. Nothing was opened.',
};
const OTHERWISE = 'Sign-in did not work. Check your details and try again.';

/**
 * Lets clinicians and reviewers in, freshly signed in. Every answer is an event before it is given; over the limit of
 * refusals from one address there is neither, so that nobody can flood the log.
 *
 * @param given the ID token, and the network address as the limits know it.
 */
export async function signInToEmergency(
  parts: EmergencySignInParts,
  given: { idToken: string; address: string },
): Promise<EmergencySignIn> {
  if (await parts.limits.isSpent(LIMITS.signIn, given.address)) return refusal('TOO_MANY', 429);
  const answer = await verify(parts, given.idToken);
  if (answer.problem !== null) await countRefusal(parts, given.address);
  return answer;
}

/** The refusal that reaches the limit is an event of its own. */
async function countRefusal(parts: EmergencySignInParts, address: string): Promise<void> {
  if ((await parts.limits.take(LIMITS.signIn, address)) !== LIMITS.signIn.max) return;
  await record(parts, { tenant: SYSTEM_TENANT, user: 'unknown', role: 'none', reason: 'TOO_MANY' });
}

async function verify(parts: EmergencySignInParts, idToken: string): Promise<EmergencySignIn> {
  let person: SignedIn;
  try {
    person = await parts.signIn.verify(idToken);
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    await record(parts, { tenant: SYSTEM_TENANT, user: 'unknown', role: 'none', reason: error.code });
    return refusal(error.code, error.code === 'SIGN_IN_UNAVAILABLE' ? 503 : 400);
  }
  const { tenant, userId: user } = person;
  const role = (await findMember(parts.store, tenant, user))?.role ?? 'none';
  const secure = person.amr.includes('mfa') || parts.withoutSecondFactor.includes(user);
  const reason = !ROLES_HERE.includes(role) ? 'ROLE' : secure ? null : 'SIGN_IN_SECOND_FACTOR';
  await record(parts, { tenant, user, role, reason });
  return reason === null ? { problem: null, tenant, user } : refusal(reason, 403);
}

const refusal = (code: string, status: number): EmergencySignIn => ({
  problem: PROBLEMS[code] ?? OTHERWISE,
  status,
});

function record(
  { audit }: EmergencySignInParts,
  event: { tenant: TenantId; user: string; role: string; reason: string | null },
): Promise<void> {
  const { tenant, user, role, reason } = event;
  return audit.append(tenant, {
    action: 'E',
    operation: 'emergency-sign-in',
    outcome: reason === null ? '0' : '4',
    ...(reason === null ? {} : { reason }),
    actor: { user, role, client: 'emergency-page' },
    purposeOfUse: 'HOPERAT',
    policy: 'sign-in',
  });
}
