import type { AuditLog } from '../../src/audit/append.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import type { TenantId, UserId } from '../../src/kernel/ids.ts';
import type { Store } from '../../src/kernel/store.ts';
import { OAuthError } from '../../src/oauth/errors.ts';
import type { OwnPagesOptions } from '../../src/oauth/own-pages.ts';
import { createRateLimits } from '../../src/oauth/rate-limits.ts';

const COOKIE_KEY = 'a-cookie-key-of-at-least-32-characters';

/** What pages of ours stand on in a test. Whoever names a user id of riverside has signed in with two factors. */
export function pageGround(at: {
  readonly store: Store;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly origin: string;
  readonly faults: unknown[];
}): OwnPagesOptions {
  const { store, audit, clock, origin, faults } = at;
  return {
    ...{ store, audit, origin, withoutSecondFactor: [], proxyHops: 0, cookieKeys: [COOKIE_KEY] },
    // The cookie jar goes by the machine's clock, so sessions do too; what is in the store goes by the test's.
    clock: Date.now,
    pages: { script: '/assets/sign-in.js', style: '/assets/pages.css', name: 'Chartseal', apiKey: 'demo' },
    limits: createRateLimits({ store, key: COOKIE_KEY, now: clock }),
    signIn: {
      verify: async (idToken) => {
        if (!idToken.startsWith('usr_')) throw new OAuthError('SIGN_IN_TOKEN', 'Sign in again.');
        const tenant = 'riverside' as TenantId;
        return { userId: idToken as UserId, tenant, authTime: 0, amr: ['pwd', 'otp', 'mfa'] };
      },
      profile: async () => ({ email: null, emailVerified: false }),
    },
    onFault: (fault) => faults.push(fault),
  };
}
