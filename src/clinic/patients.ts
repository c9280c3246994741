import type { z } from 'zod';
import type { AuditDraft, AuditEntry } from '../audit/append.ts';
import { StaleIndex } from '../crypto/index-keys.ts';
import type { ValueName } from '../crypto/open-chart.ts';
import type { PatientIndex } from '../crypto/patient-index.ts';
import type { PatientKeys, PatientRef } from '../crypto/patient-keys.ts';
import type { SealedCharts } from '../crypto/sealed-charts.ts';
import type { PatientAlias } from '../kernel/ids.ts';
import { CHART_SCHEMA, CHART_SHAPES, type Chart, type ChartCompartment } from './chart.ts';
import { ClinicError } from './errors.ts';
import { searchFactsOf } from './search-facts-of.ts';

/** The compartments that were asked for; null where the chart has none. */
export interface ChartParts<C extends ChartCompartment> {
  readonly alias: PatientAlias;
  /** How many documents the chart keeps; none of them is opened. */
  readonly documents: number;
  readonly parts: { readonly [K in C]: z.infer<(typeof CHART_SHAPES)[K]> | null };
}

const MAX_TURNS = 3;
const ALL = Object.keys(CHART_SHAPES) as ChartCompartment[];

/** Patients' charts as the domain knows them: typed compartments in, typed compartments out. */
export class Patients {
  readonly #charts: SealedCharts;
  readonly #keys: PatientKeys;
  readonly #index: PatientIndex;

  constructor(options: { charts: SealedCharts; keys: PatientKeys; index: PatientIndex }) {
    this.#charts = options.charts;
    this.#keys = options.keys;
    this.#index = options.index;
  }

  /**
   * Seals a new chart under a new key, lists it in the search index, and commits both with their audit event.
   *
   * @throws ClinicError `IMPORT_EXISTS` when the patient has a chart already.
   */
  async register(
    of: PatientRef,
    chart: Chart,
    audit: { draft: AuditDraft; entry: AuditEntry },
  ): Promise<void> {
    await this.#keys.ensure(of);
    for (let turn = 1; ; turn += 1) {
      try {
        return await this.#commit(of, chart, audit);
      } catch (error) {
        // A reindex moved the search index to another version between opening it and the commit.
        if (!(error instanceof StaleIndex) || turn === MAX_TURNS) throw error;
      }
    }
  }

  async #commit(
    of: PatientRef,
    chart: Chart,
    audit: { draft: AuditDraft; entry: AuditEntry },
  ): Promise<void> {
    const index = await this.#index.open(of.tenant);
    await this.#charts.transact(
      of,
      async (opened, tx) => {
        if (opened.revision > 0)
          throw new ClinicError('IMPORT_EXISTS', 'This patient has a chart already. Nothing was changed.');
        for (const compartment of ALL) {
          const plaintext = Buffer.from(JSON.stringify(CHART_SHAPES[compartment].parse(chart[compartment])));
          await opened.seal(valueName(of, compartment), plaintext, CHART_SCHEMA);
        }
        const listed = await index.stage(tx, of.patient, searchFactsOf(chart));
        const written = await opened.save(tx);
        listed.write(tx);
        audit.draft.write(tx, { ...audit.entry, patient: opened.alias, written });
      },
      { proof: audit.draft.proof },
    );
  }

  /** The alias by which the audit log names the patient; null when there is no such chart. Opens nothing. */
  aliasOf(of: PatientRef): Promise<PatientAlias | null> {
    return this.#keys.aliasOf(of);
  }

  /** Opens only the named compartments; null when there is no such patient. */
  async read<C extends ChartCompartment>(
    of: PatientRef,
    wanted: readonly C[],
  ): Promise<ChartParts<C> | null> {
    const read = await this.#charts.read(
      of,
      wanted.map((compartment) => valueName(of, compartment)),
    );
    if (read === null) return null;
    const parts = wanted.map((compartment, index) => [
      compartment,
      parse(compartment, read.values[index] ?? null),
    ]);
    const { alias } = read.chart;
    const documents = read.chart.documents('documents').length;
    return { alias, documents, parts: Object.fromEntries(parts) as ChartParts<C>['parts'] };
  }
}

function parse(compartment: ChartCompartment, plaintext: Buffer | null): unknown {
  return plaintext === null ? null : CHART_SHAPES[compartment].parse(JSON.parse(plaintext.toString('utf8')));
}

const valueName = (of: PatientRef, compartment: ChartCompartment): ValueName => ({
  collection: 'charts',
  document: of.patient,
  compartment,
});
