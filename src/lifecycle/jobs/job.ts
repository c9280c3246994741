import { collection, type JsonValue, type Ref, type Row, ref } from '../../kernel/collection.ts';

/**
 * A job as it is stored. It is a row, some parts of it, and the items that were set aside; whatever process finds it
 * can take its next step. Item ids are opaque handles of ours: no PHI in here.
 */

/** Written when a job starts, pauses, goes on, enters another phase, ends: never at a step. */
export const jobs = collection('jobs', {
  kind: 'text',
  /** One of {@link JobState}. */
  state: 'text',
  /** What exactly is to be done; the kind reads it. */
  spec: 'json',
  /** Items a second over all workers; 0 means as fast as they can. */
  rate: 'integer',
  /** How often the phases were begun: a proof that fails begins them again. */
  round: 'integer',
  phase: 'integer',
  /** Whether phases over many rows are cut into sixteen parts. */
  isWide: 'boolean',
  /** Parts of this round and phase. */
  parts: 'integer',
  /** Sums over the phases that ended; `left` and `oldest` are of this round's proofs. */
  seen: 'integer',
  changed: 'integer',
  left: 'integer',
  oldest: 'instant?',
  startedBy: 'text',
  createdAt: 'instant',
  changedAt: 'instant',
  finishedAt: 'instant?',
  /** The audit log's size when the proof was complete; null before. */
  drainedAt: 'integer?',
});

/** One range of the keys of one phase, id `{job}_{round}_{phase}_{part}`. Written at each of its steps. */
export const jobParts = collection('jobParts', {
  job: 'text',
  /** Ids after this one; null from the first. */
  from: 'text?',
  /** Up to and with this one; null to the last. */
  to: 'text?',
  /** The last id that is done. */
  cursor: 'text?',
  state: 'text',
  seen: 'integer',
  changed: 'integer',
  /** Found by a proof: not as it should be. */
  left: 'integer',
  /** The creation of the oldest key that a proof saw. */
  oldest: 'instant?',
  changedAt: 'instant',
});

/** An item that no attempt gets through, id `{job}-{item}`: set aside, so that it keeps nothing else waiting. */
export const jobFaults = collection('jobFaults', { job: 'text', item: 'text', code: 'text', at: 'instant' });

/** The last job of each kind, id = kind: two of one kind do not run at once. */
export const jobSlots = collection('jobSlots', {
  job: 'text',
  /** From the last job of this kind that ended well: the oldest key that it left. */
  oldest: 'instant?',
});

/** `incomplete`: ended, with items set aside or something left. */
export type JobState = 'running' | 'paused' | 'done' | 'incomplete';

export type JobRow = Row<typeof jobs.columns>;
export type PartRow = Row<typeof jobParts.columns>;

/** Which part of which phase of a job: what a queue carries. */
export interface PartAt {
  readonly job: string;
  readonly round: number;
  readonly phase: number;
  readonly part: number;
}

export const partRef = ({ job, round, phase, part }: PartAt): Ref<typeof jobParts.columns> =>
  ref(jobParts, `${job}_${round}_${phase}_${part}`);

/** All parts of the phase that a job is in. */
export const partsOf = (id: string, { round, phase, parts }: JobRow): PartAt[] =>
  Array.from({ length: parts }, (_, part) => ({ job: id, round, phase, part }));

export const isOpen = (job: JobRow | null): job is JobRow =>
  job !== null && (job.state === 'running' || job.state === 'paused');

/** A phase's first rows: one part for each range. */
export function newParts(ranges: readonly KeyRange[], now: number, job: string): PartRow[] {
  const zero = { seen: 0, changed: 0, left: 0, oldest: null };
  return ranges.map((range) => ({ job, ...range, cursor: null, state: 'open', ...zero, changedAt: now }));
}

/** Ids after `from`, up to and with `to`. */
export interface KeyRange {
  readonly from: string | null;
  readonly to: string | null;
}

/** One range of everything, or, for what is spread over random ids, sixteen. Ids of any other form fall into one too. */
export function rangesFor(spread: string | null, isWide: boolean): KeyRange[] {
  if (spread === null || !isWide) return rangesOf([]);
  return rangesOf([...'37BFJNRVZcgkosw'].map((letter) => `${spread}${letter}`));
}

/** The ranges between these bounds, which are in ascending order. */
function rangesOf(bounds: readonly string[]): KeyRange[] {
  return [...bounds, null].map((to, at) => ({ from: bounds[at - 1] ?? null, to }));
}

/** What a job was told to do, as its kind wrote it. */
export type JobSpec = { readonly [key: string]: JsonValue };
