import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GrowingTree, splitHashes, TreeHasher } from '../../src/audit/merkle.ts';
import { nodeSha256 } from '../../src/audit/node-sha256.ts';
import {
  decodeEntries,
  edgeOf,
  encodeEntries,
  growTiles,
  rangeRoot,
  tilePath,
  tilesOf,
  widthOf,
} from '../../src/audit/tiles.ts';

const hasher = new TreeHasher(nodeSha256);
const hashOf = (index: number): Uint8Array => hasher.leaf(Buffer.from(String(index)));
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');

/** A tree grown in batches of these sizes, its tiles by path. */
function grow(batches: readonly number[]) {
  const tiles = new Map<string, Uint8Array>();
  let size = 0;
  for (const count of batches) {
    const leafHashes = Array.from({ length: count }, (_, index) => hashOf(size + index));
    const edge = (at: { level: number; index: number }) => tiles.get(tilePath(at)) ?? new Uint8Array();
    for (const { hashes, ...at } of growTiles(hasher, { size, leafHashes, edge }))
      tiles.set(tilePath(at), hashes);
    size += count;
  }
  return { size, tiles };
}

test.each([
  [{ level: 0, index: 0 }, 256, 'tile/0/000'],
  [{ level: 1, index: 3 }, 7, 'tile/1/003.p/7'],
  [{ level: 0, index: 1_234_067 }, 256, 'tile/0/x001/x234/067'],
  [{ level: 'entries', index: 999 }, 256, 'tile/entries/999'],
  [{ level: 2, index: 1_000 }, 256, 'tile/2/x001/000'],
] as const)('%j of width %i is at %s', (at, width, path) => {
  expect(tilePath(at, width)).toBe(path);
});

test('however the leaves come in, the tiles are the same and lead to the root', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 6 }), async (batches) => {
      const { size, tiles } = grow(batches);
      expect([...tiles].sort()).toEqual([...grow([size]).tiles].sort());
      const tree = new GrowingTree(hasher);
      for (let index = 0; index < size; index += 1) tree.push(hashOf(index));
      const read = async (at: { level: number; index: number }) => tiles.get(tilePath(at)) ?? null;
      expect(hex(await rangeRoot(hasher, read, { from: 0, to: size }))).toBe(hex(tree.root()));
      expect([...tilesOf(size)].map((at) => tilePath(at)).sort()).toEqual([...tiles.keys()].sort());
      for (const at of tilesOf(size)) expect(tiles.get(tilePath(at))).toHaveLength(32 * widthOf(at, size));
    }),
    { numRuns: 30 },
  );
});

test('a tree of 70,000 leaves has three levels, and its edge is what an append reads', () => {
  const { tiles } = grow([70_000]);
  expect([...tiles.keys()].filter((path) => path.startsWith('tile/2'))).toEqual(['tile/2/000']);
  expect(edgeOf(70_000).map((at) => [tilePath(at), widthOf(at, 70_000)])).toEqual([
    ['tile/0/273', 112],
    ['tile/1/001', 17],
    ['tile/2/000', 1],
  ]);
  expect(edgeOf(65_536).map((at) => tilePath(at))).toEqual(['tile/2/000']);
  expect(edgeOf(0)).toEqual([]);
});

test('a tile of the first 300 leaves is frozen', () => {
  const { tiles } = grow([300]);
  expect(hex(tiles.get('tile/1/000'))).toBe(
    '828515d033c19d8c901f37eccb8aed919667703486f8d2fff1cf7040321c5db1',
  );
  expect(hex(splitHashes(tiles.get('tile/0/001') ?? new Uint8Array()).at(-1))).toBe(
    '86f191cc0f696a0d0f0571c7a70a592e8a7fbc2ac0d56b4772a40fdda4de8019',
  );
});

test('a missing or short tile is said to be so', async () => {
  const read = async () => new Uint8Array(32);
  await expect(rangeRoot(hasher, read, { from: 0, to: 2 })).rejects.toThrow('tile/0/000');
});

test('entry bundles come back as they were, and what is none is refused', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 256 }), (leaves) => {
      expect(decodeEntries(encodeEntries(leaves))?.map(hex)).toEqual(leaves.map(hex));
    }),
  );
  expect(decodeEntries(Buffer.of(0))).toBeNull();
  expect(decodeEntries(Buffer.of(0, 2, 1))).toBeNull();
});
