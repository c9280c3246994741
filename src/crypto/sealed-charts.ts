import type { Ref, Row } from '../kernel/collection.ts';
import { ref } from '../kernel/collection.ts';
import type { PatientAlias } from '../kernel/ids.ts';
import type { Store, Transaction } from '../kernel/store.ts';
import { CryptoError } from './errors.ts';
import { manifests, OpenChart, type ValueName, valueRef } from './open-chart.ts';
import { type PatientKeys, type PatientRef, patientKeys } from './patient-keys.ts';
import type { DataKey } from './sealed-value.ts';

/** An opened chart and the values that were asked for, in their order. */
export interface ReadChart {
  readonly chart: OpenChart;
  readonly values: readonly (Buffer | null)[];
}

/** A chart under rotation has values of two or three versions, and each that is cold costs one more run. */
const MAX_KEY_LOADS = 8;

/** Thrown inside a transaction that needs a key which is not unwrapped yet: KMS is only called between them. */
class KeyNotLoaded extends Error {
  readonly alias: PatientAlias;
  readonly version: number;
  constructor(alias: PatientAlias, version: number) {
    super('key not loaded');
    this.alias = alias;
    this.version = version;
  }
}

/**
 * The one layer in which charts are sealed and opened. The domain above names values and handles plaintext; the
 * store below sees rows. Nobody else calls `seal` or `open` on a chart.
 */
export class SealedCharts {
  readonly #store: Store;
  readonly #keys: PatientKeys;

  constructor(options: { store: Store; keys: PatientKeys }) {
    this.#store = options.store;
    this.#keys = options.keys;
  }

  /**
   * Opens the named values: one store round trip when the key is warm. Null when there is no such patient.
   *
   * @throws CryptoError `ROLLBACK` when the stored values are not those of one revision of the chart.
   */
  async read(of: PatientRef, names: readonly ValueName[]): Promise<ReadChart | null> {
    const reader = this.#store.tenant(of.tenant);
    try {
      return await this.#readOnce(of, names, reader);
    } catch (error) {
      // A write between two of the rows read looks like a rollback: only a second look inside one snapshot tells.
      if (!(error instanceof CryptoError && error.code === 'ROLLBACK')) throw error;
      return this.transact(of, async (chart) => ({ chart, values: await chart.read(names) }));
    }
  }

  async #readOnce(
    of: PatientRef,
    names: readonly ValueName[],
    reader: ReturnType<Store['tenant']>,
  ): Promise<ReadChart | null> {
    const refs: Ref[] = [
      ref(patientKeys, of.patient),
      ref(manifests, of.patient),
      ...names.map((name) => valueRef(of, name)),
    ];
    const [key, manifest, ...rows] = (await reader.get(...refs)) as [
      Row<typeof patientKeys.columns> | null,
      Row<typeof manifests.columns> | null,
      ...never[],
    ];
    if (key === null) return null;
    const keyFor = once((version) => this.#keys.load(of, key.alias as PatientAlias, version));
    const chart = await OpenChart.from({ of, reader, key, manifest, keyFor });
    return { chart, values: await chart.read(names, rows) };
  }

  /**
   * Runs `work` in one store transaction on the opened chart: with a warm key nothing else. `work` may run several times and must have no
   * effect but through `tx` and `chart`; keys it needs are unwrapped between the runs, never inside one.
   *
   * @throws CryptoError `KEY_MISSING` when there is no such patient, and what the store throws.
   */
  async transact<T>(
    of: PatientRef,
    work: (chart: OpenChart, tx: Transaction) => Promise<T>,
    options: { proof?: Ref } = {},
  ): Promise<T> {
    const loaded = new Map<string, DataKey>();
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#store.tenant(of.tenant).transact(async (tx) => {
          const [key, manifest] = await tx.get(ref(patientKeys, of.patient), ref(manifests, of.patient));
          if (key === null) throw new CryptoError('KEY_MISSING', 'There is no such chart.');
          const keyFor = (version: number) => this.#unwrapped(of, key.alias as PatientAlias, version, loaded);
          const chart = await OpenChart.from({ of, reader: tx, key, manifest, keyFor });
          return work(chart, tx);
        }, options);
      } catch (error) {
        if (!(error instanceof KeyNotLoaded)) throw error;
        if (attempt >= MAX_KEY_LOADS) throw tooManyKeys();
        const { alias, version } = error;
        loaded.set(`${alias}/${version}`, await this.#keys.load(of, alias, version));
      }
    }
  }

  /** Throws {@link KeyNotLoaded} rather than wait: a transaction never calls KMS. */
  #unwrapped(of: PatientRef, alias: PatientAlias, version: number, loaded: Map<string, DataKey>): DataKey {
    const id = `${alias}/${version}`;
    const key = loaded.get(id) ?? this.#keys.warm(of, alias, version);
    if (key === null) throw new KeyNotLoaded(alias, version);
    loaded.set(id, key);
    return key;
  }
}

/** One load for each version, however many values it opens: in `per-access` mode a chart is one KMS call too. */
function once(load: (version: number) => Promise<DataKey>): (version: number) => Promise<DataKey> {
  const loads = new Map<number, Promise<DataKey>>();
  return (version) => {
    const key = loads.get(version) ?? load(version);
    loads.set(version, key);
    return key;
  };
}

const tooManyKeys = (): CryptoError =>
  new CryptoError(
    'KMS_UNAVAILABLE',
    'The chart changed its keys too often while it was written. Try again in a moment.',
  );
