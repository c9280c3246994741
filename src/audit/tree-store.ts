import { collection, type Ref, ref } from '../kernel/collection.ts';
import type { Reader } from '../kernel/store.ts';
import { AuditError } from './errors.ts';
import { type ReadTile, TILE_WIDTH, type TileAt } from './tiles.ts';

/** How many leaves the tree has; one row, id `head`. */
export const auditHead = collection('auditHead', { size: 'integer' });

/** The tree's hashes, id `{level}-{index}`: a tile's 1 to 256 hashes, one after another. A partial tile grows. */
export const auditTiles = collection('auditTiles', { hashes: 'bytes' });

/** Which event each leaf is, id = number of the bundle of 256: event ids, one a line. The bundle grows. */
export const auditEntries = collection('auditEntries', { events: 'text' });

export const headRef = ref(auditHead, 'head');
export const tileRef = ({ level, index }: TileAt): Ref<typeof auditTiles.columns> =>
  ref(auditTiles, `${level}-${index}`);
export const bundleRef = (bundle: number): Ref<typeof auditEntries.columns> =>
  ref(auditEntries, String(bundle));

export const eventIdsOf = (row: { readonly events: string } | null): string[] =>
  row === null || row.events === '' ? [] : row.events.split('\n');

/** The tree's size; 0 before the first event. */
export async function readSize(reader: Reader): Promise<number> {
  const [head] = await reader.get(headRef);
  return head?.size ?? 0;
}

/** Tiles from the store. What is not a whole number of hashes is no tile. */
export const tileReader =
  (reader: Reader): ReadTile =>
  async (at) => {
    const [row] = await reader.get(tileRef(at));
    return row === null || row.hashes.length % 32 !== 0 ? null : row.hashes;
  };

/** Bundle number and place within it of a leaf. */
export const placeOf = (index: number): { bundle: number; place: number } => ({
  bundle: Math.floor(index / TILE_WIDTH),
  place: index % TILE_WIDTH,
});

export const corrupt = (what: string): AuditError =>
  new AuditError(
    'TREE_CORRUPT',
    `The stored audit tree was changed (${what}), so nothing was added to it. Run "chartseal audit verify".`,
  );
