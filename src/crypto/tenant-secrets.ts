import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';
import { collection, ref } from '../kernel/collection.ts';
import type { TenantId } from '../kernel/ids.ts';
import { type Store, StoreError } from '../kernel/store.ts';
import { CryptoError } from './errors.ts';
import { encodeParts } from './field-context.ts';
import type { KeyCache } from './key-cache.ts';
import type { EncryptionContext, Keyring } from './keyring.ts';
import { type DataKey, open, seal } from './sealed-value.ts';
import { WRAPPED_COLUMNS, wrappedKeyOf, wrappedRow } from './wrapped-row.ts';

/** A tenant's wrapped HMAC root; create-only, id `root_{version}`. */
export const tenantSecrets = collection('tenantSecrets', WRAPPED_COLUMNS);

/** What a tenant MAC is for. Bound into the MAC: never rename or reuse one. */
export type MacPurpose = 'idempotency' | 'body' | 'slot' | 'hold' | 'confirm' | 'privacy-request';

/** What a small sealed value of a tenant is. Bound into the key and the value: never rename or reuse one. */
export type SealPurpose = 'emergency-reason' | 'card-face';

const VERSION = 1;

/** What {@link TenantSecrets} stands on. */
export interface TenantSecretsOptions {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly cache: KeyCache;
  readonly clock: Clock;
  readonly tenantKeyId: (tenant: TenantId) => Promise<string>;
}

/**
 * Keyed hashes, and small sealed values, under a secret of the tenant. Ids made from what a person said or is (an idempotency key, a
 * request's body) are always keyed: an unkeyed hash of PHI can be guessed and counts as PHI.
 */
export class TenantSecrets {
  readonly #options: TenantSecretsOptions;

  constructor(options: TenantSecretsOptions) {
    this.#options = options;
  }

  /** Makes the tenant's secret unless there is one. */
  async ensure(tenant: TenantId): Promise<void> {
    const { store, keyring, clock, tenantKeyId } = this.#options;
    const address = ref(tenantSecrets, `root_${VERSION}`);
    const [existing] = await store.tenant(tenant).get(address);
    if (existing !== null) return;
    const { wrapped } = await keyring.generate(await tenantKeyId(tenant), secretContext(tenant, VERSION));
    try {
      await store.tenant(tenant).transact(async (tx) => {
        tx.create(address, wrappedRow(wrapped, clock()));
      });
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'ALREADY_EXISTS')) throw error;
    }
  }

  /** HMAC-SHA-256 over the length-prefixed `parts` under the tenant's secret for `purpose`. 32 bytes. */
  async mac(tenant: TenantId, purpose: MacPurpose, parts: readonly string[]): Promise<Buffer> {
    const pieces = [`chartseal/${purpose}/1`, ...parts].flatMap((part) => {
      const bytes = Buffer.from(part, 'utf8');
      const length = Buffer.allocUnsafe(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    });
    return createHmac('sha256', await this.#root(tenant))
      .update(Buffer.concat(pieces))
      .digest();
  }

  /**
   * Seals a small value that belongs to the tenant rather than to a chart, bound to what it is and the row that holds
   * it. Call it before a transaction: it may need KMS.
   */
  async seal(tenant: TenantId, place: SealedPlace, plaintext: Uint8Array): Promise<Buffer> {
    return seal(plaintext, await this.#sealKey(tenant, place.purpose), contextIn(tenant, place));
  }

  /**
   * Opens what `seal` sealed in this very place.
   *
   * @throws CryptoError `COMMITMENT` or `TAG` when it was sealed elsewhere or changed.
   */
  async open(tenant: TenantId, place: SealedPlace, sealed: Uint8Array): Promise<Buffer> {
    return open(sealed, await this.#sealKey(tenant, place.purpose), contextIn(tenant, place));
  }

  async #sealKey(tenant: TenantId, purpose: SealPurpose): Promise<DataKey> {
    const mac = createHmac('sha256', await this.#root(tenant)).update(`chartseal/seal-key/1\0${purpose}`);
    return { version: VERSION, secret: createSecretKey(mac.digest()) };
  }

  #root(tenant: TenantId): Promise<KeyObject> {
    const { store, keyring, cache } = this.#options;
    return cache.get(`${tenant}/secret/${VERSION}`, async () => {
      const [row] = await store.tenant(tenant).get(ref(tenantSecrets, `root_${VERSION}`));
      if (row === null)
        throw new CryptoError('KEY_MISSING', 'The tenant has no secret yet. Run "chartseal tenant create".');
      return keyring.unwrap(wrappedKeyOf(row), secretContext(tenant, VERSION));
    });
  }
}

/** Where a small sealed value lies: what it is, and the id of its row. */
export interface SealedPlace {
  readonly purpose: SealPurpose;
  readonly id: string;
}

const contextIn = (tenant: TenantId, { purpose, id }: SealedPlace): Buffer =>
  encodeParts(['chartseal/tenant-value/1', tenant, purpose, id].map((text) => Buffer.from(text, 'utf8')));

/** What a wrapped root is bound to. */
export const secretContext = (tenant: TenantId, version: number): EncryptionContext => ({
  app: 'chartseal',
  tenant,
  purpose: 'mac-root',
  version: String(version),
});
