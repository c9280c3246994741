import { type PatientId, parsePatientId, type TenantId } from '../kernel/ids.ts';
import type { Store, TenantStore, Transaction } from '../kernel/store.ts';
import type { IndexBits, IndexPurpose } from './blind-index.ts';
import type { IndexKeys } from './index-keys.ts';
import { indexEntries, indexRecords, type PatientIndex, type TenantIndex } from './patient-index.ts';
import { partsOfBucket } from './search-facts.ts';

const PAGE = 500;

/** What a reindex works on. */
export interface ReindexOptions {
  readonly store: Store;
  readonly keys: IndexKeys;
  readonly index: PatientIndex;
}

/**
 * Moves a tenant's index to a new key (and, if wished, other bits) while it is in use: both versions are read, the
 * new one is written. May be stopped and called again at any point; answers true when nothing of the old version is
 * left and its key is gone, false after `limit` patients. (Called once more after true, it begins the next version.)
 */
export async function reindex(
  tenant: TenantId,
  { store, keys, index }: ReindexOptions,
  options: { bits: IndexBits; limit: number },
): Promise<boolean> {
  const write = await keys.begin(tenant, options.bits);
  const open = await index.open(tenant);
  const old = await store.tenant(tenant).list(indexRecords, {
    equals: { version: write - 1 },
    limit: options.limit,
  });
  for (const { id } of old) {
    await relist(store.tenant(tenant), open, parsePatientId(id));
  }
  return keys.finish(tenant, isIndexVersionEmpty);
}

/** Lists a patient under the version that is written now, as they were listed before; nothing when they are gone. */
export function relist(store: TenantStore, open: TenantIndex, patient: PatientId): Promise<void> {
  return store.transact(async (tx) => {
    const facts = await open.facts(tx, patient);
    if (facts !== null) await open.put(tx, patient, facts);
  });
}

/** Whether nothing of an index version is left. */
export async function isIndexVersionEmpty(tx: Transaction, version: number): Promise<boolean> {
  return (await tx.list(indexRecords, { equals: { version }, limit: 1 })).length === 0;
}

/** How a tenant's patients fall into the buckets of one purpose and index version. */
export interface BucketSizes {
  readonly version: number;
  readonly purpose: IndexPurpose;
  readonly entries: number;
  readonly buckets: number;
  /** Patients in the fullest bucket: the most verifiers that one search opens. */
  readonly largest: number;
  readonly median: number;
  /** Patients who share their bucket with nobody. */
  readonly alone: number;
}

/** Counts a tenant's buckets, without a key. Reads every index entry: not for a request. */
export async function bucketSizes(store: Store, tenant: TenantId): Promise<BucketSizes[]> {
  const counts = new Map<string, number>();
  for (let after: string | undefined, more = true; more; ) {
    const page = await store
      .tenant(tenant)
      .list(indexEntries, { limit: PAGE, ...(after !== undefined && { after }) });
    for (const { row } of page) counts.set(row.bucket, (counts.get(row.bucket) ?? 0) + 1);
    after = page.at(-1)?.id;
    more = page.length === PAGE;
  }
  const groups = Map.groupBy(counts, ([bucket]) => {
    const { version, purpose } = partsOfBucket(bucket);
    return `${version}/${purpose}`;
  });
  return [...groups.values()].map(summarise);
}

function summarise(group: readonly (readonly [string, number])[]): BucketSizes {
  const sizes = group.map(([, size]) => size).sort((a, b) => a - b);
  return {
    ...partsOfBucket(group[0]?.[0] ?? ''),
    entries: sizes.reduce((sum, size) => sum + size, 0),
    buckets: sizes.length,
    largest: sizes.at(-1) ?? 0,
    median: sizes[Math.floor(sizes.length / 2)] ?? 0,
    alone: sizes.filter((size) => size === 1).length,
  };
}
