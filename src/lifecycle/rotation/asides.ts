import { idempotency, resealAnswer } from '../../clinic/idempotency.ts';
import type { OpenChart } from '../../crypto/open-chart.ts';
import type { PatientRef } from '../../crypto/patient-keys.ts';
import { keyVersionOf } from '../../crypto/sealed-value.ts';
import { type Collection, type Columns, type Row, ref } from '../../kernel/collection.ts';
import type { TenantStore, Transaction } from '../../kernel/store.ts';
import { exportChunks, exports, resealChunk } from '../export/sealed-files.ts';

/** What every row of them has. */
type AsideColumns = { readonly patient: 'text'; readonly sealed: 'bytes' };

/** Values that stand beside the chart, sealed under the patient's key and named by no manifest. */
export interface AsideKind {
  readonly of: Collection<AsideColumns>;
  /** Rows that may be in memory at once. */
  readonly page: number;
  /** Rows of one transaction. */
  readonly atOnce: number;
  /** Ids of this patient's rows that are sealed below `minSeal`, by their headers. */
  stale(store: TenantStore, of: PatientRef, minSeal: number): Promise<string[]>;
  /** Reads the rows in `tx`; answers with what seals anew and puts those that are still there, and how many. */
  stage(tx: Transaction, chart: OpenChart, ids: readonly string[]): Promise<() => Promise<number>>;
}

/** A chunk may have 512 KiB. */
const PAGE = 24;

/** The answers that are kept for a retry. */
const answers: AsideKind = {
  of: idempotency as unknown as Collection<AsideColumns>,
  page: 400,
  atOnce: 100,
  stale: (store, of, minSeal) => staleIds(store, idempotency, of, minSeal),
  stage: async (tx, chart, ids) => {
    const rows = await tx.get(...ids.map((id) => ref(idempotency, id)));
    return async () => {
      let resealed = 0;
      for (const [at, id] of ids.entries()) {
        const row = rows[at] ?? null;
        if (row !== null && (await resealAnswer(tx, chart, { id, row }))) resealed += 1;
      }
      return resealed;
    };
  },
};

/** The chunks of exports. One of an export that is still being made waits until that is finished. */
const exportFiles: AsideKind = {
  of: exportChunks as unknown as Collection<AsideColumns>,
  page: PAGE,
  atOnce: 4,
  stale: (store, of, minSeal) => staleIds(store, exportChunks, of, minSeal),
  stage: async (tx, chart, ids) => {
    const rows = await tx.get(...ids.map((id) => ref(exportChunks, id)));
    const named = await tx.get(...rows.map((row, at) => ref(exports, row?.request ?? ids[at] ?? '')));
    return async () => {
      let resealed = 0;
      for (const [at, id] of ids.entries()) {
        const [row, of] = [rows[at] ?? null, named[at] ?? null];
        if (row !== null && of !== null && (await resealChunk(tx, chart, { id, row, of }))) resealed += 1;
      }
      return resealed;
    };
  },
};

async function staleIds<C extends Columns & AsideColumns>(
  store: TenantStore,
  of: Collection<C>,
  { patient }: PatientRef,
  minSeal: number,
): Promise<string[]> {
  const ids: string[] = [];
  for (let after: string | undefined, more = true; more; ) {
    const equals = { patient } as Partial<Row<C>>;
    const page = await store.list(of, { equals, limit: PAGE, ...(after !== undefined && { after }) });
    const rows = page as unknown as { id: string; row: { sealed: Uint8Array } }[];
    ids.push(...rows.filter(({ row }) => keyVersionOf(row.sealed) < minSeal).map(({ id }) => id));
    after = page.at(-1)?.id;
    more = page.length === PAGE;
  }
  return ids;
}

/** Whatever else is sealed under a patient's key adds itself here, or its key would never be drained. */
export const ASIDE_KINDS: readonly AsideKind[] = [answers, exportFiles];
