import type { AuditLog } from '../../audit/append.ts';
import { receiptFields } from '../../audit/reports/erasures.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { PatientAlias, TenantId } from '../../kernel/ids.ts';
import type { Listed, Store } from '../../kernel/store.ts';
import { ERASURE_ENTRY } from './erase.ts';
import { type ErasureRow, erasureRef, erasures } from './receipt.ts';
import { CACHE_MS } from './rules.ts';

const PAGE = 200;

/** Whether a patient's keys were destroyed after `moment`, ms since the epoch. */
export async function isErasedSince(store: Store, tenant: TenantId, moment: number): Promise<boolean> {
  for await (const { row } of receipts(store, tenant)) if ((row.logicalAt ?? 0) > moment) return true;
  return false;
}

/**
 * A backup from before an erasure holds the patient's key wrapped by the key of then. When KMS destroys that one at
 * `deletedAt`, whoever was erased `before` the tenant began to leave it is gone then, with an event that says so, where the age of
 * backups would have said later.
 */
export async function hastenReceipts(
  { store, audit, clock }: { readonly store: Store; readonly audit: AuditLog; readonly clock: Clock },
  tenant: TenantId,
  { before, deletedAt }: { readonly before: number; readonly deletedAt: number },
): Promise<void> {
  const gone = Math.max(deletedAt, clock() + CACHE_MS);
  const isLater = ({ logicalAt, finalAt }: ErasureRow): boolean =>
    logicalAt !== null && logicalAt <= before && finalAt !== null && finalAt > gone;
  for await (const { id, row } of receipts(store, tenant))
    if (isLater(row))
      await audit.commit(tenant, async (tx) => {
        const [now] = await tx.get(erasureRef(id));
        if (now === null || !isLater(now)) return null;
        tx.put(erasureRef(id), { ...now, finalAt: gone });
        const fields = receiptFields({ finalAt: gone, outside: now.outside });
        return {
          ...{
            ...ERASURE_ENTRY,
            action: 'E',
            operation: 'hastenErasure',
            patient: now.alias as PatientAlias,
          },
          entity: { resource: 'Task', id, fields },
        };
      });
}

async function* receipts(store: Store, tenant: TenantId): AsyncGenerator<Listed<typeof erasures.columns>> {
  for (let after: string | undefined; ; ) {
    const page = await store
      .tenant(tenant)
      .list(erasures, { limit: PAGE, ...(after !== undefined && { after }) });
    yield* page;
    after = page.at(-1)?.id;
    if (page.length < PAGE) return;
  }
}
