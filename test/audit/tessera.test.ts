import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { toBase64 } from '../../src/audit/bytes.ts';
import { parseCheckpoint } from '../../src/audit/checkpoint.ts';
import { consistencyPath, TreeHasher, verifyConsistency } from '../../src/audit/merkle.ts';
import { nodeSha256 } from '../../src/audit/node-sha256.ts';
import { sha256 } from '../../src/audit/sha256.ts';
import { parseKey, parseNote, verifySignatures } from '../../src/audit/signed-note.ts';
import { decodeEntries, encodeEntries, growTiles, rangeRoot, tilePath } from '../../src/audit/tiles.ts';

/** A small log made by another implementation: checkpoints of sizes 0 to 15, their tiles and entry bundles. */
const LOG = join(import.meta.dirname, '../../../shared/data/tessera-testdata/log');
const KEY = 'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx';
const WORDS = 'one two three four five six seven eit nain ten ileven twelf threeten fourten fivten'.split(
  ' ',
);
const hasher = new TreeHasher(sha256);
const leafHashes = WORDS.map((word) => hasher.leaf(Buffer.from(word)));
const tileAt = (size: number): Uint8Array =>
  growTiles(hasher, { size: 0, leafHashes: leafHashes.slice(0, size), edge: () => new Uint8Array() })[0]
    ?.hashes ?? new Uint8Array();
const read = (size: number) => async () => tileAt(size);
const rootAt = (size: number) => rangeRoot(hasher, read(size), { from: 0, to: size });

test('the roots of this log are those that its own makers published', async () => {
  expect(toBase64(await rootAt(7))).toBe('IrSXADBqJ7EQoUODSDKROySgNveeL6CFhik2w/+fS7U=');
});

describe.runIf(existsSync(LOG))('a log of another implementation', () => {
  const sizes = Array.from({ length: 16 }, (_, size) => size);

  test.each(sizes)('size %i: signature, root, tile and entries are ours to the byte', async (size) => {
    const note = parseNote(readFileSync(join(LOG, `checkpoint.${size}`)));
    expect(await verifySignatures(note, [parseKey(sha256, KEY)])).toHaveLength(1);
    const checkpoint = parseCheckpoint(note.text);
    expect(checkpoint.size).toBe(size);
    expect(toBase64(await rootAt(size))).toBe(toBase64(checkpoint.root));
    if (size === 0) return;
    expect(Buffer.from(tileAt(size))).toEqual(
      readFileSync(join(LOG, tilePath({ level: 0, index: 0 }, size))),
    );
    const bundle = readFileSync(join(LOG, tilePath({ level: 'entries', index: 0 }, size)));
    const leaves = WORDS.slice(0, size).map((word) => Buffer.from(word));
    expect(Buffer.from(encodeEntries(leaves))).toEqual(bundle);
    expect(decodeEntries(bundle)?.map((leaf) => Buffer.from(leaf).toString())).toEqual(WORDS.slice(0, size));
  });

  test('each of its trees is proven to be a prefix of the later ones', async () => {
    for (const size of sizes)
      for (const oldSize of sizes.slice(0, size)) {
        const proof = await Promise.all(
          consistencyPath(oldSize, size).map((range) => rangeRoot(hasher, read(size), range)),
        );
        const roots = { oldRoot: await rootAt(oldSize), root: await rootAt(size) };
        const claim = { oldSize, size, ...roots, proof };
        expect(verifyConsistency(new TreeHasher(nodeSha256), claim)).toBe(true);
      }
  });
});
