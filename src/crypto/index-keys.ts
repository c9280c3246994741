import type { Clock } from '../kernel/clock.ts';
import { collection, type Row, ref } from '../kernel/collection.ts';
import type { TenantId } from '../kernel/ids.ts';
import { type Store, StoreError, type Transaction } from '../kernel/store.ts';
import { DEFAULT_INDEX_BITS, type IndexBits, requireIndexBits } from './blind-index.ts';
import { CryptoError } from './errors.ts';
import type { KeyCache } from './key-cache.ts';
import type { EncryptionContext, Keyring } from './keyring.ts';
import type { IndexKey } from './search-facts.ts';
import { WRAPPED_COLUMNS, wrappedKeyOf, wrappedRow } from './wrapped-row.ts';

/** A wrapped index key, id = version; create-only, deleted when the next version has replaced it. */
export const indexKeys = collection('indexKeys', {
  ...WRAPPED_COLUMNS,
  nameBirthDateBits: 'integer',
  surnameBirthYearBits: 'integer',
});

/** One row, id `state`: entries are written under `write`; those from `oldest` on are still read. */
export const indexState = collection('indexState', { write: 'integer', oldest: 'integer' });

export const INDEX_STATE = ref(indexState, 'state');

/** The keys of a tenant's active index versions: one, or two while a reindex is under way. */
export interface ActiveIndexKeys {
  readonly write: number;
  readonly keys: readonly IndexKey[];
}

/** What {@link IndexKeys} stands on. */
export interface IndexKeysOptions {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly cache: KeyCache;
  readonly clock: Clock;
  readonly tenantKeyId: (tenant: TenantId) => Promise<string>;
}

/** The versions of a tenant's index key. Each is wrapped by KMS, and its truncation never changes. */
export class IndexKeys {
  readonly #options: IndexKeysOptions;

  constructor(options: IndexKeysOptions) {
    this.#options = options;
  }

  /** Makes the tenant's first index key unless there is one. */
  async ensure(tenant: TenantId, bits: IndexBits = DEFAULT_INDEX_BITS): Promise<void> {
    const [state] = await this.#options.store.tenant(tenant).get(INDEX_STATE);
    if (state !== null) return;
    const row = await this.#newKey(tenant, 1, bits);
    try {
      await this.#options.store.tenant(tenant).transact(async (tx) => {
        tx.create(INDEX_STATE, { write: 1, oldest: 1 });
        tx.create(ref(indexKeys, '1'), row);
      });
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'ALREADY_EXISTS')) throw error;
    }
  }

  /** @throws CryptoError `KEY_MISSING` when the tenant has no index yet, and what the keyring throws. */
  async load(tenant: TenantId): Promise<ActiveIndexKeys> {
    const reader = this.#options.store.tenant(tenant);
    const [state] = await reader.get(INDEX_STATE);
    if (state === null) throw noIndex();
    const versions = [...new Set([state.oldest, state.write])];
    const rows = await reader.get(...versions.map((version) => ref(indexKeys, String(version))));
    const keys = await Promise.all(
      versions.map((version, index) => this.#unwrap(tenant, version, rows[index] ?? null)),
    );
    return { write: state.write, keys };
  }

  /**
   * Begins a new version: from now on entries are written under it, and both are read. Does nothing while a
   * reindex is under way. Answers the version being written. `settle` adds what tells of it to the transaction.
   */
  async begin(
    tenant: TenantId,
    bits: IndexBits,
    settle: (tx: Transaction) => void = () => {},
  ): Promise<number> {
    const [before] = await this.#options.store.tenant(tenant).get(INDEX_STATE);
    if (before === null) throw noIndex();
    if (before.write > before.oldest) return before.write;
    const next = before.write + 1;
    const row = await this.#newKey(tenant, next, bits);
    return this.#options.store.tenant(tenant).transact(async (tx) => {
      const [state] = await tx.get(INDEX_STATE);
      if (state === null || state.write !== before.write) return state?.write ?? next;
      tx.create(ref(indexKeys, String(next)), row);
      tx.put(INDEX_STATE, { write: next, oldest: state.write });
      settle(tx);
      return next;
    });
  }

  /**
   * Ends a reindex: the old version is no longer read and its key is gone. `isEmpty` looks, in the same
   * transaction, whether anything of the old version is left. Answers false, and does nothing, while there is.
   * `settle` adds what tells of it to the transaction.
   */
  async finish(
    tenant: TenantId,
    isEmpty: (tx: Transaction, version: number) => Promise<boolean>,
    settle: (tx: Transaction) => void = () => {},
  ): Promise<boolean> {
    return this.#options.store.tenant(tenant).transact(async (tx) => {
      const [state] = await tx.get(INDEX_STATE);
      if (state === null || state.write === state.oldest) return true;
      if (!(await isEmpty(tx, state.oldest))) return false;
      tx.put(INDEX_STATE, { write: state.write, oldest: state.write });
      tx.delete(ref(indexKeys, String(state.oldest)));
      settle(tx);
      return true;
    });
  }

  async #newKey(tenant: TenantId, version: number, bits: IndexBits): Promise<Row<typeof indexKeys.columns>> {
    requireIndexBits(bits);
    const { keyring, tenantKeyId, clock } = this.#options;
    const { wrapped } = await keyring.generate(await tenantKeyId(tenant), indexContext(tenant, version));
    return {
      ...wrappedRow(wrapped, clock()),
      nameBirthDateBits: bits.nameBirthDate,
      surnameBirthYearBits: bits.surnameBirthYear,
    };
  }

  async #unwrap(
    tenant: TenantId,
    version: number,
    row: Row<typeof indexKeys.columns> | null,
  ): Promise<IndexKey> {
    if (row === null) throw new StaleIndex();
    const { keyring, cache } = this.#options;
    const secret = await cache.get(`${tenant}/index/${version}`, () =>
      keyring.unwrap(wrappedKeyOf(row), indexContext(tenant, version)),
    );
    const bits = { nameBirthDate: row.nameBirthDateBits, surnameBirthYear: row.surnameBirthYearBits };
    return { version, secret, bits };
  }
}

/** What a wrapped index key is bound to. */
export const indexContext = (tenant: TenantId, version: number): EncryptionContext => ({
  app: 'chartseal',
  tenant,
  purpose: 'index',
  version: String(version),
});

const noIndex = (): CryptoError =>
  new CryptoError('KEY_MISSING', 'The tenant has no search index yet. Make its index key first.');

/** The index moved to another version between two looks at it: look again. */
export class StaleIndex extends CryptoError {
  constructor() {
    super('KEY_MISSING', 'The search index moved to a new version meanwhile. Open it again.');
  }
}
