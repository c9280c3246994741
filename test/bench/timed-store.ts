import type { Reader, Store, TenantStore, Transaction } from '../../src/kernel/store.ts';

/** What a store did since it was last asked. */
export interface StoreUse {
  /** Time in which a call of it was under way, ms. */
  readonly ms: number;
  /** Calls inside transactions that had to wait for one another, and the commits. Calls side by side are one. */
  readonly trips: number;
}

/** A store that says how long it was waited for, and how often. For one request at a time. */
export function timedStore(store: Store): Store & { take(): StoreUse } {
  let [ms, trips, running, since] = [0, 0, 0, 0];
  const under = async <T>(call: Promise<T>, inside: boolean): Promise<T> => {
    if (running === 0) {
      since = performance.now();
      if (inside) trips += 1;
    }
    running += 1;
    try {
      return await call;
    } finally {
      running -= 1;
      if (running === 0) ms += performance.now() - since;
    }
  };
  const reader = (inner: Reader, inside: boolean): Reader => ({
    get: (...refs) => under(inner.get(...refs), inside),
    list: (of, options) => under(inner.list(of, options), inside),
    busy: (resources, within) => under(inner.busy(resources, within), inside),
  });
  /** Keeping a write until the commit is the store's work too. */
  const write = (work: () => void): void => {
    const start = performance.now();
    work();
    ms += performance.now() - start;
  };
  const writer = (tx: Transaction): Omit<Transaction, keyof Reader> => ({
    create: (at, row) => write(() => tx.create(at, row)),
    put: (at, row) => write(() => tx.put(at, row)),
    delete: (at) => write(() => tx.delete(at)),
    claim: (claim) => write(() => tx.claim(claim)),
    release: (claim) => write(() => tx.release(claim)),
  });
  const tenant = (inner: TenantStore): TenantStore => ({
    ...reader(inner, false),
    transact: async (work, options) => {
      let ended = 0;
      let asked = performance.now();
      const done = await inner.transact(async (tx) => {
        ms += performance.now() - asked;
        const result = await work({ ...writer(tx), ...reader(tx, true) });
        asked = performance.now();
        ended = asked;
        return result;
      }, options);
      ms += performance.now() - ended;
      trips += 1;
      return done;
    },
  });
  return {
    kind: store.kind,
    tenant: (id) => tenant(store.tenant(id)),
    snapshot: (id, work) => store.snapshot(id, work),
    ping: () => store.ping(),
    close: () => store.close(),
    take: () => {
      const use = { ms, trips };
      [ms, trips] = [0, 0];
      return use;
    },
  };
}
