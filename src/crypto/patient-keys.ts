import type { KeyObject } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';
import { collection, type Row, ref } from '../kernel/collection.ts';
import { newPatientAlias, type PatientAlias, type PatientId, type TenantId } from '../kernel/ids.ts';
import { type Store, StoreError, type Transaction } from '../kernel/store.ts';
import { CryptoError } from './errors.ts';
import type { KeyCache } from './key-cache.ts';
import type { EncryptionContext, Keyring } from './keyring.ts';
import type { DataKey } from './sealed-value.ts';
import { tombstoneRef } from './tombstones.ts';
import { WRAPPED_COLUMNS, wrappedKeyOf, wrappedRow } from './wrapped-row.ts';

/** Which key version a patient's values are sealed under now. `alias` dies with this row. */
export const patientKeys = collection('patientKeys', {
  alias: 'text',
  current: 'integer',
  /** Values of a lower version are resealed by whoever writes the chart next. */
  minSeal: 'integer',
  /** `active`; `rotating` while older versions are still there; {@link ERASING}. */
  state: 'text',
  /** Digest of the sealed manifest that was written last; null before the first. A manifest put back is seen. */
  head: 'text?',
});

/** The state of a chart that is being erased: nothing reads or writes it any more but the erasure. */
export const ERASING = 'erasing';

/** A wrapped key of one version; id `{patient}_{version}`. Made once; a rewrap changes only what wraps it. */
export const patientKeyVersions = collection('patientKeyVersions', WRAPPED_COLUMNS);

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

/** A patient's next key, which is not stored yet: {@link SealedCharts.transact} makes it the one to seal under. */
export interface NextKey {
  readonly alias: PatientAlias;
  readonly version: number;
  readonly secret: KeyObject;
  readonly row: Row<typeof patientKeyVersions.columns>;
}

/** Versions that a retirement looks back over. A patient has one or two: older ones were retired before. */
const MAX_RETIRED = 8;

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
      patientKeyContext(of.tenant, row.alias, 1),
    );
    try {
      await tenant.transact(async (tx) => {
        const [erased] = await tx.get(tombstoneRef(of.patient));
        if (erased !== null) throw missing();
        tx.create(address, row);
        tx.create(keyVersionRef(of.patient, 1), wrappedRow(wrapped, this.#options.clock()));
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
      const [row] = await this.#options.store.tenant(of.tenant).get(keyVersionRef(of.patient, version));
      if (row === null) throw missing();
      return this.#options.keyring.unwrap(wrappedKeyOf(row), patientKeyContext(of.tenant, alias, version));
    });
    return { version, secret };
  }

  /** The key when it is unwrapped already, else null. Calls nobody, so a transaction may ask. */
  warm(of: PatientRef, alias: PatientAlias, version: number): DataKey | null {
    const secret = this.#options.cache.peek(cacheId(of, alias, version));
    return secret === null ? null : { version, secret };
  }

  /** The tenant's wrapping key: a KMS key ARN or a local key id. */
  wrappingKeyOf(tenant: TenantId): Promise<string> {
    return this.#options.tenantKeyId(tenant);
  }

  /**
   * Has KMS make the version after `current`. Its row is never older than `notBefore`, whatever this machine's clock says,
   * so that what made it due cannot be so again.
   *
   * @throws CryptoError as `Keyring.generate`.
   */
  async makeNext(
    of: PatientRef,
    { alias, current }: { readonly alias: PatientAlias; readonly current: number },
    { keyId, notBefore }: { readonly keyId: string; readonly notBefore: number },
  ): Promise<NextKey> {
    const version = current + 1;
    const context = patientKeyContext(of.tenant, alias, version);
    const { secret, wrapped } = await this.#options.keyring.generate(keyId, context);
    return { alias, version, secret, row: wrappedRow(wrapped, Math.max(this.#options.clock(), notBefore)) };
  }

  /** Keeps a key that was committed, as one that was loaded is kept. */
  async adopt(of: PatientRef, { alias, version, secret }: NextKey): Promise<void> {
    await this.#options.cache.get(cacheId(of, alias, version), async () => secret);
  }

  /**
   * Reads, in `tx`, what it takes to destroy the wrapped keys of these patients below their `minSeal`, of which nothing
   * is sealed any more: whoever calls has looked at every header since it was raised, and no write goes back below it.
   * Answers with how many keys it will be, and what destroys them. Whoever is gone, or has moved on, is left alone.
   */
  async stageRetirement(
    tx: Transaction,
    patients: readonly { readonly patient: PatientId; readonly minSeal: number }[],
  ): Promise<{ readonly retired: number; write(): void }> {
    const keys = await tx.get(...patients.map(({ patient }) => ref(patientKeys, patient)));
    const due = patients.flatMap(({ patient, minSeal }, at) => {
      const key = keys[at] ?? null;
      return key?.state === 'rotating' && key.minSeal === minSeal ? [{ patient, key }] : [];
    });
    const olds = due.flatMap(({ patient, key }) => {
      const oldest = Math.max(1, key.minSeal - MAX_RETIRED);
      return Array.from({ length: key.minSeal - oldest }, (_, at) => keyVersionRef(patient, oldest + at));
    });
    const rows = await tx.get(...olds);
    const gone = olds.filter((_, at) => rows[at] !== null);
    return {
      retired: gone.length,
      write: () => {
        for (const old of gone) tx.delete(old);
        for (const { patient, key } of due) tx.put(ref(patientKeys, patient), { ...key, state: 'active' });
      },
    };
  }

  /** Forgets a patient's keys, or with no patient the whole tenant's, in this process. */
  flush(tenant: TenantId, patient?: PatientId): void {
    this.#options.cache.flush(patient === undefined ? `${tenant}/` : `${tenant}/${patient}/`);
  }
}

/** With the alias, which is fresh with each first key: a key of an erased patient never serves a later one. */
const cacheId = (of: PatientRef, alias: string, version: number): string =>
  `${of.tenant}/${of.patient}/${alias}/${version}`;

/** What a patient's wrapped key is bound to. */
export const patientKeyContext = (tenant: TenantId, alias: string, version: number): EncryptionContext => ({
  app: 'chartseal',
  tenant,
  patient: alias,
  version: String(version),
});

/** Where the wrapped key of a version is. */
export const keyVersionRef = (patient: PatientId, version: number) =>
  ref(patientKeyVersions, `${patient}_${version}`);

/** Whose key a row of `patientKeyVersions` is, and which version. */
export function partsOfKeyVersion(id: string): { patient: PatientId; version: number } {
  const at = id.lastIndexOf('_');
  return { patient: id.slice(0, at) as PatientId, version: Number(id.slice(at + 1)) };
}

const missing = (): CryptoError =>
  new CryptoError(
    'KEY_MISSING',
    'The patient has no such key. The chart was erased, or the store lost a row.',
  );
