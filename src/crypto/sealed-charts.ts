import { type Ref, type Row, ref } from '../kernel/collection.ts';
import type { PatientAlias } from '../kernel/ids.ts';
import type { Store, TenantStore, Transaction } from '../kernel/store.ts';
import { CryptoError } from './errors.ts';
import { manifests, OpenChart, type ValueName, valueRef } from './open-chart.ts';
import {
  ERASING,
  keyVersionRef,
  type NextKey,
  type PatientKeys,
  type PatientRef,
  patientKeys,
} from './patient-keys.ts';
import type { DataKey } from './sealed-value.ts';

/** An opened chart and the values that were asked for, in their order. */
export interface ReadChart {
  readonly chart: OpenChart;
  readonly values: readonly (Buffer | null)[];
}

/** Runs of a transaction that found keys missing: the manifest's, those of the values, and some for a rotation. */
const MAX_KEY_RUNS = 8;
/** How often a key may be missing because it was retired meanwhile. */
const MAX_RETIRED_RUNS = 3;

/** Ends a transaction that needs keys which are not unwrapped yet: KMS is only called between its runs. */
class KeysNotLoaded extends Error {}

/** The unwrapped keys of one chart, for the runs of one transaction. */
class TransactionKeys {
  readonly #of: PatientRef;
  readonly #keys: PatientKeys;
  readonly #loaded = new Map<string, DataKey>();
  readonly #missing = new Map<string, { alias: PatientAlias; version: number }>();

  constructor(of: PatientRef, keys: PatientKeys) {
    this.#of = of;
    this.#keys = keys;
  }

  /** Throws rather than wait. */
  get(alias: PatientAlias, version: number): DataKey {
    const id = `${alias}/${version}`;
    const key = this.#loaded.get(id) ?? this.#keys.warm(this.#of, alias, version);
    if (key === null) {
      this.#missing.set(id, { alias, version });
      throw new KeysNotLoaded('Keys are loaded between the runs of a transaction.');
    }
    this.#loaded.set(id, key);
    return key;
  }

  async loadMissing(): Promise<void> {
    const loads = [...this.#missing].map(async ([id, { alias, version }]) => {
      this.#loaded.set(id, await this.#keys.load(this.#of, alias, version));
    });
    this.#missing.clear();
    await Promise.all(loads);
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
   * Opens the named values: one store round trip when the key is warm, two when `names` are chosen from what the
   * chart holds. Null when there is no such patient.
   *
   * @throws CryptoError `ROLLBACK` when the stored values are not those of one revision of the chart.
   */
  async read(
    of: PatientRef,
    names: readonly ValueName[] | ((chart: OpenChart) => readonly ValueName[]),
  ): Promise<ReadChart | null> {
    const reader = this.#store.tenant(of.tenant);
    try {
      if (typeof names !== 'function') return await this.#readOnce(of, names, { reader });
      const opened = await this.#readOnce(of, [], { reader });
      return opened && { ...opened, values: await opened.chart.read(names(opened.chart)) };
    } catch (error) {
      // A write between two of the rows read looks like a rollback, and a key may have been retired since: only a
      // second look inside one snapshot tells.
      if (!isOvertaken(error)) throw error;
      return this.transact(of, async (chart) => ({
        chart,
        values: await chart.read(typeof names === 'function' ? names(chart) : names),
      }));
    }
  }

  /**
   * Opens a chart that is being erased, for the last time: so that the times that it takes can be freed. Nobody writes it
   * any more. Null when its keys are gone.
   */
  readErasing(of: PatientRef): Promise<ReadChart | null> {
    return this.#readOnce(of, [], { reader: this.#store.tenant(of.tenant), erasing: true });
  }

  async #readOnce(
    of: PatientRef,
    names: readonly ValueName[],
    { reader, erasing = false }: { reader: TenantStore; erasing?: boolean },
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
    if (key === null || (key.state === ERASING && !erasing)) return null;
    const keyFor = once((version) => this.#keys.load(of, key.alias as PatientAlias, version));
    const chart = await OpenChart.from({ of, reader, key, manifest, keyFor });
    return { chart, values: await chart.read(names, rows) };
  }

  /**
   * Runs `work` in one store transaction on the opened chart: with a warm key nothing else. `work` may run several
   * times and must have no effect but through `tx` and `chart`; keys it needs are unwrapped between the runs, never
   * inside one.
   *
   * With `next` the chart moves to that key in the same transaction: it is created, becomes the one to seal under, and
   * the least that a write may leave behind, so that no writer sees one without the others. `work` must `save` a chart
   * that holds anything. When somebody else moved it meanwhile, `chart.version` is another, and `next` is dropped.
   *
   * @throws CryptoError `KEY_MISSING` when there is no such patient, and what the store throws.
   */
  async transact<T>(
    of: PatientRef,
    work: (chart: OpenChart, tx: Transaction) => Promise<T>,
    options: { proof?: Ref; next?: NextKey } = {},
  ): Promise<T> {
    const { next, ...more } = options;
    const keys = new TransactionKeys(of, this.#keys);
    for (let run = 1; ; run += 1) {
      try {
        const done = await this.#store
          .tenant(of.tenant)
          .transact((tx) => this.#attempt(of, tx, { keys, work, next }), more);
        if (done.isRenewed && next !== undefined) await this.#keys.adopt(of, next);
        return done.result;
      } catch (error) {
        if (!(error instanceof KeysNotLoaded)) throw error;
        if (run >= MAX_KEY_RUNS) throw tooManyKeys();
        await keys.loadMissing().catch((failed: unknown) => {
          // Retired between the runs: the next run sees the chart as it was resealed. If it is truly gone, so is hope.
          if (!(isOvertaken(failed) && run < MAX_RETIRED_RUNS)) throw failed;
        });
      }
    }
  }

  async #attempt<T>(of: PatientRef, tx: Transaction, { keys, work, next }: Attempt<T>) {
    const [stored, manifest] = await tx.get(ref(patientKeys, of.patient), ref(manifests, of.patient));
    if (stored === null || stored.state === ERASING)
      throw new CryptoError('KEY_MISSING', 'There is no such chart.');
    const isRenewed = next?.alias === stored.alias && next.version === stored.current + 1;
    const key = isRenewed
      ? { ...stored, current: next.version, minSeal: next.version, state: 'rotating' }
      : stored;
    const keyFor = (version: number): DataKey =>
      isRenewed && version === next.version ? next : keys.get(key.alias as PatientAlias, version);
    const chart = await OpenChart.from({ of, reader: tx, key, manifest, keyFor });
    const result = await work(chart, tx);
    if (isRenewed) {
      tx.create(keyVersionRef(of.patient, next.version), next.row);
      if (manifest === null) tx.put(ref(patientKeys, of.patient), key);
    }
    return { result, isRenewed };
  }
}

/** What every run of a transaction does. */
interface Attempt<T> {
  readonly keys: TransactionKeys;
  readonly work: (chart: OpenChart, tx: Transaction) => Promise<T>;
  readonly next: NextKey | undefined;
}

const isOvertaken = (error: unknown): boolean =>
  error instanceof CryptoError && (error.code === 'ROLLBACK' || error.code === 'KEY_MISSING');

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
