import { ref } from '../kernel/collection.ts';
import type { PatientAlias } from '../kernel/ids.ts';
import type { Reader, Transaction } from '../kernel/store.ts';
import {
  digestOf,
  MAX_WRITE,
  openValue,
  rolledBack,
  sealValue,
  tooLarge,
  type ValueEntry,
  type ValueName,
  type ValueRow,
  valueId,
  valueRef,
  wholeContext,
} from './chart-values.ts';
import { type CollectionName, type Compartment, encodeContext, WHOLE } from './context.ts';
import { type Manifest, manifests, openManifest, type StoredChart, sealManifest } from './manifest.ts';
import { type PatientRef, patientKeys } from './patient-keys.ts';
import { keyVersionOf, open, seal } from './sealed-value.ts';

export { chartValues, type ValueName, valueRef } from './chart-values.ts';
export { manifests } from './manifest.ts';

/** What a write changed, for the audit event that goes into the same transaction. Digests are of sealed bytes. */
export interface ChartChange {
  readonly revision: number;
  readonly digests: Readonly<Record<string, string>>;
}

/** What an {@link OpenChart} is opened from. */
export interface OpenChartOptions extends StoredChart {
  readonly reader: Reader;
}

/** Where a value beside the chart lies: the version of its plaintext's shape, and which chunk it is, if it is one. */
export interface AsidePlace {
  readonly schema: number;
  readonly chunk?: { readonly chunkSet: string; readonly chunkIndex: number; readonly chunkCount: number };
}

const asideContext = (of: PatientRef, name: ValueName, { schema, chunk = WHOLE }: AsidePlace): Buffer =>
  encodeContext({ ...wholeContext(of, name, { schema, revision: 0 }), ...chunk });

interface Staged {
  readonly name: ValueName;
  /** Null: the value is to be removed. */
  readonly sealed: { readonly rows: readonly ValueRow[]; readonly entry: ValueEntry } | null;
  readonly bytes: number;
}

interface Read {
  readonly name: ValueName;
  readonly entry: ValueEntry;
  readonly rows: readonly (ValueRow | null)[];
}

/** Rows that are read together when a chart is sealed anew. */
const MAX_SOME = 16;

/**
 * A chart whose manifest was opened and checked. Values are fetched, checked against the manifest and opened by
 * name; sealed values are staged, and `save` puts them and the next manifest into the transaction.
 */
export class OpenChart {
  readonly alias: PatientAlias;
  readonly #from: OpenChartOptions;
  readonly #manifest: Manifest;
  readonly #staged = new Map<string, Staged>();
  /** Values that were read here and are sealed under a key version that the next write must leave behind. */
  readonly #stale = new Map<string, Read>();

  private constructor(options: OpenChartOptions, manifest: Manifest) {
    this.#from = options;
    this.alias = options.key.alias as PatientAlias;
    this.#manifest = manifest;
  }

  /** @throws CryptoError `ROLLBACK` when the manifest is not the one that was written last. */
  static async from(options: OpenChartOptions): Promise<OpenChart> {
    return new OpenChart(options, await openManifest(options));
  }

  /** The chart's revision: 0 for an empty chart, one more after each write. */
  get revision(): number {
    return this.#manifest.revision;
  }

  /** The key version that is sealed under now. */
  get version(): number {
    return this.#from.key.current;
  }

  /** True when the manifest, or a value that was read here, is sealed under a version that the next write leaves behind. */
  get isStale(): boolean {
    const { key, manifest } = this.#from;
    return this.#stale.size > 0 || (manifest !== null && keyVersionOf(manifest.sealed) < key.minSeal);
  }

  /** True when this, sealed beside the chart, is under a version that must be left behind. */
  isStaleAside(sealed: Uint8Array): boolean {
    return keyVersionOf(sealed) < this.#from.key.minSeal;
  }

  /** True when the chart holds this value. */
  has(name: ValueName): boolean {
    return this.#manifest.values.has(this.#id(name));
  }

