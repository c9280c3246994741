import { hash } from 'node:crypto';
import { collection, type Row, ref } from '../kernel/collection.ts';
import type { PatientAlias } from '../kernel/ids.ts';
import type { Reader, Transaction } from '../kernel/store.ts';
import { type CollectionName, type Compartment, encodeContext, type SealContext, WHOLE } from './context.ts';
import { CryptoError } from './errors.ts';
import type { PatientRef, patientKeys } from './patient-keys.ts';
import { type DataKey, keyVersionOf, open, seal } from './sealed-value.ts';

/** Everything sealed that belongs to a patient, one row a value. Only the place is in clear. */
export const chartValues = collection('chartValues', {
  patient: 'text',
  collection: 'text',
  document: 'text',
  compartment: 'text',
  schema: 'integer',
  revision: 'integer',
  sealed: 'bytes',
});

/** One sealed manifest a patient, id = patient: the digest of every value of the chart at this revision. */
export const manifests = collection('manifests', { revision: 'integer', sealed: 'bytes' });

/** Which value of a chart: a compartment of a document of a collection. */
export interface ValueName {
  readonly collection: CollectionName;
  readonly document: string;
  readonly compartment: Compartment;
}

/** What a write changed, for the audit event that goes into the same transaction. Digests are of sealed bytes. */
export interface ChartChange {
  readonly revision: number;
  readonly digests: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly revision: number;
  readonly values: Record<string, string>;
}

const MANIFEST_SCHEMA = 1;

/**
 * A chart whose manifest was opened and checked. Values are fetched, checked against the manifest and opened by
 * name; sealed values are staged, and `save` puts them and the next manifest into the transaction.
 */
export class OpenChart {
  readonly alias: PatientAlias;
  readonly #of: PatientRef;
  readonly #reader: Reader;
  readonly #keyFor: (version: number) => DataKey | Promise<DataKey>;
  readonly #current: number;
  readonly #manifest: Manifest;
  readonly #staged = new Map<string, { name: ValueName; row: Row<typeof chartValues.columns> | null }>();

  private constructor(options: OpenChartOptions, manifest: Manifest) {
    this.#of = options.of;
    this.#reader = options.reader;
    this.#keyFor = options.keyFor;
    this.#current = options.key.current;
    this.alias = options.key.alias as PatientAlias;
    this.#manifest = manifest;
  }

  /** @throws CryptoError `ROLLBACK` when the manifest row is missing for a patient who has a key. */
  static async from(options: OpenChartOptions): Promise<OpenChart> {
    return new OpenChart(options, await openManifest(options));
  }

  /** The chart's revision: 0 for an empty chart, one more after each write. */
  get revision(): number {
    return this.#manifest.revision;
  }

