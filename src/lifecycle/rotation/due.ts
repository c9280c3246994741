import { INDEX_STATE, indexKeys } from '../../crypto/index-keys.ts';
import { rootKeyOf } from '../../crypto/wrapped-kinds.ts';
import { ref } from '../../kernel/collection.ts';
import { SYSTEM_TENANT, type TenantId } from '../../kernel/ids.ts';
import { LifecycleError } from '../errors.ts';
import { WORKER } from '../jobs/events.ts';
import { jobSlots } from '../jobs/job.ts';
import type { KeyJob, KeyRotations } from './rotations.ts';
import { turnIfDue } from './turn-epoch.ts';

/** When a tenant's keys reach their greatest age, ms since the epoch; null where there are none. */
export interface DueDates {
  readonly patients: number | null;
  readonly index: number | null;
}

/** A job that is not moved for so long is handed out again: its task was lost. */
const STALLED_MS = 10 * 60_000;
/** A due rotation takes those along that would be due within this share of the greatest age: one job a month at most. */
const TAKEN_ALONG = 1 / 12;

/** Cheap: the oldest key that the last whole job saw; before the first, no key is older than the tenant's root. */
export async function dueOf(rotations: KeyRotations, tenant: TenantId): Promise<DueDates> {
  const { store, maxAgeMs } = rotations.options;
  const rows = store.tenant(tenant);
  const [slot, state] = await rows.get(ref(jobSlots, 'reencrypt'), INDEX_STATE);
  const root = await rootKeyOf(rows, tenant);
  const oldest = slot?.oldest ?? root?.createdAt ?? null;
  const [key] = state === null ? [null] : await rows.get(ref(indexKeys, String(state.write)));
  return {
    patients: oldest === null ? null : oldest + maxAgeMs,
    index: key === null ? null : key.createdAt + maxAgeMs,
  };
}

/**
 * Starts what is due: patients' keys and the index key by their age, a rewrap when KMS has rotated the wrapping key.
 * Where one of its kind is under way nothing is started. Answers the jobs that were.
 *
 * @throws what KMS and the store throw.
 */
export async function startDue(rotations: KeyRotations, tenant: TenantId): Promise<string[]> {
  const { clock, maxAgeMs, store } = rotations.options;
  const now = clock();
  const due = await dueOf(rotations, tenant);
  const started: string[] = [];
  const start = async (begin: () => Promise<string>): Promise<void> => {
    try {
      started.push(await begin());
    } catch (error) {
      if (!(error instanceof LifecycleError && error.code === 'JOB_OPEN')) throw error;
    }
  };
  const by = WORKER;
  if (due.patients !== null && due.patients <= now)
    await start(() => rotations.reencrypt(tenant, { by, before: now - maxAgeMs * (1 - TAKEN_ALONG) }));
  if (due.index !== null && due.index <= now) await start(() => rotations.reindex(tenant, { by }));
  const root = await rootKeyOf(store.tenant(tenant), tenant);
  if (root === null) return started;
  const target = await rotations.wrappingTarget(tenant);
  const isOld =
    root.wrapped.keyId !== target.keyId ||
    (target.material !== null && root.wrapped.material !== target.material);
  if (isOld) await start(() => rotations.rewrap(tenant, { by }));
  return started;
}

/** Running jobs that nobody has moved for a while. */
export async function stalledJobs(
  rotations: KeyRotations,
  tenant: TenantId,
  after: number = STALLED_MS,
): Promise<{ id: string; kind: KeyJob }[]> {
  const now = rotations.options.clock();
  const open = (await rotations.jobs.list(tenant)).filter(({ state }) => state === 'running');
  return open
    .filter(({ changedAt }) => now - changedAt >= after)
    .map(({ id, kind }) => ({ id, kind: kind as KeyJob }));
}

/** What the clock does for every tenant: starts what is due, and hands out again what has stalled. */
export async function rotationRound(
  rotations: KeyRotations,
  tenants: readonly TenantId[],
  onFault: (error: unknown) => void,
): Promise<void> {
  for (const tenant of tenants) {
    if (tenant === SYSTEM_TENANT) continue;
    await startDue(rotations, tenant).catch(onFault);
    await turnIfDue(rotations, tenant).catch(onFault);
    const stalled = await stalledJobs(rotations, tenant).catch((error: unknown) => {
      onFault(error);
      return [];
    });
    for (const { id } of stalled) await rotations.jobs.handOut(tenant, id).catch(onFault);
  }
}
