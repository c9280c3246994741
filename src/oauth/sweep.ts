import { type Clock, systemClock } from '../kernel/clock.ts';
import { type Collection, type Columns, ref } from '../kernel/collection.ts';
import { SYSTEM_TENANT } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { oauthState } from './adapter.ts';
import { oauthGrants } from './grants.ts';
import { oauthLimits } from './rate-limits.ts';

const PAGE = 200;

/**
 * Deletes what has expired: codes, sessions, tokens, ended connections. An expired row is already treated as
 * absent, so this only frees space and may stop at any point. A scheduled job runs it; on Firestore a TTL policy on
 * `expiresAt` does the same.
 *
 * @returns how many rows were deleted.
 */
export async function sweepExpired(store: Store, now: Clock = systemClock): Promise<number> {
  const state = await sweep(store, oauthState, now());
  const grants = await sweep(store, oauthGrants, now());
  return state + grants + (await sweep(store, oauthLimits, now()));
}

async function sweep<C extends Columns & { expiresAt: 'instant' | 'instant?' }>(
  store: Store,
  of: Collection<C>,
  now: number,
): Promise<number> {
  const rows = store.tenant(SYSTEM_TENANT);
  let deleted = 0;
  let after = '';
  for (;;) {
    const page = await rows.list(of, { limit: PAGE, ...(after === '' ? {} : { after }) });
    const expired = page.filter(({ row }) => {
      const { expiresAt } = row as { expiresAt: number | null };
      return expiresAt !== null && expiresAt <= now;
    });
    if (expired.length > 0) {
      await rows.transact(async (tx) => {
        for (const { id } of expired) tx.delete(ref(of, id));
      });
    }
    deleted += expired.length;
    if (page.length < PAGE) return deleted;
    after = page.at(-1)?.id ?? '';
  }
}
