import type { TenantId, UserId } from '../../src/kernel/ids.ts';
import { OAuthError } from '../../src/oauth/errors.ts';
import type { ClinicPerson, PersonDirectory } from '../../src/oauth/people.ts';
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
    profile: async (userId) => ({ email: `${userId.slice('uid-'.length)}@example.com`, emailVerified: true }),
    isActive: async ({ userId }) => here.has(userId.slice('uid-'.length)),
    leave: (name) => void here.delete(name),
  };
}

/** A clinic in which everybody is a patient, but for those who are named with another role. */
export function clinicOf(roles: Readonly<Record<string, string | null>> = {}): PersonDirectory {
  return {
    find: async (_tenant, user): Promise<ClinicPerson | null> => {
      const role = user in roles ? roles[user] : 'patient';
      return role == null ? null : { role, clinic: 'Riverside Family Clinic' };
    },
  };
}
