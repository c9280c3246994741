import { readSize } from '../../audit/tree-store.ts';
import { ref } from '../../kernel/collection.ts';
import type { TenantId } from '../../kernel/ids.ts';
import type { TenantStore, Transaction } from '../../kernel/store.ts';
import { withDraft } from './drafts.ts';
import { type JobMoment, jobEntry } from './events.ts';
import {
  isOpen,
  type JobRow,
  jobFaults,
  jobSlots,
  jobs,
  newParts,
  type PartAt,
  type PartRow,
  partRef,
  partsOf,
  rangesFor,
} from './job.ts';
import type { JobHouse } from './jobs.ts';
import type { JobKind } from './kind.ts';

/** What the end of a phase leads to. */
interface PhaseEnd {
  readonly moment: JobMoment;
  readonly counts: Readonly<Record<string, number>>;
  readonly outcome: 'phase' | 'ended';
  write(tx: Transaction): void;
}

/** A proof may fail this often because something old was written while the job ran; then the job says so. */
const MAX_ROUNDS = 4;
const MAX_FAULTS = 1_000;

/** The job whose phase is over. */
interface Ending {
  readonly job: JobRow;
  readonly id: string;
  readonly kind: JobKind;
  /** Of the audit log, just now. */
  readonly logSize: number;
  readonly now: number;
}

/**
 * Brings a running job into its next phase, or to its end, when every part of the phase it is in is done; else `open`.
 * Apart from the steps, so that parts which end together do not wait for each other; whoever finds all parts done may
 * call it, for of many at once only one commits.
 */
export async function closePhase(
  house: JobHouse,
  tenant: TenantId,
  id: string,
): Promise<'open' | 'phase' | 'ended'> {
  const store = house.store.tenant(tenant);
  const { job: seen, parts } = await openParts(store, id);
  if (!isOpen(seen) || parts.length > 0 || seen.state === 'paused') return 'open';
  const logSize = await readSize(store);
  return withDraft(house.audit, tenant, {
    work: (draft) =>
      store.transact(
        async (tx) => {
          const [job] = await tx.get(ref(jobs, id));
          if (!isOpen(job) || job.phase !== seen.phase || job.round !== seen.round) return 'open';
          const kind = house.kindOf(job.kind);
          const end = await endOf(tx, { job, id, kind, logSize, now: house.clock() });
          if (end === null) return 'open';
          end.write(tx);
          draft.write(tx, jobEntry(kind, id, end));
          return end.outcome;
        },
        { proof: draft.proof },
      ),
    wasWritten: (outcome) => outcome !== 'open',
  });
}

/** The parts that are to be worked on now. */
export async function openParts(
  store: TenantStore,
  id: string,
): Promise<{ job: JobRow | null; parts: PartAt[] }> {
  const [job] = await store.get(ref(jobs, id));
  if (job === null || job.state !== 'running') return { job, parts: [] };
  const all = partsOf(id, job);
  const rows = await store.get(...all.map(partRef));
  return { job, parts: all.filter((_, n) => rows[n]?.state === 'open') };
}

async function endOf(tx: Transaction, ending: Ending): Promise<PhaseEnd | null> {
  const { job, id } = ending;
  const rows = (await tx.get(...partsOf(id, job).map(partRef))) as (PartRow | null)[];
  const parts = rows.filter((row) => row?.state === 'done') as PartRow[];
  if (parts.length < rows.length) return null;
  const faults = await tx.list(jobFaults, { equals: { job: id }, limit: MAX_FAULTS });
  return next({ ...ending, job: summed(ending, parts) }, faults.length);
}

function summed({ job, kind }: Ending, parts: readonly PartRow[]): JobRow {
  const sum = (of: 'seen' | 'changed' | 'left') =>
    job[of] + parts.reduce((total, part) => total + part[of], 0);
  const proves = kind.phases[job.phase]?.proves === true;
  const ages = [job.oldest, ...parts.map(({ oldest }) => oldest)].filter((age) => age !== null);
  const oldest = proves && ages.length > 0 ? Math.min(...ages) : job.oldest;
  return {
    ...job,
    seen: sum('seen'),
    changed: sum('changed'),
    left: proves ? sum('left') : job.left,
    oldest,
  };
}

/** After the last proof the job is drained, or begins again while more is left than was set aside. */
function next(ending: Ending, aside: number): PhaseEnd {
  const { job, kind, logSize } = ending;
  const later = kind.phases.slice(job.phase + 1);
  const counts = { seen: job.seen, changed: job.changed, left: job.left, aside };
  const isProof = kind.phases[job.phase]?.proves === true && !later.some(({ proves }) => proves);
  const again = isProof && job.left > aside && job.round + 1 < MAX_ROUNDS;
  if (again)
    return enter(
      ending,
      { phase: 0, round: job.round + 1, left: 0, oldest: null },
      { moment: 'progress', counts },
    );
  const isDrained = isProof && job.left === 0 && aside === 0;
  const proven = isDrained ? { drainedAt: logSize } : {};
  const moment = isDrained ? 'drained' : 'progress';
  const said = { moment, counts: isDrained ? { ...counts, logSize } : counts } as const;
  if (later.length > 0) return enter(ending, { ...proven, phase: job.phase + 1 }, said);
  return conclude({ ...ending, job: { ...job, ...proven } }, said);
}

type Said = Pick<PhaseEnd, 'moment' | 'counts'>;

function enter({ job, id, kind, now }: Ending, change: Partial<JobRow>, said: Said): PhaseEnd {
  const changed = { ...job, ...change, changedAt: now };
  const ranges = rangesFor(kind.phases[changed.phase]?.spread ?? null, job.isWide);
  const rows = newParts(ranges, now, id);
  return {
    ...said,
    outcome: 'phase',
    write: (tx) => {
      const entered = { ...changed, parts: rows.length };
      tx.put(ref(jobs, id), entered);
      for (const [n, to] of partsOf(id, entered).entries()) tx.put(partRef(to), rows[n] as PartRow);
    },
  };
}

/** The last phase is over. What was drained in it has its proof and its end in one event. */
function conclude({ job, id, now }: Ending, { moment, counts }: Said): PhaseEnd {
  const isWhole = job.drainedAt !== null && counts['aside'] === 0;
  const state = isWhole ? 'done' : 'incomplete';
  return {
    moment: moment === 'drained' ? moment : isWhole ? 'ended' : 'incomplete',
    counts,
    outcome: 'ended',
    write: (tx) => {
      tx.put(ref(jobs, id), { ...job, state, changedAt: now, finishedAt: now });
      if (isWhole) tx.put(ref(jobSlots, job.kind), { job: id, oldest: job.oldest });
    },
  };
}