  /** Every value of the chart, so that an export leaves none out. */
  names(): ValueName[] {
    const start = `${this.#from.of.patient}-`.length;
    return [...this.#manifest.values.keys()].map((id) => {
      const rest = id.slice(start);
      // A document's name may hold dashes; the names beside it are registered, and hold none.
      const [first, last] = [rest.indexOf('-'), rest.lastIndexOf('-')];
      return {
        collection: rest.slice(0, first) as CollectionName,
        document: rest.slice(first + 1, last),
        compartment: rest.slice(last + 1) as Compartment,
      };
    });
  }

  /** The documents of a collection in this chart, in order of their names. */
  documents(of: CollectionName): string[] {
    const prefix = `${this.#from.of.patient}-${of}-`;
    const ids = [...this.#manifest.values.keys()].filter((id) => id.startsWith(prefix));
    return [...new Set(ids.map((id) => id.slice(prefix.length, id.lastIndexOf('-'))))].sort();
  }

  /**
   * Opens values, in the order of `names`; null where the chart has none. `rows` may pass their first rows when
   * they were read already; further chunks are fetched together.
   *
   * @throws CryptoError `ROLLBACK` when a stored value is not the one the manifest names, and what `open` throws.
   */
  async read(names: readonly ValueName[], rows?: readonly (ValueRow | null)[]): Promise<(Buffer | null)[]> {
    const { of, reader } = this.#from;
    const firsts = rows ?? (await reader.get(...names.map((name) => valueRef(of, name))));
    const further = names.flatMap((name) =>
      Array.from({ length: this.#chunksOf(name) - 1 }, (_, chunk) => valueRef(of, name, chunk + 1)),
    );
    const rest = further.length === 0 ? [] : await reader.get(...further);
    let at = 0;
    return Promise.all(
      names.map((name, index) => {
        const chunks = rest.slice(at, at + Math.max(0, this.#chunksOf(name) - 1));
        at += chunks.length;
        return this.#open(name, [firsts[index] ?? null, ...chunks]);
      }),
    );
  }

  /**
   * Opens values of one row each until they come to `most` bytes, so that they are sealed anew with the next write.
   * Answers whether that were all that the chart holds.
   */
  async readSome(most: number): Promise<boolean> {
    const { of, reader } = this.#from;
    const names = this.names();
    const single = names.filter((name) => this.#chunksOf(name) === 1).slice(0, MAX_SOME);
    const rows = await reader.get(...single.map((name) => valueRef(of, name)));
    let end = 0;
    for (let bytes = 0; end < rows.length; end += 1) {
      bytes += rows[end]?.sealed.length ?? 0;
      if (bytes > most) break;
    }
    await this.read(single.slice(0, end), rows.slice(0, end));
    return end === names.length;
  }

  /**
   * Stages a value of the next revision. `schema` is the version of the plaintext's shape.
   *
   * @throws CryptoError `TOO_LARGE` when what is staged would pass 8 MiB.
   */
  async seal(name: ValueName, plaintext: Uint8Array, schema: number): Promise<void> {
    const others = this.#stagedBytes() - (this.#staged.get(this.#id(name))?.bytes ?? 0);
    if (others + plaintext.length > MAX_WRITE) throw tooLarge();
    const { of, key, keyFor } = this.#from;
    const revision = this.revision + 1;
    const sealed = sealValue({ of, name, plaintext, schema, revision, key: await keyFor(key.current) });
    this.#staged.set(this.#id(name), { name, sealed, bytes: plaintext.length });
  }

  /** Stages the removal of a value. */
  remove(name: ValueName): void {
    this.#staged.set(this.#id(name), { name, sealed: null, bytes: 0 });
  }

  /**
   * Seals a short-lived value, or a chunk of one, that stands beside the chart (the answer kept for a retry, a finished
   * export): bound to its place like any other, but not named in the manifest.
   */
  async sealAside(name: ValueName, plaintext: Uint8Array, at: AsidePlace): Promise<Buffer> {
    const { of, key, keyFor } = this.#from;
    return seal(plaintext, await keyFor(key.current), asideContext(of, name, at));
  }

  /** Opens what `sealAside` sealed. */
  async openAside(name: ValueName, sealed: Uint8Array, at: AsidePlace): Promise<Buffer> {
    const { of, keyFor } = this.#from;
    return open(sealed, await keyFor(keyVersionOf(sealed)), asideContext(of, name, at));
  }

  /**
   * Puts what was staged, the next manifest and its digest into `tx`, and says what the audit event must name.
   * Values that were read here under a key version below `minSeal` are resealed with them.
   */
  async save(tx: Transaction): Promise<ChartChange> {
    const { of, key, keyFor } = this.#from;
    await this.#resealStale();
    const values = new Map(this.#manifest.values);
    const digests: Record<string, string> = {};
    for (const [id, staged] of this.#staged) {
      this.#put(tx, staged);
      if (staged.sealed === null) values.delete(id);
      else values.set(id, staged.sealed.entry);
      digests[id] = staged.sealed?.entry.digest ?? 'removed';
    }
    const next = { revision: this.revision + 1, values };
    const row = sealManifest(of, next, await keyFor(key.current));
    const head = digestOf(row.sealed);
    tx.put(ref(manifests, of.patient), row);
    tx.put(ref(patientKeys, of.patient), { ...key, head });
    return { revision: next.revision, digests: { ...digests, manifest: head } };
  }

  /** Puts a value's rows, and deletes the chunks by which it was longer before. */
  #put(tx: Transaction, { name, sealed }: Staged): void {
    const { of } = this.#from;
    const rows = sealed?.rows ?? [];
    for (const [chunk, row] of rows.entries()) tx.put(valueRef(of, name, chunk), row);
    const before = Math.max(1, this.#chunksOf(name));
    for (let chunk = rows.length; chunk < before; chunk += 1) tx.delete(valueRef(of, name, chunk));
  }

  /** As many as one transaction holds; the sweep that drains a key version takes the rest. */
  async #resealStale(): Promise<void> {
    const { of, keyFor } = this.#from;
    for (const [id, { name, entry, rows }] of this.#stale) {
      if (this.#staged.has(id)) continue;
      const plaintext = await openValue(rows, { of, name, entry, keyFor });
      if (this.#stagedBytes() + plaintext.length > MAX_WRITE) continue;
      await this.seal(name, plaintext, rows[0]?.schema ?? 0);
      plaintext.fill(0);
    }
  }

  async #open(name: ValueName, rows: readonly (ValueRow | null)[]): Promise<Buffer | null> {
    const { of, key, keyFor } = this.#from;
    const [first] = rows;
    const entry = this.#manifest.values.get(this.#id(name));
    if (entry === undefined && first === null) return null;
    if (!entry || !first) throw rolledBack();
    const plaintext = await openValue(rows, { of, name, entry, keyFor });
    if (keyVersionOf(first.sealed) < key.minSeal) this.#stale.set(this.#id(name), { name, entry, rows });
    return plaintext;
  }

  #id(name: ValueName): string {
    return valueId(this.#from.of, name);
  }

  #chunksOf(name: ValueName): number {
    return this.#manifest.values.get(this.#id(name))?.chunkCount ?? 0;
  }

  #stagedBytes(): number {
    return [...this.#staged.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }
}
