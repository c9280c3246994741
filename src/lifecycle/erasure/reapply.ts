import { ERASING, patientKeys } from '../../crypto/patient-keys.ts';
import { tombstoneRef, tombstones } from '../../crypto/tombstones.ts';
import { ref } from '../../kernel/collection.ts';
import type { PatientAlias, PatientId, TenantId } from '../../kernel/ids.ts';
import type { TenantStore } from '../../kernel/store.ts';
import { ERASURE_ENTRY, type ErasureParts, purge } from './erase.ts';
import { freeTimes } from './free-times.ts';
import { type OutsideTombstone, tombstonesOutside } from './outside-tombstones.ts';
import { stageDestruction } from './purge.ts';

/** What is needed to erase again. */
export type ReapplyParts = Pick<
  ErasureParts,
  'store' | 'objects' | 'charts' | 'keys' | 'secrets' | 'audit' | 'clock' | 'outside' | 'forgetAccount'
>;

/** What a restore brought back, and what was erased again. */
export interface Reapplied {
  /** Tombstones that were looked at. */
  readonly tombstones: number;
  /** Patients of whom the restored store had a chart. */
  readonly erasedAgain: number;
}

const PAGE = 200;

/**
 * Erases again whom the tombstones name. Whoever restores a tenant's rows calls this **before** anything is served from
 * them. Tombstones outside the store count most: a backup may be older than the erasure. Safe to repeat and to kill.
 *
 * @throws AuditError `OUTSIDE_UNAVAILABLE` (retryable): then serve nothing.
 */
export async function reapplyTombstones(parts: ReapplyParts, tenant: TenantId): Promise<Reapplied> {
  let [count, erasedAgain] = [0, 0];
  for await (const tombstone of everyTombstone(parts, tenant)) {
    count += 1;
    if (await eraseAgain(parts, tenant, tombstone)) erasedAgain += 1;
  }
  return { tombstones: count, erasedAgain };
}

async function* everyTombstone(
  { store, outside }: ReapplyParts,
  tenant: TenantId,
): AsyncGenerator<OutsideTombstone> {
  const seen = new Set<string>();
  const fresh = ({ patient }: OutsideTombstone): boolean =>
    !seen.has(patient) && seen.add(patient) !== undefined;
  if (outside !== null)
    for await (const tombstone of tombstonesOutside(outside, tenant)) if (fresh(tombstone)) yield tombstone;
  for await (const tombstone of tombstonesIn(store.tenant(tenant))) if (fresh(tombstone)) yield tombstone;
}

async function* tombstonesIn(store: TenantStore): AsyncGenerator<OutsideTombstone> {
  for (let after: string | undefined; ; ) {
    const page = await store.list(tombstones, { limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const { id, row } of page) yield { patient: id as PatientId, ...row };
    after = page.at(-1)?.id;
    if (page.length < PAGE) return;
  }
}

/** True when there was a chart. */
async function eraseAgain(
  parts: ReapplyParts,
  tenant: TenantId,
  { patient, request, erasedAt }: OutsideTombstone,
): Promise<boolean> {
  const of = { tenant, patient };
  const store = parts.store.tenant(tenant);
  const found = await store.transact(async (tx) => {
    const [key] = await tx.get(ref(patientKeys, patient));
    tx.put(tombstoneRef(patient), { request, erasedAt });
    if (key !== null) tx.put(ref(patientKeys, patient), { ...key, state: ERASING });
    return key !== null;
  });
  if (found) {
    await freeTimes(parts, of, parts.clock());
    await parts.audit.commit(tenant, async (tx) => {
      const [key] = await tx.get(ref(patientKeys, patient));
      const destroy = await stageDestruction(tx, patient);
      if (key === null) return null;
      destroy(tx);
      const act = { action: 'D', operation: 'reapplyTombstone', patient: key.alias as PatientAlias } as const;
      return { ...ERASURE_ENTRY, ...act };
    });
  }
  parts.keys.flush(tenant, patient);
  await purge(parts, { of, request });
  return found;
}
