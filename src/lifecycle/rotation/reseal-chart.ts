import type { AuditDraft, AuditLog } from '../../audit/append.ts';
import { type ChartHeaders, readHeaders, type StaleValue } from '../../crypto/headers.ts';
import type { ValueName } from '../../crypto/open-chart.ts';
import { ERASING, type PatientRef } from '../../crypto/patient-keys.ts';
import type { SealedCharts } from '../../crypto/sealed-charts.ts';
import type { Store, TenantStore } from '../../kernel/store.ts';
import { LifecycleError } from '../errors.ts';
import { withDraft } from '../jobs/drafts.ts';
import { ASIDE_KINDS } from './asides.ts';
import { chartEntry } from './events.ts';

/** What resealing stands on. */
export interface ResealHouse {
  readonly store: Store;
  readonly audit: AuditLog;
  readonly charts: SealedCharts;
}

/** Sealed bytes of one transaction; a single value may be larger. */
export const BATCH_BYTES = 1_500_000;
const BATCH_VALUES = 100;
/** A chart that is still not clean after so many passes is written faster than it is resealed. */
const MAX_PASSES = 20;

/** What of a patient is sealed below the barrier. */
export interface StaleChart {
  readonly headers: ChartHeaders;
  /** Row ids, by kind in the order of `ASIDE_KINDS`. */
  readonly asides: readonly (readonly string[])[];
}

/** Looks at every header that the patient's key has sealed. Null when there is no such patient. */
export async function findStale(store: TenantStore, of: PatientRef): Promise<StaleChart | null> {
  const headers = await readHeaders(store, of);
  // What is being erased loses its keys in any case.
  if (headers === null || headers.state === ERASING) return null;
  return {
    headers,
    asides: await Promise.all(ASIDE_KINDS.map((kind) => kind.stale(store, of, headers.minSeal))),
  };
}

export const isClean = ({ headers, asides }: StaleChart): boolean =>
  headers.stale.length === 0 && !headers.isManifestStale && asides.every((ids) => ids.length === 0);

/**
 * Seals anew what is below the barrier, some values in a transaction, each with its audit event. The transaction reads
 * what it seals, so that a write in between is never undone, and puts only what is there: it creates nothing.
 * Answers how many transactions it took.
 */
export async function resealChart(house: ResealHouse, of: PatientRef, job: string): Promise<number> {
  const store = house.store.tenant(of.tenant);
  let written = 0;
  let before = -1;
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const stale = await findStale(store, of);
    if (stale === null || isClean(stale)) return written;
    if (pass > 1 && written === before) break;
    before = written;
    let isWhole = true;
    for (const batch of batchesOf(stale)) {
      const did = await resealBatch(house, of, { job, ...batch });
      if (did) written += 1;
      isWhole &&= did;
    }
    // No need to look again: no write seals below the barrier, and the proof looks at everything.
    if (isWhole) return written;
  }
  throw new LifecycleError(
    'JOB_STALLED',
    'A chart is in motion: an export is being made, or it is written faster than sealed anew. Go on later.',
    {
      retryable: true,
    },
  );
}

interface Batch {
  readonly names: readonly ValueName[];
  readonly asides: readonly (readonly string[])[];
}

function* batchesOf({ headers, asides }: StaleChart): Generator<Batch> {
  const none = asides.map(() => []);
  for (const names of valueBatches(headers.stale)) yield { names, asides: none };
  if (headers.stale.length === 0 && headers.isManifestStale) yield { names: [], asides: none };
  for (const [kind, { atOnce }] of ASIDE_KINDS.entries()) {
    const ids = asides[kind] ?? [];
    for (let at = 0; at < ids.length; at += atOnce)
      yield {
        names: [],
        asides: asides.map((_, other) => (other === kind ? ids.slice(at, at + atOnce) : [])),
      };
  }
}

function* valueBatches(values: readonly StaleValue[]): Generator<ValueName[]> {
  let names: ValueName[] = [];
  let bytes = 0;
  for (const value of values) {
    if (names.length === BATCH_VALUES || (names.length > 0 && bytes + value.bytes > BATCH_BYTES)) {
      yield names;
      names = [];
      bytes = 0;
    }
    names.push(value.name);
    bytes += value.bytes;
  }
  if (names.length > 0) yield names;
}

function resealBatch(
  { audit, charts }: ResealHouse,
  of: PatientRef,
  { job, names, asides }: Batch & { job: string },
): Promise<boolean> {
  const work = (draft: AuditDraft): Promise<boolean> =>
    charts.transact(
      of,
      async (chart, tx) => {
        await chart.read(names);
        const staged = await Promise.all(
          ASIDE_KINDS.map((kind, at) => kind.stage(tx, chart, asides[at] ?? [])),
        );
        const { isStale } = chart;
        let resealed = 0;
        for (const write of staged) resealed += await write();
        if (!isStale && resealed === 0) return false;
        const entry = chartEntry('resealChart', { job, alias: chart.alias, asides: resealed });
        draft.write(tx, isStale ? { ...entry, written: await chart.save(tx) } : entry);
        return true;
      },
      { proof: draft.proof },
    );
  return withDraft(audit, of.tenant, { work, wasWritten: (did) => did });
}
