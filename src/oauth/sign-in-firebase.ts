import { type App, deleteApp, initializeApp } from 'firebase-admin/app';
import { type Auth, type DecodedIdToken, getAuth } from 'firebase-admin/auth';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { parseTenantId, parseUserId, type UserId } from '../kernel/ids.ts';
import { developmentOnly } from './development.ts';
import { OAuthError } from './errors.ts';
import { LIFETIMES } from './lifetimes.ts';
import type { SignedIn, SignIn } from './sign-in.ts';

/** How {@link firebaseSignIn} is set up. Credentials are the platform's own (application default credentials). */
export interface FirebaseSignInOptions {
  readonly projectId: string;
  /** Milliseconds since the Unix epoch. */
  readonly now?: Clock;
  readonly [developmentOnly]?: true;
}

const DEADLINE_MS = 10_000;
const EMULATOR = 'FIREBASE_AUTH_EMULATOR_HOST';

/**
 * Sign-in by Firebase Auth (in production: Identity Platform). Each check asks the service whether the account is
 * disabled or its sessions were revoked. The account's custom claim `tenant` says which clinic it belongs to.
 *
 * @throws OAuthError `SETUP` when the Auth emulator is configured without {@link developmentOnly}: with it, Firebase's
 *   library takes tokens that nobody signed.
 */
export function firebaseSignIn(options: FirebaseSignInOptions): SignIn & {
  /** Deletes the account; no error when there is none. */
  forget(userId: UserId): Promise<void>;
  close(): Promise<void>;
} {
  if (process.env[EMULATOR] !== undefined && options[developmentOnly] !== true) {
    throw new OAuthError('SETUP', `Unset ${EMULATOR}: with it anybody can sign in as anybody.`);
  }
  const now = options.now ?? systemClock;
  const app: App = initializeApp({ projectId: options.projectId }, `sign-in-${crypto.randomUUID()}`);
  const auth = getAuth(app);
  return {
    verify: async (idToken) => signedIn(await verified(auth, idToken), now()),
    isActive: async ({ userId, tenant, authTime }) => {
      const user = await inTime(auth.getUser(userId)).catch(orThrow);
      if (user === null || user.disabled || user.customClaims?.['tenant'] !== tenant) return false;
      const validAfter = Date.parse(user.tokensValidAfterTime ?? '');
      return Number.isNaN(validAfter) || authTime * 1000 >= validAfter;
    },
    profile: async (userId) => {
      const user = await inTime(auth.getUser(userId)).catch(orThrow);
      return { email: user?.email ?? null, emailVerified: user?.emailVerified === true };
    },
    forget: async (userId) => {
      await inTime(auth.deleteUser(userId)).catch(orThrow);
    },
    close: () => deleteApp(app),
  };
}

async function verified(auth: Auth, idToken: string): Promise<DecodedIdToken> {
  const decoded = idToken.length > 0 ? await inTime(auth.verifyIdToken(idToken, true)).catch(orThrow) : null;
  if (decoded === null) throw new OAuthError('SIGN_IN_TOKEN', 'Sign in again.');
  return decoded;
}

/** Null when the service said no; its own failure is another matter. */
function orThrow(error: unknown): null {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (error instanceof OAuthError) throw error;
  if (code.startsWith('auth/') && !/internal|network|unavailable|timeout|credential/.test(code)) return null;
  throw unavailable(error);
}

const unavailable = (cause?: unknown): OAuthError =>
  new OAuthError('SIGN_IN_UNAVAILABLE', 'Try again in a minute.', { retryable: true, cause });

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const deadline = Promise.withResolvers<never>();
  const timer = setTimeout(() => deadline.reject(unavailable()), DEADLINE_MS);
  try {
    return await Promise.race([answer, deadline.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function signedIn(token: DecodedIdToken, now: number): SignedIn {
  if (now / 1000 - token.auth_time > LIFETIMES.signIn) {
    throw new OAuthError('SIGN_IN_STALE', 'Sign in again: that was too long ago.');
  }
  const tenant: unknown = token['tenant'];
  if (tenant === undefined) throw new OAuthError('SIGN_IN_TENANT', 'Give the account a tenant claim first.');
  return {
    userId: parseUserId(token.uid),
    tenant: parseTenantId(tenant),
    authTime: token.auth_time,
    amr: methodsOf(token.firebase),
  };
}

/** RFC 8176 names of what Firebase says about the sign-in. */
function methodsOf(firebase: DecodedIdToken['firebase']): string[] {
  const methods: string[] = firebase.sign_in_provider === 'password' ? ['pwd'] : [];
  const second = firebase.sign_in_second_factor;
  if (second === 'phone') methods.push('sms', 'mfa');
  else if (second !== undefined) methods.push('otp', 'mfa');
  return methods;
}
