import type { Collection, Columns, Ref, Row } from './collection.ts';
import { ChartsealError } from './errors.ts';
import type { TenantId } from './ids.ts';

/**
 * What every part of Chartseal may ask of a database. Two adapters fulfil it (`storage/firestore`,
 * `storage/postgres`) and one contract suite holds both to it.
 */

/** `ALREADY_EXISTS` and `TIME_TAKEN` are answers; the rest are faults. */
export type StoreErrorCode =
  | 'ALREADY_EXISTS'
  | 'TIME_TAKEN'
  | 'CONTENTION'
  | 'STORE_UNAVAILABLE'
  | 'ROW_SHAPE'
  | 'STORE_USE';

/** A store could not do what was asked; nothing of the failed transaction was written. */
export class StoreError extends ChartsealError<StoreErrorCode> {}

/** A row and its id, from {@link Reader.list}. */
export interface Listed<C extends Columns> {
  readonly id: string;
  readonly row: Row<C>;
}

/** What {@link Reader.list} selects, in ascending byte order of the id. */
export interface ListOptions<C extends Columns> {
  /** Only rows whose columns equal these values. `bytes` and `json` columns have no index and may not be named. */
  readonly equals?: Partial<Row<C>>;
  /** Only ids after this one. */
  readonly after?: string;
  /** At most this many rows, 1 to 1,000. */
  readonly limit: number;
}

/** A half-open span of time, `[from, to)`, in milliseconds since the Unix epoch, both multiples of five minutes. */
export interface TimeSpan {
  readonly from: number;
  readonly to: number;
}

/** One resource (a practitioner, a room) taken for a span by a booking. Names nothing else: no patient, no visit. */
export interface TimeClaim extends TimeSpan {
  readonly resource: string;
  readonly booking: string;
}

/** The rows that a tuple of refs addresses, null where there is none. */
export type RowsOf<R extends readonly Ref[]> = {
  -readonly [K in keyof R]: R[K] extends Ref<infer C> ? Row<C> | null : never;
};

/** Reads within one tenant. */
export interface Reader {
  /** All rows at once, in one round trip; at most 1,000. */
  get<const R extends readonly Ref[]>(...refs: R): Promise<RowsOf<R>>;
  list<C extends Columns>(of: Collection<C>, options: ListOptions<C>): Promise<Listed<C>[]>;
  /**
   * The parts of `within` in which `resources` are taken, by resource and time. Adjacent parts of one booking
   * come as one claim. At most {@link MAX_RESOURCES} resources and 31 days.
   */
  busy(resources: readonly string[], within: TimeSpan): Promise<TimeClaim[]>;
}

/**
 * One serializable transaction. All reads come before all writes (`STORE_USE` otherwise); writes take effect
 * together at commit or not at all, rows in the order of the calls. At most 1,000 rows.
 */
export interface Transaction extends Reader {
  /** Commit fails with `ALREADY_EXISTS` when there is such a row. */
  create<C extends Columns>(at: Ref<C>, row: Row<C>): void;
  /** Creates or replaces. */
  put<C extends Columns>(at: Ref<C>, row: Row<C>): void;
  /** No error when there is no such row. */
  delete(at: Ref): void;
  /**
   * Commit fails with `TIME_TAKEN` when any part of the span is taken for that resource, and with
   * `ALREADY_EXISTS` when a created row is there too. At most 12 hours.
   */
  claim(claim: TimeClaim): void;
  /**
   * Frees a claim. Only the named booking's cells are freed: the adapter looks, inside the transaction. The whole
   * original span must be given. Takes effect before the claims of its transaction, so a booking may move onto
   * a part of its own time.
   */
  release(claim: TimeClaim): void;
}

/** What {@link TenantStore.transact} may be told. */
export interface TransactOptions {
  /**
   * A row that this transaction creates under a fresh random id. When the reply to the commit is lost, the
   * adapter reads it back: if it is there the transaction took place, otherwise the error stands.
   */
  readonly proof?: Ref;
}

/** One tenant's part of the store. Nothing reached through it belongs to another tenant. */
export interface TenantStore extends Reader {
  /**
   * Runs `work` in one transaction and commits. On contention `work` runs again from the start, at most
   * 8 times and within 30 s, so it must have no effect but through `tx`.
   *
   * @throws StoreError `CONTENTION` (retryable), `STORE_UNAVAILABLE` (retryable), `ALREADY_EXISTS`, `TIME_TAKEN`.
   */
  transact<T>(work: (tx: Transaction) => Promise<T>, options?: TransactOptions): Promise<T>;
}

/** A database. Every call has a deadline: 10 s for a read, 30 s for a transaction. */
export interface Store {
  readonly kind: 'firestore' | 'postgres';
  tenant(id: TenantId): TenantStore;
  /**
   * Runs `work` over a tenant's rows as they were at one moment, whatever is written meanwhile. Nothing waits for it. On
   * Firestore it must end within an hour: older rows are not kept.
   *
   * @throws StoreError `STORE_UNAVAILABLE` (retryable); what `work` throws.
   */
  snapshot<T>(id: TenantId, work: (reader: Reader) => Promise<T>): Promise<T>;
  /** @throws StoreError `STORE_UNAVAILABLE` when the database does not answer within 2 s. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** How many resources {@link Reader.busy} looks at in one call. */
export const MAX_RESOURCES = 20;

/** The grain of time claims: five minutes, aligned to UTC. */
export const CELL_MS = 300_000;
