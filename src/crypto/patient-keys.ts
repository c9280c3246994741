import type { Clock } from '../kernel/clock.ts';
import { collection, type Ref, type Row, ref } from '../kernel/collection.ts';
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

/** What a change of a patient's key is told with, in its own transaction. */
export interface Renewal {
  /** Only a key made before this, ms since the epoch. */
  readonly before: number;
  readonly settle: (
    tx: Transaction,
    what: { readonly alias: PatientAlias; readonly version: number },
  ) => void;
  /** A row that `settle` creates. */
  readonly proof: Ref;
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

  /**
   * Makes the next version and moves the patient to it: in one transaction it is created, becomes the one to seal
   * under, and the least that a write may leave behind, so that no writer sees one without the others. `settle` adds
   * to the transaction what tells of it. Answers null, and does nothing, when there is no such patient, the current
   * version was made at `before` or later, or somebody else moved the patient meanwhile. KMS is called before the
   * transaction, and nothing is sealed before the commit is confirmed.
   *
   * @throws CryptoError as `Keyring.generate`, and what the store throws.
   */
  async renew(of: PatientRef, { before, settle, proof }: Renewal): Promise<number | null> {
    const { store, keyring, cache, clock, tenantKeyId } = this.#options;
    const tenant = store.tenant(of.tenant);
    const address = ref(patientKeys, of.patient);
    const [seen] = await tenant.get(address);
    if (seen === null || seen.state === ERASING) return null;
    const [current] = await tenant.get(keyVersionRef(of.patient, seen.current));
    if (current !== null && current.createdAt >= before) return null;
    const version = seen.current + 1;
    const alias = seen.alias as PatientAlias;
    const context = patientKeyContext(of.tenant, alias, version);
    const { secret, wrapped } = await keyring.generate(await tenantKeyId(of.tenant), context);
    const move = tenant.transact(
      async (tx) => {
        const [key] = await tx.get(address);
        if (key === null || key.state === ERASING || key.alias !== alias || key.current !== seen.current)
          return false;
        // Never older than what made it due, however the clocks of two machines differ.
        tx.create(keyVersionRef(of.patient, version), wrappedRow(wrapped, Math.max(clock(), before)));
        tx.put(address, { ...key, current: version, minSeal: version, state: 'rotating' });
        settle(tx, { alias, version });
        return true;
      },
      { proof },
    );
    const moved = await move.catch((error: unknown) => {
      if (error instanceof StoreError && error.code === 'ALREADY_EXISTS') return false;
      throw error;
    });
    if (!moved) return null;
    await cache.get(cacheId(of, alias, version), async () => secret);
    return version;
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
