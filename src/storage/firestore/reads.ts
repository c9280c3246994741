import {
  type DocumentReference,
  type DocumentSnapshot,
  FieldPath,
  type Firestore,
  type Query,
  type QuerySnapshot,
} from 'firebase-admin/firestore';
import type { Collection, Columns, Ref } from '../../kernel/collection.ts';
import type { TenantId } from '../../kernel/ids.ts';
import {
  CELL_MS,
  type Listed,
  type ListOptions,
  type Reader,
  type RowsOf,
  type TimeClaim,
  type TimeSpan,
} from '../../kernel/store.ts';
import { storeUse } from '../errors.ts';
import { checkList, checkRef } from '../rows.ts';
import { checkBusy, mergeClaims } from '../time-claims.ts';
import { fromDocument, toField } from './codec.ts';
import { cellId, cellStart, cellsAt, collectionAt, docId, rowAt, rowId } from './paths.ts';

/** How documents are fetched: plainly, or inside a transaction. Both bound their time and map their errors. */
export interface Fetch {
  documents(refs: DocumentReference[]): Promise<DocumentSnapshot[]>;
  query(query: Query): Promise<QuerySnapshot>;
}

const MAX_GET = 1_000;

/** {@link Reader} over one tenant's documents. */
export class FirestoreReader implements Reader {
  readonly #db: Firestore;
  readonly #tenant: TenantId;
  readonly #fetch: Fetch;

  constructor(db: Firestore, tenant: TenantId, fetch: Fetch) {
    this.#db = db;
    this.#tenant = tenant;
    this.#fetch = fetch;
  }

  async get<const R extends readonly Ref[]>(...refs: R): Promise<RowsOf<R>> {
    if (refs.length > MAX_GET) throw storeUse(`Get at most ${MAX_GET} rows at once.`);
    for (const at of refs) checkRef(at);
    if (refs.length === 0) return [] as unknown as RowsOf<R>;
    const documents = await this.#fetch.documents(refs.map((at) => rowAt(this.#db, this.#tenant, at)));
    return refs.map((at, index) => {
      const data = documents[index]?.data();
      return data === undefined ? null : fromDocument(at.collection, data);
    }) as RowsOf<R>;
  }

  async list<C extends Columns>(of: Collection<C>, options: ListOptions<C>): Promise<Listed<C>[]> {
    const filters = checkList(of, options);
    let query: Query = collectionAt(this.#db, this.#tenant, of).orderBy(FieldPath.documentId());
    for (const [column, value] of filters)
      query = query.where(column, '==', toField(of.columns[column] ?? 'text', value));
    if (options.after !== undefined) query = query.startAfter(docId(options.after));
    const { docs } = await this.#fetch.query(query.limit(options.limit));
    return docs.map((doc) => ({ id: rowId(doc.id), row: fromDocument(of, doc.data()) }));
  }

  async busy(resources: readonly string[], within: TimeSpan): Promise<TimeClaim[]> {
    const distinct = checkBusy(resources, within);
    const cells = await Promise.all(distinct.map((resource) => this.#cells(resource, within)));
    return mergeClaims(cells.flat());
  }

  async #cells(resource: string, within: TimeSpan): Promise<TimeClaim[]> {
    const query = cellsAt(this.#db, this.#tenant)
      .where(FieldPath.documentId(), '>=', cellId(resource, within.from))
      .where(FieldPath.documentId(), '<', cellId(resource, within.to));
    const { docs } = await this.#fetch.query(query);
    return docs.flatMap((doc) => {
      const from = cellStart(resource, doc.id);
      const booking: unknown = doc.get('booking');
      if (from === null || typeof booking !== 'string') return [];
      return [{ resource, booking, from, to: from + CELL_MS }];
    });
  }
}
