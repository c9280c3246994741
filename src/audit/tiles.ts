import { concat } from './bytes.ts';
import { foldPeaks, joinHashes, type LeafRange, rootOf, splitHashes, type TreeHasher } from './merkle.ts';

/**
 * The tree as C2SP tlog-tiles: a tile of level L holds up to 256 hashes, each the root over 256^L leaves; an entry
 * bundle holds up to 256 leaves. https://c2sp.org/tlog-tiles
 */

/** Levels of the tree in one tile. */
export const TILE_HEIGHT = 8;
/** Hashes in a full tile, and leaves in a full bundle. */
export const TILE_WIDTH = 256;

/** A tile's place. */
export interface TileAt {
  readonly level: number;
  readonly index: number;
}

/** A tile's hashes, one after another: all of them, or as many as there are. Null when there is no such tile. */
export type ReadTile = (at: TileAt) => Promise<Uint8Array | null>;

/** How many hashes the tile holds in a tree of `size`: 0 to 256. */
export function widthOf({ level, index }: TileAt, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level);
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH));
}

/** `tile/0/x001/234`; with `.p/W` when partial. `level` may be `entries`. */
export function tilePath(at: { level: number | 'entries'; index: number }, width = TILE_WIDTH): string {
  const groups = [String(at.index % 1_000).padStart(3, '0')];
  for (let rest = Math.floor(at.index / 1_000); rest > 0; rest = Math.floor(rest / 1_000))
    groups.unshift(`x${String(rest % 1_000).padStart(3, '0')}`);
  return `tile/${at.level}/${groups.join('/')}${width < TILE_WIDTH ? `.p/${width}` : ''}`;
}

/** Every tile of a tree of `size` that holds something, level by level. */
export function* tilesOf(size: number): Generator<TileAt> {
  for (let level = 0, hashes = size; hashes > 0; level += 1, hashes = Math.floor(hashes / TILE_WIDTH))
    for (let index = 0; index * TILE_WIDTH < hashes; index += 1) yield { level, index };
}

/** The partial tiles at the right edge of a tree of `size`: what an append needs to know. */
export function edgeOf(size: number): TileAt[] {
  return [...levelsOf(size)].filter((at) => widthOf(at, size) % TILE_WIDTH !== 0);
}

function* levelsOf(size: number): Generator<TileAt> {
  for (let level = 0, hashes = size; hashes > 0; level += 1, hashes = Math.floor(hashes / TILE_WIDTH))
    yield { level, index: Math.floor(hashes / TILE_WIDTH) };
}

/** A tile after an append. */
export interface GrownTile extends TileAt {
  readonly hashes: Uint8Array<ArrayBuffer>;
}

/**
 * Appends leaf hashes to the tree of `size`. `edge` answers the hashes of a partial tile that `edgeOf` named.
 *
 * @returns every tile that changed, with all its hashes.
 */
export function growTiles(
  hasher: TreeHasher,
  append: {
    size: number;
    leafHashes: readonly Uint8Array[];
    edge: (at: TileAt) => Uint8Array;
  },
): GrownTile[] {
  const grown: GrownTile[] = [];
  let incoming = append.leafHashes;
  for (let level = 0, at = append.size; incoming.length > 0; level += 1, at = Math.floor(at / TILE_WIDTH)) {
    const above: Uint8Array[] = [];
    let index = Math.floor(at / TILE_WIDTH);
    let hashes = at % TILE_WIDTH === 0 ? [] : splitHashes(append.edge({ level, index }));
    for (const hash of incoming) {
      hashes.push(hash);
      if (hashes.length < TILE_WIDTH) continue;
      grown.push({ level, index, hashes: joinHashes(hashes) });
      above.push(rootOf(hasher, hashes));
      hashes = [];
      index += 1;
    }
    if (hashes.length > 0) grown.push({ level, index, hashes: joinHashes(hashes) });
    incoming = above;
  }
  return grown;
}

/** A tile that a proof needs is not there or is too short. */
export class TileMissing extends Error {}

/**
 * The root over a range of leaves as proofs use them: `from` is aligned to the largest power of two in the range.
 *
 * @throws TileMissing.
 */
export async function rangeRoot(hasher: TreeHasher, read: ReadTile, range: LeafRange): Promise<Uint8Array> {
  const peaks: Uint8Array[] = [];
  for (let from = range.from; from < range.to; ) {
    const span = largestSpan(range.to - from);
    peaks.push(await subtreeRoot(hasher, read, from, span));
    from += span;
  }
  return foldPeaks(hasher, peaks);
}

async function subtreeRoot(
  hasher: TreeHasher,
  read: ReadTile,
  from: number,
  span: number,
): Promise<Uint8Array> {
  const height = Math.round(Math.log2(span));
  const level = Math.floor(height / TILE_HEIGHT);
  const first = from / TILE_WIDTH ** level;
  const count = 2 ** (height % TILE_HEIGHT);
  const at = { level, index: Math.floor(first / TILE_WIDTH) };
  const start = (first % TILE_WIDTH) * 32;
  const hashes = (await read(at))?.subarray(start, start + count * 32);
  if (hashes === undefined || hashes.length !== count * 32)
    throw new TileMissing(`The tile ${tilePath(at)} is missing or too short.`);
  return rootOf(hasher, splitHashes(hashes));
}

/** The largest power of two that is not above `length`. */
function largestSpan(length: number): number {
  let span = 1;
  while (span * 2 <= length) span *= 2;
  return span;
}

/** Leaves as an entry bundle: each with its length before it, 16 bits big-endian. */
export function encodeEntries(leaves: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return concat(...leaves.flatMap((leaf) => [Uint8Array.of(leaf.length >> 8, leaf.length & 255), leaf]));
}

/** Null when the bytes are not an entry bundle. */
export function decodeEntries(bundle: Uint8Array): Uint8Array[] | null {
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < bundle.length; ) {
    const length = ((bundle[at] ?? 0) << 8) | (bundle[at + 1] ?? 0);
    const leaf = bundle.subarray(at + 2, at + 2 + length);
    if (at + 2 > bundle.length || leaf.length !== length) return null;
    leaves.push(leaf);
    at += 2 + length;
  }
  return leaves;
}
