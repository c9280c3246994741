import { type Collection, type Columns, type Row, ref } from './collection.ts';
import type { TenantId } from './ids.ts';
import type { Store } from './store.ts';

/** Rows that count as absent once `expiresAt` has passed; null never does. */
export type ExpiringColumns = Columns & { readonly expiresAt: 'instant' | 'instant?' };

const PAGE = 200;

/**
 * Deletes the rows of one tenant that have expired. They are treated as absent already, so this only frees space and
 * may stop at any point; on Firestore a TTL policy on `expiresAt` does the same.
 *
 * @returns how many rows were deleted.
 */
export async function sweepExpired<C extends ExpiringColumns>(
  store: Store,
  tenant: TenantId,
  options: { readonly of: Collection<C>; readonly now: number; readonly signal?: AbortSignal },
): Promise<number> {
  const { of, now, signal } = options;
  const rows = store.tenant(tenant);
  let deleted = 0;
  let after = '';
  while (signal?.aborted !== true) {
    const page = await rows.list(of, { limit: PAGE, ...(after === '' ? {} : { after }) });
    const expired = page.filter(({ row }) => hasExpired(row as Row<ExpiringColumns>, now));
    if (expired.length > 0) {
      await rows.transact(async (tx) => {
        for (const { id } of expired) tx.delete(ref(of, id));
      });
    }
    deleted += expired.length;
    if (page.length < PAGE) break;
    after = page.at(-1)?.id ?? '';
  }
  return deleted;
}

const hasExpired = ({ expiresAt }: Row<ExpiringColumns>, now: number): boolean =>
  expiresAt !== null && expiresAt <= now;
