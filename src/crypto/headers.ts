import { type Ref, ref } from '../kernel/collection.ts';
import type { Listed, TenantStore } from '../kernel/store.ts';
import { chartValues, type ValueName } from './chart-values.ts';
import { manifests } from './manifest.ts';
import { type PatientRef, patientKeys } from './patient-keys.ts';
import { keyVersionOf } from './sealed-value.ts';

/** A value that is sealed under a version which is to be left behind, and how large it is. */
export interface StaleValue {
  readonly name: ValueName;
  readonly bytes: number;
}

/** What the headers of a chart's sealed rows say. */
export interface ChartHeaders {
  readonly minSeal: number;
  readonly current: number;
  readonly state: string;
  readonly isManifestStale: boolean;
  readonly stale: readonly StaleValue[];
}

/** Rows may hold 512 KiB each: so many are in memory at once. */
const PAGE = 16;

/**
 * Looks at the header of every sealed row of a chart: which are under a version below `minSeal`. Opens nothing, and
 * believes no bookkeeping. Null when there is no such patient. What it finds clean stays so, for no write seals below
 * `minSeal`.
 */
export async function readHeaders(store: TenantStore, of: PatientRef): Promise<ChartHeaders | null> {
  const refs: readonly [Ref<typeof patientKeys.columns>, Ref<typeof manifests.columns>] = [
    ref(patientKeys, of.patient),
    ref(manifests, of.patient),
  ];
  const [key, manifest] = await store.get(...refs);
  if (key === null) return null;
  const { minSeal, current, state } = key;
  const stale = new Map<string, StaleValue>();
  // By the ids, which begin with the patient's: a range of the key in either store.
  const own = `${of.patient}-`;
  for (let after: string | undefined = own; after !== undefined; ) {
    const page: Listed<typeof chartValues.columns>[] = await store.list(chartValues, { after, limit: PAGE });
    for (const { row } of page.filter(({ id }) => id.startsWith(own))) {
      if (keyVersionOf(row.sealed) >= minSeal) continue;
      const { collection, document, compartment } = row as unknown as ValueName;
      const id = `${collection}/${document}/${compartment}`;
      const bytes = (stale.get(id)?.bytes ?? 0) + row.sealed.length;
      stale.set(id, { name: { collection, document, compartment }, bytes });
    }
    const last = page.at(-1)?.id;
    after = page.length === PAGE && last?.startsWith(own) ? last : undefined;
  }
  const isManifestStale = manifest !== null && keyVersionOf(manifest.sealed) < minSeal;
  return { minSeal, current, state, isManifestStale, stale: [...stale.values()] };
}

/** Rows of many charts that are looked at together: none is over 512 KiB, and most are of some, so that more fit. */
const WIDE_PAGE = { first: 48, most: 200, bytes: 24 * 1_024 * 1_024 } as const;

/**
 * Which of these charts, in order of their ids, have a sealed row below their `minSeal`: a range of rows is read, whichever
 * chart each belongs to.
 */
export async function staleAmong(
  store: TenantStore,
  keys: readonly Listed<typeof patientKeys.columns>[],
): Promise<Set<string>> {
  const found = await store.get(...keys.map(({ id }) => ref(manifests, id)));
  const stale = new Set<string>();
  for (const [at, { id, row }] of keys.entries()) {
    const manifest = found[at] ?? null;
    if (manifest !== null && isBelow(manifest.sealed, row.minSeal)) stale.add(id);
  }
  const [first, last] = [keys[0]?.id ?? '', keys.at(-1)?.id ?? ''];
  let at = 0;
  let limit: number = WIDE_PAGE.first;
  for (let after: string | undefined = `${first}-`; after !== undefined; ) {
    const page: Listed<typeof chartValues.columns>[] = await store.list(chartValues, { after, limit });
    for (const { id, row } of page) {
      while (at < keys.length - 1 && isAfter(id, keys[at]?.id ?? '')) at += 1;
      const key = keys[at];
      if (key === undefined || !id.startsWith(`${key.id}-`)) continue;
      if (isBelow(row.sealed, key.row.minSeal)) stale.add(key.id);
    }
    const end = page.at(-1)?.id;
    after = page.length < limit || end === undefined || isAfter(end, last) ? undefined : end;
    limit = nextLimit(page);
  }
  return stale;
}

/** As many as fit if they are as large as those before. */
function nextLimit(page: readonly Listed<typeof chartValues.columns>[]): number {
  const bytes = page.reduce((sum, { row }) => sum + row.sealed.length, 0);
  const fit = Math.floor((WIDE_PAGE.bytes * page.length) / Math.max(1, bytes));
  return Math.min(WIDE_PAGE.most, Math.max(WIDE_PAGE.first, fit));
}

/** Whether a row's id lies beyond all of a patient's. */
const isAfter = (id: string, patient: string): boolean => id > patient && !id.startsWith(`${patient}-`);

/** Whether this is sealed under a version before `least`; so is what cannot be read as sealed. */
export function isBelow(sealed: Uint8Array, least: number): boolean {
  try {
    return keyVersionOf(sealed) < least;
  } catch {
    return true;
  }
}
