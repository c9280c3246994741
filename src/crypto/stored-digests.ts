import type { Collection, Columns } from '../kernel/collection.ts';
import type { Listed, TenantStore } from '../kernel/store.ts';
import { chartValues, chunkedDigestOf, digestOf, type ValueRow } from './chart-values.ts';
import { manifests } from './manifest.ts';
import { patientKeys } from './patient-keys.ts';

/** One value of a chart as it lies in the store: whose, which, and the digest of its sealed bytes. */
export interface StoredDigest {
  readonly alias: string;
  /** The value's id, or `manifest`. */
  readonly value: string;
  readonly digest: string;
}

const PAGE = 200;

/**
 * The digests of everything that a tenant's charts hold, under the names that audit events use. Opens nothing and
 * needs no key. Keeps one chart at a time.
 */
export async function* storedDigests(store: TenantStore): AsyncGenerator<StoredDigest> {
  for await (const { id, row } of rowsOf(store, patientKeys)) {
    const [manifest] = await store.get({ collection: manifests, id });
    if (manifest !== null) yield { alias: row.alias, value: 'manifest', digest: digestOf(manifest.sealed) };
    for (const [value, rows] of await valuesOf(store, id))
      yield { alias: row.alias, value, digest: digestOfRows(rows) };
  }
}

async function valuesOf(store: TenantStore, patient: string): Promise<Map<string, Map<number, ValueRow>>> {
  const values = new Map<string, Map<number, ValueRow>>();
  for await (const { id, row } of rowsOf(store, chartValues, { patient })) {
    const value = `${patient}-${row.collection}-${row.document}-${row.compartment}`;
    const chunks = values.get(value) ?? new Map<number, ValueRow>();
    values.set(value, chunks);
    chunks.set(id === value ? 0 : Number(id.slice(value.length + 1)), row);
  }
  return values;
}

function digestOfRows(chunks: ReadonlyMap<number, ValueRow>): string {
  const rows = [...chunks].sort(([a], [b]) => a - b).map(([, { sealed }]) => sealed);
  const [first] = rows;
  return rows.length === 1 && first !== undefined ? digestOf(first) : chunkedDigestOf(rows);
}

async function* rowsOf<C extends Columns>(
  store: TenantStore,
  of: Collection<C>,
  equals: Partial<Record<string, string>> = {},
): AsyncGenerator<Listed<C>> {
  for (let after: string | undefined; ; ) {
    const page = await store.list(of, {
      limit: PAGE,
      equals: equals as Partial<Listed<C>['row']>,
      ...(after === undefined ? {} : { after }),
    });
    yield* page;
    after = page.at(-1)?.id;
    if (page.length < PAGE) return;
  }
}
