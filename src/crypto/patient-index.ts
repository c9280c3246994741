import { collection, type Ref, type Row, ref } from '../kernel/collection.ts';
import type { PatientId, TenantId } from '../kernel/ids.ts';
import type { Reader, Store, TenantStore, Transaction } from '../kernel/store.ts';
import { deriveIndexKey } from './blind-index.ts';
import { CryptoError } from './errors.ts';
import { encodeParts } from './field-context.ts';
import { decodeValue, encodeValue } from './field-values.ts';
import { type ActiveIndexKeys, INDEX_STATE, type IndexKeys, StaleIndex } from './index-keys.ts';
import { type DataKey, keyVersionOf, open, seal } from './sealed-value.ts';
import {
  bucketFor,
  bucketsOf,
  type Identifiers,
  type IndexKey,
  matcher,
  type PatientFacts,
  requireTwoIdentifiers,
} from './search-facts.ts';

/** A patient is listed in a bucket; id `{bucket}-{patient}`, so that many may share one. */
export const indexEntries = collection(
  'indexEntries',
  { bucket: 'text', patient: 'text' },
  { indexed: ['bucket', 'patient'] },
);

/**
 * What a candidate is confirmed by before any patient key is opened, id = patient: the facts, sealed under the
 * tenant's search key; and the buckets of this patient, so that they can be taken away again.
 */
export const indexRecords = collection('indexRecords', {
  version: 'integer',
  buckets: 'json',
  sealed: 'bytes',
});

const PAGE = 500;
const CONFIRMED_AT_ONCE = 400;
const MAX_FINDS = 3;
/** Over so many patients in one bucket a search is refused. */
export const MAX_CANDIDATES = 2_000;
const DOMAIN = 'chartseal/index-record/1';

/** What {@link PatientIndex} stands on. */
export interface PatientIndexOptions {
  readonly store: Store;
  readonly keys: IndexKeys;
  /** The country calling code of phone numbers that are written without one; `1` by default. */
  readonly callingCode?: string;
}

/** Finds patients by what they are called and reached at, without storing any of it in clear. */
export class PatientIndex {
  readonly #options: PatientIndexOptions;

  constructor(options: PatientIndexOptions) {
    this.#options = options;
  }

  /** The tenant's index with its keys unwrapped, for use in one request: KMS is never called in a transaction. */
  async open(tenant: TenantId): Promise<TenantIndex> {
    const { store, keys, callingCode = '1' } = this.#options;
    return new TenantIndex({
      tenant,
      callingCode,
      store: store.tenant(tenant),
      active: await keys.load(tenant),
    });
  }

  /** As {@link TenantIndex.find}. */
  async find(tenant: TenantId, twoIdentifiers: Identifiers): Promise<PatientId[]> {
    requireTwoIdentifiers(twoIdentifiers);
    for (let turn = 1; ; turn += 1) {
      try {
        return await (await this.open(tenant)).find(twoIdentifiers);
      } catch (error) {
        if (!(error instanceof StaleIndex) || turn === MAX_FINDS) throw error;
      }
    }
  }
}

interface TenantIndexOptions {
  readonly tenant: TenantId;
  readonly callingCode: string;
  readonly store: TenantStore;
  readonly active: ActiveIndexKeys;
}

/** One tenant's index, ready for transactions. */
export class TenantIndex {
  readonly #tenant: TenantId;
  readonly #callingCode: string;
  readonly #store: TenantStore;
  readonly #keys: readonly IndexKey[];

  constructor(options: TenantIndexOptions) {
    this.#tenant = options.tenant;
    this.#callingCode = options.callingCode;
    this.#store = options.store;
    this.#keys = options.active.keys;
  }

  /**
   * Lists the patient under these facts and no others. Reads two rows before it writes, so call it after your own
   * reads and before your first write, or use {@link stage}.
   *
   * @throws InputError `INPUT` for a fact that has nothing to search by.
   * @throws CryptoError `KEY_MISSING` when the index moved to a new version since it was opened: open it again.
   */
  async put(tx: Transaction, patient: PatientId, facts: PatientFacts): Promise<void> {
    (await this.stage(tx, patient, facts)).write(tx);
  }

  /** Takes the patient out of the index; no error when the patient is not in it. Order as for {@link put}. */
  async remove(tx: Transaction, patient: PatientId): Promise<void> {
    (await this.stage(tx, patient, null)).write(tx);
  }

