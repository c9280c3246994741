import type { Clock } from '../kernel/clock.ts';
import type { UserId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { developmentOnly } from './development.ts';
import { createGrantRegistry } from './grants.ts';

/** What an account is ended at. */
export interface ForgetOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly projectId: string;
  readonly [developmentOnly]?: true;
}

/**
 * Ends a person's connections to apps, and deletes their account at Firebase Auth, which alone holds their name and
 * e-mail address. No error when they have none.
 *
 * @throws OAuthError `SIGN_IN_UNAVAILABLE` (retryable).
 */
export async function forgetAccount(options: ForgetOptions, user: UserId): Promise<void> {
  const grants = createGrantRegistry(options.store, options.clock);
  for (;;) {
    const live = await grants.listFor(user);
    for (const { grantId } of live) await grants.revoke(grantId);
    if (live.length === 0) break;
  }
  const { firebaseSignIn } = await import('./sign-in-firebase.ts');
  const service = firebaseSignIn(options);
  try {
    await service.forget(user);
  } finally {
    await service.close();
  }
}
