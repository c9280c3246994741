import type { Columns, Ref, Row } from '../kernel/collection.ts';
import type { TimeClaim, Transaction } from '../kernel/store.ts';
import { alreadyExists, storeUse } from './errors.ts';
import { checkRef, checkRow } from './rows.ts';
import { checkClaim } from './time-claims.ts';

/** One write of a row, in the order in which the transaction asked for it. */
export type RowWrite =
  | { readonly kind: 'create' | 'put'; readonly at: Ref; readonly row: Row<Columns> }
  | { readonly kind: 'delete'; readonly at: Ref };

type Writer = Pick<Transaction, 'create' | 'put' | 'delete' | 'claim' | 'release'>;

/** Row writes and time cells that one transaction may carry; Firestore's request limit is 10 MiB. */
const MAX_WRITES = 1_000;

/**
 * Keeps a transaction's writes until it commits, so that every read comes first in both databases and a
 * `work` that throws has written nothing.
 */
export class WriteBuffer implements Writer {
  readonly rows: RowWrite[] = [];
  readonly claims: TimeClaim[] = [];
  readonly releases: TimeClaim[] = [];
  /** The rows that are there after the writes so far, because this transaction wrote them. */
  readonly #present = new Set<string>();
  #closed = false;

  /** @throws StoreError `STORE_USE` after the first write, and after the transaction has ended. */
  assertReadable(): void {
    this.#assertOpen();
    if (this.#count() > 0)
      throw storeUse('A transaction reads before it writes. Move the read above the first write.');
  }

  create<C extends Columns>(at: Ref<C>, row: Row<C>): void {
    if (this.#present.has(keyOf(at))) throw alreadyExists();
    this.#add({ kind: 'create', at, row: this.#checked(at, row) });
  }

  put<C extends Columns>(at: Ref<C>, row: Row<C>): void {
    this.#add({ kind: 'put', at, row: this.#checked(at, row) });
  }

  delete(at: Ref): void {
    checkRef(at);
    this.#add({ kind: 'delete', at });
  }

  claim(claim: TimeClaim): void {
    this.#assertOpen();
    this.claims.push(checkClaim(claim));
  }

  release(claim: TimeClaim): void {
    this.#assertOpen();
    this.releases.push(checkClaim(claim));
  }

  /** No write is taken after this. */
  close(): void {
    this.#closed = true;
  }

  #checked<C extends Columns>(at: Ref<C>, row: Row<C>): Row<Columns> {
    checkRef(at);
    return checkRow(at.collection, row);
  }

  #add(write: RowWrite): void {
    this.#assertOpen();
    if (this.rows.length >= MAX_WRITES)
      throw storeUse(`A transaction writes at most ${MAX_WRITES} rows. Split the work.`);
    this.rows.push(write);
    if (write.kind === 'delete') this.#present.delete(keyOf(write.at));
    else this.#present.add(keyOf(write.at));
  }

  #assertOpen(): void {
    if (this.#closed) throw storeUse('This transaction has ended. Await everything inside it.');
  }

  #count(): number {
    return this.rows.length + this.claims.length + this.releases.length;
  }
}

const keyOf = (at: Ref): string => `${at.collection.name}/${at.id}`;
