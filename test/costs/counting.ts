import type { EncryptionContext, WrappedKey } from '../../src/crypto/keyring.ts';
import { LocalKeyring } from '../../src/crypto/local-keyring.ts';
import {
  CELL_MS,
  type Reader,
  type Store,
  type TenantStore,
  type TimeSpan,
  type Transaction,
} from '../../src/kernel/store.ts';

/** What was used, as the bills count it. */
export interface Use {
  kmsCalls: number;
  /** Documents read; a query that finds none counts as one. */
  reads: number;
  writes: number;
  deletes: number;
}

const cellsOf = ({ from, to }: TimeSpan): number => Math.ceil((to - from) / CELL_MS);

/** A store that counts as Firestore bills: by the document, a five-minute cell of a claim being one. */
export function countingStore(store: Store, use: Use): Store {
  const read = (count: number): void => {
    use.reads += Math.max(1, count);
  };
  const reader = (inner: Reader): Reader => ({
    get: (...refs) => {
      use.reads += refs.length;
      return inner.get(...refs);
    },
    list: async (of, options) => {
      const rows = await inner.list(of, options);
      read(rows.length);
      return rows;
    },
    busy: async (resources, within) => {
      const claims = await inner.busy(resources, within);
      read(claims.reduce((sum, claim) => sum + cellsOf(claim), 0));
      return claims;
    },
  });
  const writer = (tx: Transaction): Transaction => ({
    ...reader(tx),
    create: (at, row) => {
      use.writes += 1;
      tx.create(at, row);
    },
    put: (at, row) => {
      use.writes += 1;
      tx.put(at, row);
    },
    delete: (at) => {
      use.deletes += 1;
      tx.delete(at);
    },
    claim: (claim) => {
      use.writes += cellsOf(claim);
      tx.claim(claim);
    },
    release: (claim) => {
      use.reads += cellsOf(claim);
      use.deletes += cellsOf(claim);
      tx.release(claim);
    },
  });
  const tenant = (inner: TenantStore): TenantStore => ({
    ...reader(inner),
    transact: (work, options) => inner.transact((tx) => work(writer(tx)), options),
  });
  return { ...store, tenant: (id) => tenant(store.tenant(id)) };
}

/** Counts what would be calls of AWS KMS. */
export class CountingKeyring extends LocalKeyring {
  readonly #use: Use;

  constructor(use: Use) {
    super([{ version: 1, hex: 'ab'.repeat(32), status: 'active' }]);
    this.#use = use;
  }

  protected override generateKey(keyId: string, context: EncryptionContext) {
    this.#use.kmsCalls += 1;
    return super.generateKey(keyId, context);
  }

  protected override unwrapKey(wrapped: WrappedKey, context: EncryptionContext) {
    this.#use.kmsCalls += 1;
    return super.unwrapKey(wrapped, context);
  }
}
