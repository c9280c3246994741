import type { Collection, Columns, Ref, Row } from '../../src/kernel/collection.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import {
  type Listed,
  type ListOptions,
  type RowsOf,
  type Store,
  StoreError,
  type TenantStore,
  type Transaction,
} from '../../src/kernel/store.ts';

type Rows = Map<string, Row<Columns>>;
const key = (at: Ref): string => `${at.collection.name}/${at.id}`;

/** What {@link createMemoryStore} makes. */
export interface MemoryStore extends Store {
  readonly rows: ReadonlyMap<TenantId, Rows>;
  /** From now on every call fails with this; null mends it. */
  fail(error: Error | null): void;
}

/** A store for unit tests: really serializable, because transactions run one after another. No time claims. */
export function createMemoryStore(): MemoryStore {
  const rows = new Map<TenantId, Rows>();
  let fault: Error | null = null;
  const whenUp = (): void => {
    if (fault !== null) throw fault;
  };
  return {
    kind: 'postgres',
    rows,
    fail: (error) => {
      fault = error;
    },
    tenant: (id) => {
      const mine = rows.get(id) ?? new Map<string, Row<Columns>>();
      rows.set(id, mine);
      return tenantStore(mine, whenUp);
    },
    ping: async () => {},
    close: async () => {},
  };
}

function tenantStore(rows: Rows, whenUp: () => void): TenantStore {
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
    busy: async () => [],
  };
  let last: Promise<unknown> = Promise.resolve();
  return {
    ...reader,
    transact: <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => {
      const turn = last.then(() => {
        whenUp();
        return run(rows, reader, work);
      });
      last = turn.catch(() => {});
      return turn;
    },
  };
}

async function run<T>(
  rows: Rows,
  reader: Pick<TenantStore, 'get' | 'list' | 'busy'>,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const writes: (() => void)[] = [];
  const checks: (() => void)[] = [];
  const reading = <F>(read: F): F => {
    if (writes.length > 0) throw new StoreError('STORE_USE', 'Read before you write in a transaction.');
    return read;
  };
  const unsupported = (): never => {
    throw new StoreError('STORE_USE', 'This store keeps no time claims.');
  };
  const result = await work({
    get: (...refs) => reading(reader.get)(...refs),
    list: (of, options) => reading(reader.list)(of, options),
    busy: (resources, within) => reading(reader.busy)(resources, within),
    create: (at, row) => {
      checks.push(() => {
        if (rows.has(key(at))) throw new StoreError('ALREADY_EXISTS', 'There is such a row already.');
      });
      writes.push(() => rows.set(key(at), structuredClone(row)));
    },
    put: (at, row) => void writes.push(() => rows.set(key(at), structuredClone(row))),
    delete: (at) => void writes.push(() => rows.delete(key(at))),
    claim: unsupported,
    release: unsupported,
  });
  for (const check of checks) check();
  for (const write of writes) write();
  return result;
}

function matches<C extends Columns>(row: Row<C>, { equals }: ListOptions<C>): boolean {
  return Object.entries(equals ?? {}).every(([column, value]) => row[column] === value);
}

/** Lets other callers in between, as a real database does. */
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
