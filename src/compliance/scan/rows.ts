import type { Collection, Columns, Row } from '../../kernel/collection.ts';
import { SYSTEM_TENANT, type TenantId } from '../../kernel/ids.ts';
import type { Listed, Reader, Store } from '../../kernel/store.ts';
import { type DutyFacts, DutyWatch } from './duties.ts';
import { type KeyRowFacts, KeyRowWatch } from './key-rows.ts';
import { type PlaintextFacts, PlaintextWatch } from './plaintext.ts';
import { type SealedFacts, SealedWatch } from './sealed.ts';
import { LARGE } from './stored-bytes.ts';

/** What one pass over the stored rows found. */
export interface RowFacts {
  readonly seen: number;
  /** Rows looked at, by collection. */
  readonly collections: Readonly<Record<string, number>>;
  /** True when only a sample was looked at. */
  readonly isPartial: boolean;
  readonly sealed: SealedFacts;
  readonly plaintext: PlaintextFacts;
  readonly keyRows: KeyRowFacts;
  readonly duties: DutyFacts;
}

/** A page of one collection. */
export interface Page {
  readonly of: Collection;
  readonly rows: readonly Listed<Columns>[];
  readonly reader: Reader;
}

/** Looks at pages as they pass. It may read what a page points to, and keeps no row. */
export interface RowWatch {
  see(page: Page): Promise<void> | void;
}

/** How the rows are read. */
export interface RowScan {
  readonly store: Store;
  readonly tenant: TenantId;
  readonly collections: readonly Collection[];
  /** The tenant's wrapping key. */
  readonly keyId: string;
  readonly now: number;
  /** At most so many rows of each collection; all of them without it. */
  readonly sample?: number;
  readonly onProgress?: (seen: number, collection: string) => void;
}

const PAGE = 200;
/** Pages of rows of up to 512 KiB each. */
const LARGE_PAGE = 16;

/**
 * Reads the tenant's rows once, and those of the system tenant, which hold its registration and sign-ins. One page is in
 * memory at a time, whatever there is.
 */
export async function scanRows(scan: RowScan): Promise<RowFacts> {
  const watches = {
    sealed: new SealedWatch(),
    plaintext: new PlaintextWatch(),
    keyRows: new KeyRowWatch(scan.keyId),
    duties: new DutyWatch(scan.now),
  };
  const collections: Record<string, number> = {};
  let [seen, isPartial] = [0, false];
  for (const tenant of [scan.tenant, SYSTEM_TENANT])
    for (const of of scan.collections) {
      const reader = scan.store.tenant(tenant);
      const left = await scanCollection(scan, { of, reader }, async (page) => {
        for (const watch of Object.values<RowWatch>(watches)) await watch.see(page);
        seen += page.rows.length;
        collections[of.name] = (collections[of.name] ?? 0) + page.rows.length;
        scan.onProgress?.(seen, of.name);
      });
      isPartial ||= left;
    }
  return {
    ...{ seen, collections, isPartial },
    sealed: watches.sealed.facts,
    plaintext: watches.plaintext.facts,
    keyRows: watches.keyRows.facts,
    duties: watches.duties.facts,
  };
}

/** True when rows were left that the sample did not reach. */
async function scanCollection(
  { sample = Number.POSITIVE_INFINITY }: RowScan,
  { of, reader }: { of: Collection; reader: Reader },
  see: (page: Page) => Promise<void>,
): Promise<boolean> {
  const size = LARGE.has(of.name) ? LARGE_PAGE : PAGE;
  for (let after: string | undefined, seen = 0; ; ) {
    const limit = Math.min(size, sample - seen);
    if (limit <= 0) return true;
    const rows = await reader.list(of, { limit, ...(after !== undefined && { after }) });
    if (rows.length > 0) await see({ of, rows, reader });
    seen += rows.length;
    after = rows.at(-1)?.id;
    if (rows.length < limit) return false;
  }
}

/** The rows of a page as the collection's owner declares them; none when the page is of another. */
export const rowsOf = <C extends Columns>(
  page: Page,
  of: Collection<C>,
): readonly { id: string; row: Row<C> }[] =>
  page.of.name === of.name ? (page.rows as readonly { id: string; row: Row<C> }[]) : [];

/** The columns of a collection of one type, optional or not. */
export const columnsOf = (of: Collection, type: 'bytes' | 'text' | 'json'): string[] =>
  Object.entries(of.columns).flatMap(([column, is]) => (is === type || is === `${type}?` ? [column] : []));
