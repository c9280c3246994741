import type { Collection, Columns, Ref, Row } from '../../src/kernel/collection.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import {
  type Listed,
  type ListOptions,
  type RowsOf,
  type Store,
  StoreError,
  type TenantStore,
  type TimeClaim,
  type Transaction,
} from '../../src/kernel/store.ts';

type Told = (trip: 'get' | 'list' | 'busy' | 'transact') => void;
type Rows = Map<string, Row<Columns>>;
const key = (at: Ref): string => `${at.collection.name}/${at.id}`;

/** What {@link createMemoryStore} makes. */
export interface MemoryStore extends Store {
  readonly rows: ReadonlyMap<TenantId, Rows>;
  /** From now on every call fails with this; null mends it. */
  fail(error: Error | null): void;
  /** From now on no transaction commits that writes to this collection; null mends it. */
  refuseWrites(collection: string | null): void;
  /** Tells of each round trip from now on. @returns how to end it. */
  watch(told: Told): () => void;
}

/** A store for unit tests: really serializable, because transactions run one after another. */
export function createMemoryStore(): MemoryStore {
  const rows = new Map<TenantId, Rows>();
  const tenants = new Map<TenantId, TenantStore>();
  const tables = new Map<TenantId, Pick<Tables, 'rows' | 'claims'>>();
  let fault: Error | null = null;
  let refused: string | null = null;
  let told: Told = () => {};
  const whenUp = (): void => {
    if (fault !== null) throw fault;
  };
  const mayWrite = (at: Ref): void => {
    if (at.collection.name === refused) throw new StoreError('STORE_UNAVAILABLE', 'No.', { retryable: true });
  };
  return {
    kind: 'postgres',
    rows,
    fail: (error) => {
      fault = error;
    },
    refuseWrites: (name) => {
      refused = name;
    },
    watch: (next) => {
      told = next;
      return () => {
        told = () => {};
      };
    },
    tenant: (id) => {
      const known = tenants.get(id);
      if (known !== undefined) return known;
      const mine = new Map<string, Row<Columns>>();
      rows.set(id, mine);
      const table = { rows: mine, claims: [] as TimeClaim[] };
      tables.set(id, table);
      const opened = tenantStore({ ...table, mayWrite, tell: (trip) => told(trip) }, whenUp);
      tenants.set(id, opened);
      return opened;
    },
    snapshot: async (id, work) => {
      const then = tables.get(id) ?? { rows: new Map(), claims: [] };
      const copy = { rows: structuredClone(then.rows), claims: [...then.claims] };
      return work(tenantStore({ ...copy, mayWrite, tell: (trip) => told(trip) }, whenUp));
    },
    ping: async () => {},
    close: async () => {},
  };
}

interface Tables {
  readonly rows: Rows;
  readonly claims: TimeClaim[];
  readonly mayWrite: (at: Ref) => void;
  readonly tell: Told;
}

function tenantStore(tables: Tables, whenUp: () => void): TenantStore {
  const { rows, claims } = tables;
  const reader = {
    get: async <const R extends readonly Ref[]>(...refs: R): Promise<RowsOf<R>> => {
      await tick();
      whenUp();
      return refs.map((at) => structuredClone(rows.get(key(at)) ?? null)) as RowsOf<R>;
    },
    list: async <C extends Columns>(of: Collection<C>, options: ListOptions<C>): Promise<Listed<C>[]> => {
      await tick();
      whenUp();
      return [...rows]
        .filter(([at]) => at.startsWith(`${of.name}/`))
        .map(([at, row]) => ({ id: at.slice(of.name.length + 1), row: structuredClone(row) as Row<C> }))
        .filter(({ id, row }) => (options.after === undefined || id > options.after) && matches(row, options))
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, options.limit);
    },
    busy: async (
      resources: readonly string[],
      within: { from: number; to: number },
    ): Promise<TimeClaim[]> => {
      await tick();
      whenUp();
      return claims.filter((one) => resources.includes(one.resource) && overlap(one, within));
    },
  };
  let last: Promise<unknown> = Promise.resolve();
  return {
    get: (...refs) => {
      tables.tell('get');
      return reader.get(...refs);
    },
    list: (of, options) => {
      tables.tell('list');
      return reader.list(of, options);
    },
    busy: (resources, within) => {
      tables.tell('busy');
      return reader.busy(resources, within);
    },
    transact: <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => {
      tables.tell('transact');
      const turn = last.then(() => {
        whenUp();
        return run(tables, reader, work);
      });
      last = turn.catch(() => {});
      return turn;
    },
  };
}

async function run<T>(
  { rows, claims, mayWrite }: Tables,
  reader: Pick<TenantStore, 'get' | 'list' | 'busy'>,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const writes: (() => void)[] = [];
  const checks: (() => void)[] = [];
  const released: TimeClaim[] = [];
  const claimed: TimeClaim[] = [];
  const reading = <F>(read: F): F => {
    if (writes.length > 0) throw new StoreError('STORE_USE', 'Read before you write in a transaction.');
    return read;
  };
  const writing = (at: Ref, write: () => void): void => {
    checks.push(() => mayWrite(at));
    writes.push(write);
  };
  const result = await work({
    get: (...refs) => reading(reader.get)(...refs),
    list: (of, options) => reading(reader.list)(of, options),
    busy: (resources, within) => reading(reader.busy)(resources, within),
    create: (at, row) => {
      checks.push(() => {
        if (rows.has(key(at))) throw new StoreError('ALREADY_EXISTS', 'There is such a row already.');
      });
      writing(at, () => rows.set(key(at), structuredClone(row)));
    },
    put: (at, row) => writing(at, () => rows.set(key(at), structuredClone(row))),
    delete: (at) => writing(at, () => rows.delete(key(at))),
    claim: (one) => {
      checks.push(() => {
        const left = claims.filter((other) => !released.some((gone) => sameClaim(gone, other)));
        if ([...left, ...claimed].some((other) => other.resource === one.resource && overlap(other, one)))
          throw new StoreError('TIME_TAKEN', 'That time is taken.');
        claimed.push(one);
      });
      writes.push(() => undefined);
    },
    release: (one) => {
      released.push(one);
      writes.push(() => undefined);
    },
  });
  for (const check of checks) check();
  const left = claims.filter((other) => !released.some((gone) => sameClaim(gone, other)));
  claims.splice(0, claims.length, ...left, ...claimed);
  for (const write of writes) write();
  return result;
}

function matches<C extends Columns>(row: Row<C>, { equals }: ListOptions<C>): boolean {
  return Object.entries(equals ?? {}).every(([column, value]) => row[column] === value);
}

const sameClaim = (a: TimeClaim, b: TimeClaim): boolean =>
  a.resource === b.resource && a.booking === b.booking;
const overlap = (a: { from: number; to: number }, b: { from: number; to: number }): boolean =>
  a.from < b.to && b.from < a.to;

/** Lets other callers in between, as a real database does. */
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
