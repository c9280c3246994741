import type { QueryResult } from 'pg';
import type { Collection, Columns, Ref } from '../../kernel/collection.ts';
import type { TenantId } from '../../kernel/ids.ts';
import type { Listed, ListOptions, Reader, RowsOf, TimeClaim, TimeSpan } from '../../kernel/store.ts';
import { storeUse } from '../errors.ts';
import { checkList, checkRef } from '../rows.ts';
import { checkBusy, mergeClaims } from '../time-claims.ts';
import { fromResult } from './codec.ts';
import { type Statement, selectBusy, selectByIds, selectPage } from './statements.ts';

/** How statements are run: in a read-only transaction of their own, or inside one that is open. */
export type Fetch = (statements: readonly Statement[]) => Promise<QueryResult[]>;

const MAX_GET = 1_000;

/** {@link Reader} over one tenant's rows. */
export class PostgresReader implements Reader {
  readonly #tenant: TenantId;
  readonly #fetch: Fetch;

  constructor(tenant: TenantId, fetch: Fetch) {
    this.#tenant = tenant;
    this.#fetch = fetch;
  }

  async get<const R extends readonly Ref[]>(...refs: R): Promise<RowsOf<R>> {
    if (refs.length > MAX_GET) throw storeUse(`Get at most ${MAX_GET} rows at once.`);
    for (const at of refs) checkRef(at);
    const groups = [...Map.groupBy(refs, (at) => at.collection.name).values()];
    if (groups.length === 0) return [] as unknown as RowsOf<R>;
    const results = await this.#fetch(
      groups.map((group) => selectByIds(this.#tenant, collectionOf(group), idsOf(group))),
    );
    const found = new Map<string, Record<string, unknown>>();
    for (const [index, group] of groups.entries())
      for (const row of results[index]?.rows ?? []) found.set(key(collectionOf(group).name, row._id), row);
    return refs.map((at) => {
      const row = found.get(key(at.collection.name, at.id));
      return row === undefined ? null : fromResult(at.collection, row);
    }) as RowsOf<R>;
  }

  async list<C extends Columns>(of: Collection<C>, options: ListOptions<C>): Promise<Listed<C>[]> {
    const filters = checkList(of, options);
    const page = { filters, after: options.after, limit: options.limit };
    const [result] = await this.#fetch([selectPage(this.#tenant, of, page)]);
    return (result?.rows ?? []).map((row) => ({ id: row._id, row: fromResult(of, row) }));
  }

  async busy(resources: readonly string[], within: TimeSpan): Promise<TimeClaim[]> {
    const distinct = checkBusy(resources, within);
    const [result] = await this.#fetch([selectBusy(this.#tenant, distinct, within)]);
    const claims = (result?.rows ?? []).map(({ resource, booking, from, to }) => ({
      resource,
      booking,
      from: Number(from),
      to: Number(to),
    }));
    return mergeClaims(claims);
  }
}

const key = (collection: string, id: string): string => `${collection}/${id}`;
const idsOf = (refs: readonly Ref[]): string[] => refs.map((at) => at.id);

function collectionOf(refs: readonly Ref[]): Collection {
  const first = refs[0];
  if (first === undefined) throw storeUse('A group of rows is empty.');
  return first.collection;
}
