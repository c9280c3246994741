import { findMember } from '../access/members.ts';
import type { AuditLog } from '../audit/append.ts';
import { SYSTEM_TENANT, type TenantId, type UserId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { OAuthError } from '../oauth/errors.ts';
import type { SignedIn, SignIn } from '../oauth/sign-in.ts';

/** What the sign-in stands on. */
export interface ConsoleSignInParts {
  readonly store: Store;
  readonly audit: AuditLog;
  readonly signIn: SignIn;
  /** Accounts that need no second factor: synthetic people, in development only. */
  readonly withoutSecondFactor: readonly string[];
}

/** Who may come in, or what to tell them and why in the log. */
export type ConsoleSignIn =
  | { readonly refused: null; readonly tenant: TenantId; readonly user: UserId }
  | { readonly refused: string; readonly status: number };

const SENTENCES: Readonly<Record<string, string>> = {
  SIGN_IN_UNAVAILABLE: 'Sign-in is not available right now. Try again in a minute.',
  SECOND_FACTOR:
    'This console needs a second factor. Add an authenticator app to your account, then sign in again.',
  ROLE: 'This account may not open the console: it is for the auditors of a clinic. Nothing was shown.',
};
const OTHERWISE = 'Sign-in did not work. Check your details and try again.';

/** Lets a clinic's auditor in, freshly signed in. Every answer is an event before it is given. */
export async function signInToConsole(parts: ConsoleSignInParts, idToken: string): Promise<ConsoleSignIn> {
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
  const reason =
    role !== 'auditor'
      ? 'ROLE'
      : !person.amr.includes('mfa') && !parts.withoutSecondFactor.includes(user)
        ? 'SECOND_FACTOR'
        : null;
  await record(parts, { tenant, user, role, reason });
  return reason === null ? { refused: null, tenant, user } : refusal(reason, 403);
}

const refusal = (reason: string, status: number): ConsoleSignIn => ({
  refused: SENTENCES[reason] ?? OTHERWISE,
  status,
});

async function record(
  { audit }: ConsoleSignInParts,
  who: { tenant: TenantId; user: string; role: string; reason: string | null },
): Promise<void> {
  await audit.append(who.tenant, {
    action: 'E',
    operation: 'consoleSignIn',
    outcome: who.reason === null ? '0' : '4',
    ...(who.reason === null ? {} : { reason: who.reason }),
    actor: { user: who.user, role: who.role, client: 'console' },
    purposeOfUse: 'HOPERAT',
    policy: 'auditor-console',
  });
}