  /** True when the chart holds this value. */
  has(name: ValueName): boolean {
    return valueId(this.#of, name) in this.#manifest.values;
  }

  /** The documents of a collection in this chart, in order of their names. */
  documents(of: CollectionName): string[] {
    const prefix = `${this.#of.patient}-${of}-`;
    const ids = Object.keys(this.#manifest.values).filter((id) => id.startsWith(prefix));
    return [...new Set(ids.map((id) => id.slice(prefix.length, id.lastIndexOf('-'))))].sort();
  }

  /**
   * Opens values, in the order of `names`; null where the chart has none. `rows` may pass rows already read.
   *
   * @throws CryptoError `ROLLBACK` when a stored value is not the one the manifest names, and what `open` throws.
   */
  async read(
    names: readonly ValueName[],
    rows?: readonly (Row<typeof chartValues.columns> | null)[],
  ): Promise<(Buffer | null)[]> {
    const found = rows ?? (await this.#reader.get(...names.map((name) => valueRef(this.#of, name))));
    return Promise.all(names.map((name, index) => this.#openValue(name, found[index] ?? null)));
  }

  /** Stages a value of the next revision. `schema` is the version of the plaintext's shape. */
  async seal(name: ValueName, plaintext: Uint8Array, schema: number): Promise<void> {
    const place = { schema, revision: this.revision + 1 };
    const key = await this.#keyFor(this.#current);
    const sealed = seal(plaintext, key, encodeContext(contextOf(this.#of, name, place)));
    const row = { patient: this.#of.patient, ...name, ...place, sealed };
    this.#staged.set(valueId(this.#of, name), { name, row });
  }

  /** Stages the removal of a value. */
  remove(name: ValueName): void {
    this.#staged.set(valueId(this.#of, name), { name, row: null });
  }

  /**
   * Seals a short-lived value that stands beside the chart (the answer kept for a retry): bound to its place like
   * any other, but not named in the manifest.
   */
  async sealAside(name: ValueName, plaintext: Uint8Array, schema: number): Promise<Buffer> {
    const context = contextOf(this.#of, name, { schema, revision: 0 });
    return seal(plaintext, await this.#keyFor(this.#current), encodeContext(context));
  }

  /** Opens what `sealAside` sealed. */
  async openAside(name: ValueName, sealed: Uint8Array, schema: number): Promise<Buffer> {
    const context = contextOf(this.#of, name, { schema, revision: 0 });
    return open(sealed, await this.#keyFor(keyVersionOf(sealed)), encodeContext(context));
  }

  /** Puts what was staged and the next manifest into `tx`, and says what the audit event must name. */
  async save(tx: Transaction): Promise<ChartChange> {
    const next: Manifest = { revision: this.revision + 1, values: { ...this.#manifest.values } };
    const digests: Record<string, string> = {};
    for (const [id, { name, row }] of this.#staged) {
      if (row === null) {
        tx.delete(valueRef(this.#of, name));
        delete next.values[id];
        digests[id] = 'removed';
      } else {
        tx.put(valueRef(this.#of, name), row);
        next.values[id] = digestOf(row.sealed);
        digests[id] = digestOf(row.sealed);
      }
    }
    const context = encodeContext(manifestContext(this.#of, next.revision));
    const sealed = seal(Buffer.from(JSON.stringify(next)), await this.#keyFor(this.#current), context);
    tx.put(ref(manifests, this.#of.patient), { revision: next.revision, sealed });
    return { revision: next.revision, digests: { ...digests, manifest: digestOf(sealed) } };
  }

  async #openValue(name: ValueName, row: Row<typeof chartValues.columns> | null): Promise<Buffer | null> {
    const expected = this.#manifest.values[valueId(this.#of, name)];
    if (expected === undefined && row === null) return null;
    if (row === null || expected === undefined || digestOf(row.sealed) !== expected) throw rolledBack();
    const context = contextOf(this.#of, name, { schema: row.schema, revision: row.revision });
    return open(row.sealed, await this.#keyFor(keyVersionOf(row.sealed)), encodeContext(context));
  }
}

/** What an {@link OpenChart} is opened from. */
export interface OpenChartOptions {
  readonly of: PatientRef;
  readonly reader: Reader;
  readonly key: Row<typeof patientKeys.columns>;
  readonly manifest: Row<typeof manifests.columns> | null;
  /** The patient's key of a version. Inside a transaction it must not call KMS. */
  readonly keyFor: (version: number) => DataKey | Promise<DataKey>;
}

/** Where a value's row is. */
export const valueRef = (of: PatientRef, name: ValueName) => ref(chartValues, valueId(of, name));

async function openManifest(options: OpenChartOptions): Promise<Manifest> {
  if (options.manifest === null) return { revision: 0, values: {} };
  const { revision, sealed } = options.manifest;
  const key = await options.keyFor(keyVersionOf(sealed));
  const manifest = JSON.parse(
    open(sealed, key, encodeContext(manifestContext(options.of, revision))).toString('utf8'),
  );
  return manifest as Manifest;
}

function contextOf(of: PatientRef, name: ValueName, at: { schema: number; revision: number }): SealContext {
  return { tenant: of.tenant, patient: of.patient, ...pick(name), ...at, ...WHOLE };
}

function manifestContext(of: PatientRef, revision: number): SealContext {
  const name = { collection: 'manifests', document: of.patient, compartment: 'manifest' } as const;
  return contextOf(of, name, { schema: MANIFEST_SCHEMA, revision });
}

const pick = ({ collection: of, document, compartment }: ValueName): ValueName => ({
  collection: of,
  document,
  compartment,
});
const valueId = (of: PatientRef, name: ValueName): string =>
  `${of.patient}-${name.collection}-${name.document}-${name.compartment}`;
const digestOf = (sealed: Uint8Array): string => hash('sha256', sealed, 'base64url');

const rolledBack = (): CryptoError =>
  new CryptoError(
    'ROLLBACK',
    'A stored value is not the one its chart names. Compare the store with the audit log.',
  );
