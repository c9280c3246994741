import type { Clock } from '../kernel/clock.ts';
import { collection, type Row, ref } from '../kernel/collection.ts';
import { newPatientAlias, type PatientAlias, type PatientId, type TenantId } from '../kernel/ids.ts';
import { type Store, StoreError } from '../kernel/store.ts';
import { CryptoError } from './errors.ts';
import type { KeyCache } from './key-cache.ts';
import type { EncryptionContext, Keyring } from './keyring.ts';
import type { DataKey } from './sealed-value.ts';
import { tombstoneRef } from './tombstones.ts';

/** Which key version a patient's values are sealed under now. `alias` dies with this row. */
export const patientKeys = collection('patientKeys', {
  alias: 'text',
  current: 'integer',
  /** Values of a lower version are resealed by whoever writes the chart next. */
  minSeal: 'integer',
  /** `active`, or {@link ERASING}. */
  state: 'text',
  /** Digest of the sealed manifest that was written last; null before the first. A manifest put back is seen. */
  head: 'text?',
});

/** The state of a chart that is being erased: nothing reads or writes it any more but the erasure. */
export const ERASING = 'erasing';

/** A wrapped key of one version; create-only, id `{patient}_{version}`. */
export const patientKeyVersions = collection('patientKeyVersions', {
  keyId: 'text',
  wrapped: 'bytes',
  createdAt: 'instant',
});

/** A patient within a tenant. */
export interface PatientRef {
  readonly tenant: TenantId;
  readonly patient: PatientId;
}

/** What {@link PatientKeys} stands on. */
export interface PatientKeysOptions {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly cache: KeyCache;
  readonly clock: Clock;
  /** The wrapping key of a tenant: a KMS key ARN or a local key id. */
  readonly tenantKeyId: (tenant: TenantId) => Promise<string>;
}

/** One 256-bit key for each patient and version, wrapped by the tenant's key. One KMS call opens a whole chart. */
export class PatientKeys {
  readonly #options: PatientKeysOptions;

  constructor(options: PatientKeysOptions) {
    this.#options = options;
  }

  /**
   * Makes the patient's first key unless there is one. Many at once are safe: the losers drop their keys, and
   * nothing is sealed before the winner's commit is confirmed.
   *
   * @throws CryptoError `KEY_MISSING` for a patient who was erased.
   */
  async ensure(of: PatientRef): Promise<Row<typeof patientKeys.columns>> {
    const tenant = this.#options.store.tenant(of.tenant);
    const address = ref(patientKeys, of.patient);
    const [existing] = await tenant.get(address);
    if (existing !== null) return existing;
    const row = { alias: newPatientAlias(), current: 1, minSeal: 1, state: 'active', head: null };
    const keyId = await this.#options.tenantKeyId(of.tenant);
    const { secret, wrapped } = await this.#options.keyring.generate(
      keyId,
      keyContext(of.tenant, row.alias, 1),
    );
    try {
      await tenant.transact(async (tx) => {
        const [erased] = await tx.get(tombstoneRef(of.patient));
        if (erased !== null) throw missing();
        tx.create(address, row);
        tx.create(ref(patientKeyVersions, versionId(of.patient, 1)), {
          keyId: wrapped.keyId,
          wrapped: wrapped.blob,
          createdAt: this.#options.clock(),
        });
      });
      await this.#options.cache.get(cacheId(of, row.alias, 1), async () => secret);
      return row;
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'ALREADY_EXISTS')) throw error;
      const [winner] = await tenant.get(address);
      if (winner === null) throw missing();
      return winner;
    }
  }

  /** The alias under which the patient's keys stand; null when there are none. Unwraps nothing. */
  async aliasOf(of: PatientRef): Promise<PatientAlias | null> {
    const [row] = await this.#options.store.tenant(of.tenant).get(ref(patientKeys, of.patient));
    return row === null ? null : (row.alias as PatientAlias);
  }

  /** @throws CryptoError `KEY_MISSING` when the patient has no key of that version, and what the keyring throws. */
  async load(of: PatientRef, alias: PatientAlias, version: number): Promise<DataKey> {
    const secret = await this.#options.cache.get(cacheId(of, alias, version), async () => {
      const [row] = await this.#options.store
        .tenant(of.tenant)
        .get(ref(patientKeyVersions, versionId(of.patient, version)));
      if (row === null) throw missing();
      const wrapped = { keyId: row.keyId, blob: row.wrapped };
      return this.#options.keyring.unwrap(wrapped, keyContext(of.tenant, alias, version));
    });
    return { version, secret };
  }

  /** The key when it is unwrapped already, else null. Calls nobody, so a transaction may ask. */
  warm(of: PatientRef, alias: PatientAlias, version: number): DataKey | null {
    const secret = this.#options.cache.peek(cacheId(of, alias, version));
    return secret === null ? null : { version, secret };
  }

  /** Forgets a patient's keys, or with no patient the whole tenant's, in this process. */
  flush(tenant: TenantId, patient?: PatientId): void {
    this.#options.cache.flush(patient === undefined ? `${tenant}/` : `${tenant}/${patient}/`);
  }
}

/** With the alias, which is fresh with each first key: a key of an erased patient never serves a later one. */
const cacheId = (of: PatientRef, alias: string, version: number): string =>
  `${of.tenant}/${of.patient}/${alias}/${version}`;

function keyContext(tenant: TenantId, alias: string, version: number): EncryptionContext {
  return { app: 'chartseal', tenant, patient: alias, version: String(version) };
}

const versionId = (patient: PatientId, version: number): string => `${patient}_${version}`;

const missing = (): CryptoError =>
  new CryptoError(
    'KEY_MISSING',
    'The patient has no such key. The chart was erased, or the store lost a row.',
  );
