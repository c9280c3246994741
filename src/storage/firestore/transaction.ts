import {
  type DocumentReference,
  type Firestore,
  type Transaction as SdkTransaction,
  Timestamp,
} from 'firebase-admin/firestore';
import type { Collection, Columns, Ref } from '../../kernel/collection.ts';
import type { TenantId } from '../../kernel/ids.ts';
import type { Listed, ListOptions, RowsOf, TimeClaim, TimeSpan, Transaction } from '../../kernel/store.ts';
import { within as inTime } from '../deadline.ts';
import { timeTaken } from '../errors.ts';
import type { Attempt } from '../run-transaction.ts';
import { cellsOf } from '../time-claims.ts';
import { WriteBuffer } from '../write-buffer.ts';
import { toDocument } from './codec.ts';
import { fromGrpc } from './grpc-errors.ts';
import { cellId, cellsAt, rowAt } from './paths.ts';
import { track } from './pending.ts';
import { FirestoreReader } from './reads.ts';

/** One attempt at a transaction: reads go through the SDK at once, writes are buffered until {@link flush}. */
export class FirestoreTransaction extends WriteBuffer implements Transaction {
  /** What the SDK threw at the first read that failed. `work` may have swallowed it; the attempt has failed. */
  fault: { readonly thrown: unknown } | null = null;
  readonly #db: Firestore;
  readonly #tenant: TenantId;
  readonly #sdk: SdkTransaction;
  readonly #attempt: Pick<Attempt<unknown>, 'budget'>;
  readonly #reader: FirestoreReader;

  constructor(
    db: Firestore,
    tenant: TenantId,
    sdk: SdkTransaction,
    attempt: Pick<Attempt<unknown>, 'budget'>,
  ) {
    super();
    this.#db = db;
    this.#tenant = tenant;
    this.#sdk = sdk;
    this.#attempt = attempt;
    this.#reader = new FirestoreReader(db, tenant, {
      documents: (refs) => this.#guard(() => sdk.getAll(...refs)),
      query: (query) => this.#guard(() => sdk.get(query)),
    });
  }

  async get<const R extends readonly Ref[]>(...refs: R): Promise<RowsOf<R>> {
    this.assertReadable();
    return await this.#reader.get(...refs);
  }

  async list<C extends Columns>(of: Collection<C>, options: ListOptions<C>): Promise<Listed<C>[]> {
    this.assertReadable();
    return await this.#reader.list(of, options);
  }

  async busy(resources: readonly string[], within: TimeSpan): Promise<TimeClaim[]> {
    this.assertReadable();
    return await this.#reader.busy(resources, within);
  }

  /** Hands the buffered writes to the SDK, which commits them next. Releases take effect before claims. */
  async flush(): Promise<void> {
    const freed = await this.#freedCells();
    for (const write of this.rows) {
      const document = rowAt(this.#db, this.#tenant, write.at);
      if (write.kind === 'delete') this.#sdk.delete(document);
      else if (write.kind === 'put') this.#sdk.set(document, toDocument(write.at.collection, write.row));
      else this.#sdk.create(document, toDocument(write.at.collection, write.row));
    }
    this.#writeCells(freed);
  }

  /** What a failed commit must look at to tell `ALREADY_EXISTS` from `TIME_TAKEN`. */
  created(): { rows: DocumentReference[]; cells: DocumentReference[] } {
    const rows = this.rows.filter((write) => write.kind === 'create');
    return {
      rows: rows.map((write) => rowAt(this.#db, this.#tenant, write.at)),
      cells: this.claims.flatMap((claim) => cellsOf(claim).map((at) => this.#cell(claim.resource, at))),
    };
  }

  /** Reads the released cells inside the transaction: only the named booking's are freed, whatever happens meanwhile. */
  async #freedCells(): Promise<Map<string, DocumentReference>> {
    const released = this.releases.flatMap((claim) =>
      cellsOf(claim).map((at) => ({ cell: this.#cell(claim.resource, at), booking: claim.booking })),
    );
    if (released.length === 0) return new Map();
    const found = await inTime(this.#attempt.budget(), this.#sdk.getAll(...released.map(({ cell }) => cell)));
    const own = found.filter((document, index) => document.get('booking') === released[index]?.booking);
    return new Map(own.map((document) => [document.id, document.ref]));
  }

  #writeCells(freed: Map<string, DocumentReference>): void {
    const taken = new Set<string>();
    for (const claim of this.claims) {
      for (const at of cellsOf(claim)) {
        const cell = this.#cell(claim.resource, at);
        if (taken.has(cell.id)) throw timeTaken();
        taken.add(cell.id);
        const fields = { booking: claim.booking, at: Timestamp.fromMillis(at) };
        if (freed.delete(cell.id)) this.#sdk.set(cell, fields);
        else this.#sdk.create(cell, fields);
      }
    }
    for (const cell of freed.values()) this.#sdk.delete(cell);
  }

  #cell(resource: string, at: number): DocumentReference {
    return cellsAt(this.#db, this.#tenant).doc(cellId(resource, at));
  }

  async #guard<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await inTime(this.#attempt.budget(), track(this.#db, read()));
    } catch (error) {
      this.fault ??= { thrown: error };
      throw fromGrpc(error);
    }
  }
}
