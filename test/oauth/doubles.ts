import type { TenantId, UserId } from '../../src/kernel/ids.ts';
import { OAuthError } from '../../src/oauth/errors.ts';
import type { SignIn } from '../../src/oauth/sign-in.ts';

/** A sign-in whose ID tokens are the names of people. `leave(name)` disables one. */
export function fakeSignIn(people: readonly string[]): SignIn & { leave(name: string): void } {
  const here = new Set(people);
  return {
    verify: async (idToken) => {
      if (!here.has(idToken)) throw new OAuthError('SIGN_IN_TOKEN', 'Sign in again.');
      const authTime = Math.floor(Date.now() / 1000);
      return { userId: `uid-${idToken}` as UserId, tenant: 'riverside' as TenantId, authTime, amr: ['pwd'] };
    },
    isActive: async ({ userId }) => here.has(userId.slice('uid-'.length)),
    leave: (name) => void here.delete(name),
  };
}
