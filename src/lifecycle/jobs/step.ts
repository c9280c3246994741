import type { AuditDraft } from '../../audit/append.ts';
import type { Columns } from '../../kernel/collection.ts';
import { ref } from '../../kernel/collection.ts';
import type { TenantId } from '../../kernel/ids.ts';
import type { Listed, TenantStore, Transaction } from '../../kernel/store.ts';
import { withDraft } from './drafts.ts';
import { jobEntry } from './events.ts';
import { pacer } from './items.ts';
import {
  isOpen,
  type JobRow,
  type JobSpec,
  jobFaults,
  jobs,
  type PartAt,
  type PartRow,
  partRef,
} from './job.ts';
import type { JobHouse } from './jobs.ts';
import type { JobKind, Phase, StepResult } from './kind.ts';

/** What a step came to: `more` of this part is left; the `part` is done; `idle`, nothing to do here (paused, or somebody else did it). */
export type StepOutcome = 'more' | 'part' | 'idle';

/** No step is longer, whatever the rate. */
const STEP_SECONDS = 20;

/**
 * Takes the next step of one part of a job: some items after the cursor, and then one transaction that moves the
 * cursor, counts, and logs. Whoever is killed before that has done nothing that a second time would not do alike;
 * of two at once, one moves the cursor and the other's counts are dropped.
 *
 * @throws what KMS or the store throw when they cannot be used now; CryptoError `KEY_DISABLED`, `KMS_DENIED`.
 */
export async function runStep(
  house: JobHouse,
  tenant: TenantId,
  at: PartAt,
  options: { parallel?: number } = {},
): Promise<StepOutcome> {
  const store = house.store.tenant(tenant);
  const [job, part] = await store.get(ref(jobs, at.job), partRef(at));
  if (!isHere(job, at) || job.state !== 'running' || part === null || part.state !== 'open') return 'idle';
  const kind = house.kindOf(job.kind);
  const phase = kind.phases[job.phase];
  if (phase === undefined) return 'idle';
  const page = await nextItems(store, phase, { part, rate: job.rate });
  const share = options.parallel ?? 1;
  const result = await phase.run(page.items, {
    store: house.store,
    tenant,
    job: at.job,
    spec: job.spec as JobSpec,
    workers: share,
    isDrained: job.drainedAt !== null,
    pace: pacer(job.rate / share),
  });
  const { items, isLast } = page;
  return commit(house, { tenant, at, kind, phase, seen: part, items, result, isLast });
}

const isHere = (job: JobRow | null, at: PartAt): job is JobRow =>
  job !== null && job.round === at.round && job.phase === at.phase;

async function nextItems(
  store: TenantStore,
  phase: Phase,
  { part, rate }: { part: PartRow; rate: number },
): Promise<{ items: Listed<Columns>[]; isLast: boolean }> {
  const most = rate > 0 ? Math.min(phase.limit, Math.max(1, rate * STEP_SECONDS)) : phase.limit;
  const after = part.cursor ?? part.from;
  const listed = await store.list(phase.of, { limit: most, ...(after !== null && { after }) });
  const items = listed.filter(({ id }) => part.to === null || id <= part.to);
  return { items, isLast: listed.length < most || items.length < listed.length };
}

interface Commit {
  readonly tenant: TenantId;
  readonly at: PartAt;
  readonly kind: JobKind;
  readonly phase: Phase;
  /** The part as it was when the step began. */
  readonly seen: PartRow;
  readonly items: readonly Listed<Columns>[];
  readonly result: StepResult;
  /** The part has no further items. */
  readonly isLast: boolean;
}

function commit(house: JobHouse, step: Commit): Promise<StepOutcome> {
  return withDraft(house.audit, step.tenant, {
    work: (draft) =>
      house.store
        .tenant(step.tenant)
        .transact((tx) => advance(house, tx, { ...step, draft }), { proof: draft.proof }),
    wasWritten: (outcome) => outcome !== 'idle',
  });
}

async function advance(
  house: JobHouse,
  tx: Transaction,
  step: Commit & { draft: AuditDraft },
): Promise<StepOutcome> {
  const { at, seen, result, draft, kind, phase } = step;
  const [job, part] = await tx.get(ref(jobs, at.job), partRef(at));
  // A pause lets the step under way finish. Whoever moved the cursor meanwhile did these items too.
  if (!isHere(job, at) || !isOpen(job) || part?.state !== 'open' || part.cursor !== seen.cursor)
    return 'idle';
  const staged = await result.stage?.(tx);
  const now = house.clock();
  const next = counted(part, { ...step, changed: result.changed + (staged?.changed ?? 0), now });
  staged?.write();
  tx.put(partRef(at), next);
  for (const { item, code } of result.faults)
    tx.put(ref(jobFaults, `${at.job}-${item}`), { job: at.job, item, code, at: now });
  const { seen: items, changed, left } = next;
  const counts = { items, changed, left, aside: result.faults.length };
  draft.write(tx, jobEntry(kind, at.job, { moment: 'progress', phase: phase.name, counts }));
  return step.isLast ? 'part' : 'more';
}

function counted(part: PartRow, step: Commit & { changed: number; now: number }): PartRow {
  const { items, result, isLast, changed, now } = step;
  const oldest = [part.oldest, result.oldest].filter((at) => at !== null);
  return {
    ...part,
    cursor: items.at(-1)?.id ?? part.cursor,
    state: isLast ? 'done' : 'open',
    seen: part.seen + items.length,
    changed: part.changed + changed,
    left: part.left + result.left,
    oldest: oldest.length === 0 ? null : Math.min(...oldest),
    changedAt: now,
  };
}
