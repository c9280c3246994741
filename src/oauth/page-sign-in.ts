import type { IncomingMessage } from 'node:http';
import { findMember, type Role, STAFF_ROLES } from '../access/members.ts';
import type { AuditLog } from '../audit/append.ts';
import { SYSTEM_TENANT, type TenantId, type UserId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { OAuthError } from './errors.ts';
import { LIMITS, type RateLimits, subjectOf } from './rate-limits.ts';
import { addressOf } from './request.ts';
import type { SignedIn, SignIn } from './sign-in.ts';

/** What the sign-in of every page of ours stands on. */
export interface PageSignInParts {
  readonly store: Store;
  readonly audit: AuditLog;
  readonly signIn: SignIn;
  /** Staff whose password alone suffices: synthetic people, in development only. */
  readonly withoutSecondFactor: readonly string[];
  /** Refused sign-ins of one address count together, wherever they were tried. */
  readonly limits: RateLimits;
  /** Proxies in front of this server whose word about the address counts. */
  readonly proxyHops: number;
}

/** One place to sign in to. */
export interface PageDoor {
  /** As the audit log names it: the operation, the client and the policy. */
  readonly operation: string;
  readonly client: string;
  readonly policy: string;
  readonly roles: readonly Role[];
  /** What somebody of another role is told. */
  readonly wrongRole: string;
}

/** Who came in; or what to tell them, and the HTTP status. */
export type PageSignIn =
  | { readonly problem: null; readonly tenant: TenantId; readonly user: UserId; readonly role: Role }
  | { readonly problem: string; readonly status: number };

const PROBLEMS: Readonly<Record<string, string>> = {
  TOO_MANY: 'Too many attempts. Wait a quarter of an hour and try again.',
  SIGN_IN_UNAVAILABLE: 'Sign-in is not available right now. Try again in a minute.',
  SIGN_IN_SECOND_FACTOR:
    'This page needs a second factor. Set up an authenticator app for your account, then sign in again.',
};
const OTHERWISE = 'Sign-in did not work. Check your details and try again.';

/**
 * Lets in whom `door` is for, freshly signed in, and staff with two factors. Every answer is an event before it is
 * given; over the limit of refusals from one address there is neither, so that nobody can flood the log.
 */
export async function signInToPage(
  parts: PageSignInParts,
  door: PageDoor,
  given: { readonly req: IncomingMessage; readonly idToken: string },
): Promise<PageSignIn> {
  const address = subjectOf(addressOf(given.req, parts.proxyHops));
  if (await parts.limits.isSpent(LIMITS.signIn, address)) return refusal(door, 'TOO_MANY', 429);
  const answer = await verify(parts, door, given.idToken);
  if (answer.problem !== null) await countRefusal(parts, door, address);
  return answer;
}

async function verify(parts: PageSignInParts, door: PageDoor, idToken: string): Promise<PageSignIn> {
  let person: SignedIn;
  try {
    person = await parts.signIn.verify(idToken);
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    await record(parts, door, { ...NOBODY, reason: error.code });
    return refusal(door, error.code, error.code === 'SIGN_IN_UNAVAILABLE' ? 503 : 400);
  }
  const { tenant, userId: user } = person;
  const role = (await findMember(parts.store, tenant, user))?.role ?? 'none';
  const reason = role === 'none' || !door.roles.includes(role) ? 'ROLE' : factorsOf(parts, person, role);
  await record(parts, door, { tenant, user, role, reason });
  if (reason !== null || role === 'none') return refusal(door, reason ?? 'ROLE', 403);
  return { problem: null, tenant, user, role };
}

/** Null when they are enough for that role. */
function factorsOf({ withoutSecondFactor }: PageSignInParts, person: SignedIn, role: Role): string | null {
  const enough =
    !STAFF_ROLES.includes(role) || person.amr.includes('mfa') || withoutSecondFactor.includes(person.userId);
  return enough ? null : 'SIGN_IN_SECOND_FACTOR';
}

/** The refusal that reaches the limit is an event of its own. */
async function countRefusal(parts: PageSignInParts, door: PageDoor, address: string): Promise<void> {
  if ((await parts.limits.take(LIMITS.signIn, address)) !== LIMITS.signIn.max) return;
  await record(parts, door, { ...NOBODY, reason: 'TOO_MANY' });
}

const refusal = ({ wrongRole }: PageDoor, code: string, status: number): PageSignIn => ({
  problem: code === 'ROLE' ? wrongRole : (PROBLEMS[code] ?? OTHERWISE),
  status,
});

const NOBODY = { tenant: SYSTEM_TENANT, user: 'unknown', role: 'none' } as const;

function record(
  { audit }: PageSignInParts,
  { operation, client, policy }: PageDoor,
  who: { tenant: TenantId; user: string; role: string; reason: string | null },
): Promise<void> {
  const { tenant, user, role, reason } = who;
  return audit.append(tenant, {
    action: 'E',
    operation,
    outcome: reason === null ? '0' : '4',
    ...(reason === null ? {} : { reason }),
    actor: { user, role, client },
    purposeOfUse: 'HOPERAT',
    policy,
  });
}
