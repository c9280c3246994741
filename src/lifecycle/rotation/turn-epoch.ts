import { CryptoError } from '../../crypto/errors.ts';
import type { TenantId } from '../../kernel/ids.ts';
import { hastenReceipts, isErasedSince } from '../erasure/receipts.ts';
import { LifecycleError } from '../errors.ts';
import { type JobActor, WORKER } from '../jobs/events.ts';
import type { JobView } from '../jobs/jobs.ts';
import { changeEpoch, EPOCH, epochEntry, readEpoch, requireOurs } from './key-epochs.ts';
import { moveWrappingKey } from './move.ts';
import { rewrapSpec } from './rewrap.ts';
import type { KeyRotations } from './rotations.ts';
import { survey } from './survey.ts';

/** What a step of a turn came to. */
export type EpochStep =
  /** Keys are being wrapped by the new key. */
  | { readonly state: 'moving'; readonly job: string }
  /** Something is set aside under the old key, which therefore stays. */
  | { readonly state: 'stuck'; readonly job: string }
  /** Nothing is left; whoever was in the middle of a write may still have been. */
  | { readonly state: 'waiting'; readonly until: number }
  /** The tenant was moved back to the old key meanwhile, which therefore stays. */
  | { readonly state: 'abandoned' }
  /** KMS destroys the old key then; it opens nothing from now on. */
  | { readonly state: 'ended'; readonly from: string; readonly deletedAt: number };

/** Many erasures share one turn. */
export const EPOCH_MS = 7 * 86_400_000;
/** A write that began before the move has ended long before: a transaction has 30 s. */
export const SETTLE_MS = 10 * 60_000;

/**
 * Takes the next step of a turn, and begins one when none is under way: a new KMS key, the move, a rewrap of every wrapped
 * key, the proof that nothing is left, and only then the old key's end. Killed anywhere and called again, it goes on.
 *
 * @throws LifecycleError `KEYS_LOCAL`, `KEY_BROUGHT`; CryptoError as the calls of KMS.
 */
export async function stepEpoch(rotations: KeyRotations, tenant: TenantId, by: JobActor): Promise<EpochStep> {
  const { options } = rotations;
  const { store, clock, tenantKeyId } = options;
  const keyId = await tenantKeyId(tenant);
  const from = (await readEpoch(store, tenant)).from ?? keyId;
  const admin = await requireOurs(rotations, tenant, from);
  await changeEpoch(options, tenant, (epoch) =>
    epoch.from !== null
      ? null
      : {
          to: { ...epoch, from, to: null, begunAt: clock(), movedAt: null },
          entry: epochEntry('beginKeyEpoch', { by, key: from }),
        },
  );
  const movedAt = await move(rotations, tenant, { from, by, successor: () => admin.successor(tenant, from) });
  const to = await tenantKeyId(tenant);
  if (to === from) return abandon(rotations, tenant, { from, by });
  const job = await rewrapOf(rotations, tenant, { by, movedAt });
  if (job.state !== 'done') return { state: job.state === 'incomplete' ? 'stuck' : 'moving', job: job.id };
  if (clock() < movedAt + SETTLE_MS) return { state: 'waiting', until: movedAt + SETTLE_MS };
  // The job's proof is of then; what counts is that nothing is left now.
  const spec = rewrapSpec({ keyId: to, material: null });
  const { left } = await survey(store, tenant, { kind: rotations.kindOf('rewrap'), spec });
  if (left > 0) return { state: 'moving', job: await rotations.rewrap(tenant, { by }) };
  return end(rotations, tenant, { from, by });
}

/** Begins or goes on with a turn where erasures want one: in strong mode, at most once in {@link EPOCH_MS}. */
export async function turnIfDue(rotations: KeyRotations, tenant: TenantId): Promise<EpochStep | null> {
  const { store, clock } = rotations.options;
  const { strong, from, begunAt } = await readEpoch(store, tenant);
  if (from === null) {
    if (!strong || (begunAt !== null && clock() < begunAt + EPOCH_MS)) return null;
    if (!(await isErasedSince(store, tenant, begunAt ?? 0))) return null;
  }
  return stepEpoch(rotations, tenant, WORKER);
}

/**
 * Moves the tenant to the next key, once, and answers since when new keys are wrapped by it: noted after the move, so never
 * too early.
 */
async function move(
  { options }: KeyRotations,
  tenant: TenantId,
  { from, by, successor }: { from: string; by: JobActor; successor: () => Promise<string> },
): Promise<number> {
  const { store, clock, tenantKeyId } = options;
  const before = await readEpoch(store, tenant);
  if (before.movedAt !== null) return before.movedAt;
  const to = await successor();
  if ((await tenantKeyId(tenant)) === from) await moveWrappingKey(options, tenant, { toKey: to, by });
  const now = clock();
  await store.tenant(tenant).transact(async (tx) => {
    const [epoch] = await tx.get(EPOCH);
    if (epoch !== null && epoch.movedAt === null) tx.put(EPOCH, { ...epoch, to, movedAt: now });
  });
  return (await readEpoch(store, tenant)).movedAt ?? now;
}

/** Somebody moved the tenant back to the key that was to be left: it stays. */
async function abandon(
  { options }: KeyRotations,
  tenant: TenantId,
  { from, by }: { from: string; by: JobActor },
): Promise<EpochStep> {
  await changeEpoch(options, tenant, (epoch) =>
    epoch.from !== from
      ? null
      : {
          to: { ...epoch, from: null, to: null },
          entry: epochEntry('abandonKeyEpoch', { by, key: from }),
        },
  );
  return { state: 'abandoned' };
}

/** The rewrap that began after the move, or a new one; another that is under way goes first. */
async function rewrapOf(
  rotations: KeyRotations,
  tenant: TenantId,
  { by, movedAt }: { by: JobActor; movedAt: number },
): Promise<JobView> {
  const last = (await rotations.jobs.list(tenant)).find(({ kind }) => kind === 'rewrap');
  if (last !== undefined && (last.createdAt >= movedAt || isOpen(last))) return last;
  try {
    return await rotations.jobs.find(tenant, await rotations.rewrap(tenant, { by }));
  } catch (error) {
    if (!(error instanceof LifecycleError && error.code === 'JOB_OPEN')) throw error;
    return rewrapOf(rotations, tenant, { by, movedAt: 0 });
  }
}

const isOpen = ({ state }: JobView): boolean => state === 'running' || state === 'paused';

async function end(
  { options }: KeyRotations,
  tenant: TenantId,
  { from, by }: { from: string; by: JobActor },
): Promise<EpochStep> {
  const { store, audit, clock, epochKeys } = options;
  const { days, begunAt } = await readEpoch(store, tenant);
  // KMS is no part of our transactions: what is about to be done is logged first.
  await audit.append(tenant, epochEntry('endWrappingKey', { by, key: from, counts: { days } }));
  const deletedAt = await ending(() => epochKeys?.end(from, days), clock());
  await hastenReceipts(options, tenant, { before: begunAt ?? 0, deletedAt });
  await changeEpoch(options, tenant, (epoch) =>
    epoch.from !== from
      ? null
      : {
          to: { ...epoch, from: null, to: null, deletedAt },
          entry: epochEntry('wrappingKeyEnds', { by, key: from, counts: { days } }),
        },
  );
  return { state: 'ended', from, deletedAt };
}

/** A key that is gone already is gone now. */
async function ending(end: () => Promise<number> | undefined, now: number): Promise<number> {
  try {
    return (await end()) ?? now;
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'KEY_MISSING') return now;
    throw error;
  }
}
