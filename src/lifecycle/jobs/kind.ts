import type { Collection, Columns } from '../../kernel/collection.ts';
import type { TenantId } from '../../kernel/ids.ts';
import type { Listed, Store, Transaction } from '../../kernel/store.ts';
import type { JobSpec } from './job.ts';

/** What a step is told. */
export interface StepContext {
  readonly store: Store;
  readonly tenant: TenantId;
  /** The job's id, for its events. */
  readonly job: string;
  readonly spec: JobSpec;
  /** How many workers share the job: each has its part of what may be under way at once. */
  readonly workers: number;
  /** The proof is complete: nothing is left. */
  readonly isDrained: boolean;
  /** Resolves when the next item may begin, as the job's rate allows. */
  readonly pace: () => Promise<void>;
}

/** What a step did with its items. */
export interface StepResult {
  /** Changed already, each item in a transaction of its own. */
  readonly changed: number;
  /** Not as they should be; only a proof says so. */
  readonly left: number;
  /** The creation of the oldest key that was seen, ms since the epoch. */
  readonly oldest: number | null;
  readonly faults: readonly { readonly item: string; readonly code: string }[];
  /**
   * For changes that belong into the step's own transaction: reads, then answers with what writes and how many it
   * changes. Reads come first, as in every transaction.
   */
  readonly stage?: (tx: Transaction) => Promise<{ readonly changed: number; write(): void }>;
}

/** One pass over the ids of a collection. A step may run twice, and two workers may run it at once. */
export interface Phase<C extends Columns = Columns> {
  readonly name: string;
  readonly of: Collection<C>;
  /** What the random ids begin with, over which the work is spread; null for what a tenant has a handful of. */
  readonly spread: string | null;
  /** Items of a step. A step ends within a minute. */
  readonly limit: number;
  /** A pass that only looks, at the rows themselves: its end is where the job is proven or begins again. */
  readonly proves: boolean;
  run(items: readonly Listed<C>[], context: StepContext): Promise<StepResult>;
}

/** One kind of job. */
export interface JobKind {
  /** Names it in rows; never renamed. */
  readonly name: string;
  /** The operation of its audit events. */
  readonly operation: string;
  /** At least one proves; what comes after it destroys what is not needed any more. */
  readonly phases: readonly Phase[];
}

/** A phase over rows of one shape, as one of any: the engine hands it the rows of its own collection only. */
export const phase = <C extends Columns>(typed: Phase<C>): Phase => typed as unknown as Phase;

/** Nothing done, nothing found. */
export const NOTHING: StepResult = { changed: 0, left: 0, oldest: null, faults: [] };
