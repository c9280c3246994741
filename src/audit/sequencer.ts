import { ref } from '../kernel/collection.ts';
import type { TenantId } from '../kernel/ids.ts';
import { randomId } from '../kernel/ids.ts';
import type { Listed, Store, TenantStore, Transaction } from '../kernel/store.ts';
import { auditPending } from './append.ts';
import { TreeHasher } from './merkle.ts';
import { nodeSha256 } from './node-sha256.ts';
import { edgeOf, type GrownTile, growTiles, TILE_WIDTH, type TileAt, tilePath, widthOf } from './tiles.ts';
import { bundleRef, corrupt, eventIdsOf, headRef, placeOf, tileRef } from './tree-store.ts';

/**
 * Puts pending events into the tree, batch by batch. Two at once lose and duplicate nothing: the transaction reads
 * the head and the twins again, and only one of two commits. There is no cursor and no time in it, so an event that
 * was committed late is simply found later.
 *
 * It reads no event, only the twin's hash: an event that was changed or deleted before its turn gets its place all
 * the same, and the verifier names it.
 */

/** Twins in one batch. With tiles, bundles and the head it stays below the 1,000 writes of a transaction. */
export const MAX_BATCH = 600;

type Twin = Listed<typeof auditPending.columns>;

/** How far one call went. */
export interface Sequenced {
  /** Leaves that this batch added: 0 when nothing is pending. */
  readonly added: number;
  /** The tree's size now; null when there was nothing to do. */
  readonly size: number | null;
}

/**
 * Sequences one batch of a tenant. The head and the partial tiles are written once for each batch, so batches of one
 * tenant are to be a second apart (`sequenceAll` paces them).
 *
 * @throws AuditError `TREE_CORRUPT`; StoreError.
 */
export async function sequenceBatch(
  store: Store,
  tenant: TenantId,
  limit: number = MAX_BATCH,
): Promise<Sequenced> {
  const rows = store.tenant(tenant);
  const listed = await listPending(rows, limit);
  if (listed.length === 0) return { added: 0, size: null };
  return rows.transact((tx) => appendTwins(tx, listed));
}

/**
 * Batches until none is left, one begun each `paceMs` at most, so that no row is written more than once a second:
 * up to 600 events a second for a tenant. Stops between batches when `signal` says so.
 */
export async function sequenceAll(
  store: Store,
  tenant: TenantId,
  options: { paceMs?: number; signal?: AbortSignal } = {},
): Promise<number> {
  let total = 0;
  while (options.signal?.aborted !== true) {
    const next = performance.now() + (options.paceMs ?? 1_000);
    const { added } = await sequenceBatch(store, tenant);
    total += added;
    if (added < MAX_BATCH) break;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())));
  }
  return total;
}

/** From a random place on and round: were it always the lowest ids, the highest would wait for ever under load. */
async function listPending(rows: TenantStore, limit: number): Promise<Twin[]> {
  const after = randomId('ev');
  const first = await rows.list(auditPending, { after, limit });
  if (first.length === limit) return first;
  const rest = await rows.list(auditPending, { limit: limit - first.length });
  const seen = new Set(first.map(({ id }) => id));
  return [...first, ...rest.filter(({ id }) => !seen.has(id))];
}

async function appendTwins(tx: Transaction, listed: readonly Twin[]): Promise<Sequenced> {
  const refs = listed.map(({ id }) => ref(auditPending, id));
  const [head, ...rows] = await tx.get(headRef, ...refs);
  const twins = rows
    .flatMap((row, at) => (row === null ? [] : [{ id: listed[at]?.id ?? '', leafHash: row.leafHash }]))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  if (twins.length === 0) return { added: 0, size: head?.size ?? 0 };
  const size = head?.size ?? 0;
  const edge = await readEdge(tx, size);
  const leafHashes = twins.map(({ leafHash }) => leafHash);
  const tiles = growTiles(new TreeHasher(nodeSha256), { size, leafHashes, edge: edge.tile });
  writeTree(tx, tiles);
  writeBundles(tx, size, [...edge.events, ...twins.map(({ id }) => id)]);
  for (const { id } of twins) tx.delete(ref(auditPending, id));
  tx.put(headRef, { size: size + twins.length });
  return { added: twins.length, size: size + twins.length };
}

/** The partial tiles and the partial bundle, which must be exactly as wide as the size says. */
async function readEdge(tx: Transaction, size: number) {
  const { bundle, place } = placeOf(size);
  const places = edgeOf(size);
  // A tree whose head was taken away must not be begun again over its own tiles.
  const asked = places.length > 0 ? places : [{ level: 0, index: bundle }];
  const [entries, ...tiles] = await tx.get(bundleRef(bundle), ...asked.map(tileRef));
  const events = eventIdsOf(entries);
  if (events.length !== place) throw corrupt(tilePath({ level: 'entries', index: bundle }, place));
  const found = new Map(asked.map((at, n) => [tilePath(at), tiles[n]?.hashes ?? new Uint8Array()]));
  for (const at of asked) {
    const width = widthOf(at, size) % TILE_WIDTH;
    if (found.get(tilePath(at))?.length !== width * 32) throw corrupt(tilePath(at, width));
  }
  return { events, tile: (at: TileAt) => found.get(tilePath(at)) ?? new Uint8Array() };
}

function writeTree(tx: Transaction, tiles: readonly GrownTile[]): void {
  for (const { hashes, ...at } of tiles) tx.put(tileRef(at), { hashes });
}

function writeBundles(tx: Transaction, size: number, events: readonly string[]): void {
  const { bundle } = placeOf(size);
  for (let at = 0; at * TILE_WIDTH < events.length; at += 1) {
    const ids = events.slice(at * TILE_WIDTH, (at + 1) * TILE_WIDTH);
    tx.put(bundleRef(bundle + at), { events: ids.join('\n') });
  }
}
