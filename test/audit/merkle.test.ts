import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  consistencyPath,
  GrowingTree,
  inclusionPath,
  type LeafRange,
  TreeHasher,
  verifyConsistency,
  verifyInclusion,
} from '../../src/audit/merkle.ts';
import { nodeSha256 } from '../../src/audit/node-sha256.ts';
import { sha256 } from '../../src/audit/sha256.ts';

const hasher = new TreeHasher(sha256);
const leafAt = (index: number): Uint8Array => hasher.leaf(Buffer.from(`leaf ${index}`));

/** RFC 6962 §2.1, word for word: slow, and without a thought of its own. */
function reference({ from, to }: LeafRange): Buffer {
  const n = to - from;
  if (n === 0) return createHash('sha256').digest();
  if (n === 1) return createHash('sha256').update(Buffer.of(0)).update(`leaf ${from}`).digest();
  let k = 1;
  while (k * 2 < n) k *= 2;
  return createHash('sha256')
    .update(Buffer.of(1))
    .update(reference({ from, to: from + k }))
    .update(reference({ from: from + k, to }))
    .digest();
}
const rootAt = (size: number): Buffer => reference({ from: 0, to: size });

test('the portable SHA-256 is SHA-256, at every length around its blocks', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(Buffer.from(sha256(bytes))).toEqual(Buffer.from(nodeSha256(bytes)));
    }),
    { numRuns: 400 },
  );
  expect(Buffer.from(sha256(Buffer.from('abc'))).toString('hex')).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});

test('the roots of the first sizes are frozen', () => {
  const tree = new GrowingTree(hasher);
  const roots = [0, 1, 2, 3, 7, 8].map((size) => {
    while (tree.size < size) tree.push(leafAt(tree.size));
    return Buffer.from(tree.root()).toString('hex').slice(0, 16);
  });
  expect(roots).toEqual([
    'e3b0c44298fc1c14',
    '1bb97dcc21635d47',
    'fc5f6b88ff8554f7',
    'd4f92c8fbb89720e',
    '5a61fc2b54f9cfa7',
    'c5c2c820ed342fdd',
  ]);
});

describe('proofs agree with the plain definition', () => {
  const sizes = fc.integer({ min: 1, max: 300 });

  test('a growing tree has the root of the definition', () => {
    const tree = new GrowingTree(hasher);
    for (let size = 0; size <= 130; size += 1) {
      expect(Buffer.from(tree.root())).toEqual(rootAt(size));
      tree.push(leafAt(size));
    }
  });

  test('every leaf is proven to be in, and in no other place', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), (size, any, other) => {
        const index = any % size;
        const proof = inclusionPath(index, size).map(reference);
        const claim = { index, size, leafHash: leafAt(index), root: rootAt(size), proof };
        expect(verifyInclusion(hasher, claim)).toBe(true);
        const elsewhere = other % size;
        expect(verifyInclusion(hasher, { ...claim, index: elsewhere })).toBe(elsewhere === index);
        expect(verifyInclusion(hasher, { ...claim, proof: [...proof, leafAt(0)] })).toBe(false);
        expect(verifyInclusion(hasher, { ...claim, proof: proof.slice(1) })).toBe(size === 1);
        expect(verifyInclusion(hasher, { ...claim, leafHash: leafAt(9999) })).toBe(false);
        expect(verifyInclusion(hasher, { ...claim, index: size })).toBe(false);
      }),
    );
  });

  test('a prefix is proven to be one, and a fork is not', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), (size, any) => {
        const oldSize = any % (size + 1);
        const proof = consistencyPath(oldSize, size).map(reference);
        const claim = { oldSize, oldRoot: rootAt(oldSize), size, root: rootAt(size), proof };
        expect(verifyConsistency(hasher, claim)).toBe(true);
        expect(verifyConsistency(hasher, { ...claim, oldRoot: leafAt(9999) })).toBe(false);
        // An empty tree is a prefix of any tree, whatever its root.
        expect(verifyConsistency(hasher, { ...claim, root: leafAt(9999) })).toBe(oldSize === 0);
        expect(verifyConsistency(hasher, { ...claim, proof: [...proof, leafAt(0)] })).toBe(false);
        expect(verifyConsistency(hasher, { ...claim, size: oldSize - 1 })).toBe(false);
      }),
    );
  });

  test('a place outside the tree has no proof', () => {
    expect(() => inclusionPath(3, 3)).toThrow(RangeError);
    expect(() => inclusionPath(-1, 3)).toThrow(RangeError);
    expect(() => consistencyPath(4, 3)).toThrow(RangeError);
  });
});