  /** Does the reads of a {@link put} (or, without facts, a {@link remove}); `write` does the writes. */
  async stage(
    reader: Reader,
    patient: PatientId,
    facts: PatientFacts | null,
  ): Promise<{ write(tx: Transaction): void }> {
    const at = ref(indexRecords, patient);
    const [state, before] = await reader.get(INDEX_STATE, at);
    const key = this.#keys.find(({ version }) => version === state?.write);
    if (key === undefined) throw new StaleIndex();
    const buckets = facts === null ? [] : [...new Set(bucketsOf(facts, key, this.#callingCode))];
    const record = facts === null ? null : this.#seal(patient, facts, { key, buckets });
    const gone = bucketNames(before).filter((bucket) => !buckets.includes(bucket));
    return {
      write: (tx) => {
        for (const bucket of gone) tx.delete(entryRef(bucket, patient));
        for (const bucket of buckets) tx.put(entryRef(bucket, patient), { bucket, patient });
        if (record === null) tx.delete(at);
        else tx.put(at, record);
      },
    };
  }

  /**
   * The patients of whom everything asked is true, in ascending order; none is an empty list. Only verifiers are
   * opened, no chart.
   *
   * @throws InputError `INPUT` for fewer than two kinds of identifier, or one that has nothing to search by.
   * @throws CryptoError `TOO_LARGE` when over {@link MAX_CANDIDATES} patients share the bucket.
   */
  async find(twoIdentifiers: Identifiers): Promise<PatientId[]> {
    requireTwoIdentifiers(twoIdentifiers);
    const matches = matcher(twoIdentifiers, this.#callingCode);
    const listed = new Set<PatientId>();
    // The old version first: a patient who moves between the two looks is seen in the second.
    for (const key of this.#keys)
      for (const patient of await this.#listed(bucketFor(twoIdentifiers, key, this.#callingCode)))
        listed.add(patient);
    const candidates = [...listed].sort();
    const found: PatientId[] = [];
    for (let at = 0; at === 0 || at < candidates.length; at += CONFIRMED_AT_ONCE)
      found.push(...(await this.#confirm(candidates.slice(at, at + CONFIRMED_AT_ONCE), matches)));
    return found;
  }

  /** The facts that a record was sealed with, null when there is none. @throws CryptoError as `open`. */
  async facts(reader: Reader, patient: PatientId): Promise<PatientFacts | null> {
    const [record] = await reader.get(ref(indexRecords, patient));
    return this.#open(patient, record);
  }

  async #confirm(
    candidates: readonly PatientId[],
    matches: (facts: PatientFacts) => boolean,
  ): Promise<PatientId[]> {
    const refs = candidates.map((patient) => ref(indexRecords, patient));
    const [state, ...records] = await this.#store.get(INDEX_STATE, ...refs);
    // Read after the buckets: had the index moved on before, a patient could be in a bucket not looked at.
    if (!this.#keys.some(({ version }) => version === state?.write)) throw new StaleIndex();
    return candidates.filter((patient, index) => {
      const facts = this.#open(patient, records[index] ?? null);
      return facts !== null && matches(facts);
    });
  }

  async #listed(bucket: string): Promise<PatientId[]> {
    const patients: PatientId[] = [];
    let after: string | undefined;
    do {
      const page = await this.#store.list(indexEntries, {
        equals: { bucket },
        limit: PAGE,
        ...(after !== undefined && { after }),
      });
      patients.push(...page.map(({ row }) => row.patient as PatientId));
      if (patients.length > MAX_CANDIDATES)
        throw new CryptoError(
          'TOO_LARGE',
          'Too many patients share this name. Search by a record number or phone.',
        );
      after = page.length === PAGE ? page.at(-1)?.id : undefined;
    } while (after !== undefined);
    return patients;
  }

  #seal(patient: PatientId, facts: PatientFacts, under: { key: IndexKey; buckets: string[] }): IndexRecord {
    const { key, buckets } = under;
    const plaintext = encodeValue({ ...facts, names: facts.names.map((name) => ({ ...name })) });
    const sealed = seal(plaintext, searchKey(key), this.#context(patient, key.version));
    plaintext.fill(0);
    return { version: key.version, buckets, sealed };
  }

  #open(patient: PatientId, record: IndexRecord | null): PatientFacts | null {
    if (record === null) return null;
    const version = keyVersionOf(record.sealed);
    const key = this.#keys.find((one) => one.version === version);
    if (key === undefined) throw new StaleIndex();
    const plaintext = open(record.sealed, searchKey(key), this.#context(patient, version));
    return decodeValue(plaintext) as unknown as PatientFacts;
  }

  #context(patient: PatientId, version: number): Buffer {
    return encodeParts([DOMAIN, this.#tenant, patient, String(version)].map((text) => Buffer.from(text)));
  }
}

type IndexRecord = Row<typeof indexRecords.columns>;

const searchKey = ({ version, secret }: IndexKey): DataKey => ({
  version,
  secret: deriveIndexKey(secret, 'search'),
});

const entryRef = (bucket: string, patient: string): Ref<typeof indexEntries.columns> =>
  ref(indexEntries, `${bucket}-${patient}`);

function bucketNames(record: IndexRecord | null): string[] {
  const buckets = record?.buckets;
  return Array.isArray(buckets) ? buckets.filter((name) => typeof name === 'string') : [];
}
