import { concat, equalBytes } from './bytes.ts';
import type { Sha256 } from './sha256.ts';

/**
 * The Merkle tree of RFC 6962 §2.1: hashes, roots, and proofs. A leaf hash has the prefix 0x00 and a node hash 0x01,
 * so no leaf can pass for a node. Sizes and indexes are safe integers.
 */

/** Half-open, `[from, to)`, in leaves. */
export interface LeafRange {
  readonly from: number;
  readonly to: number;
}

/** The hashes of the tree, over a SHA-256. Not to be shared between threads: it has a buffer of its own. */
export class TreeHasher {
  readonly #sha256: Sha256;
  readonly #pair = new Uint8Array(65).fill(1, 0, 1);
  #leaf = new Uint8Array(1_024);

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  /** The root of a tree without leaves: SHA-256 of nothing. */
  get empty(): Uint8Array {
    return this.#sha256(new Uint8Array());
  }

  /** SHA-256(0x00 ‖ leaf). */
  leaf(leaf: Uint8Array): Uint8Array {
    if (leaf.length >= this.#leaf.length) this.#leaf = new Uint8Array(2 * leaf.length + 1);
    this.#leaf.set(leaf, 1);
    return this.#sha256(this.#leaf.subarray(0, leaf.length + 1));
  }

  /** SHA-256(0x01 ‖ left ‖ right). */
  node(left: Uint8Array, right: Uint8Array): Uint8Array {
    this.#pair.set(left, 1);
    this.#pair.set(right, 33);
    return this.#sha256(this.#pair);
  }
}

/** A tree that grows leaf by leaf and remembers no more than one hash for each bit of its size. */
export class GrowingTree {
  readonly #hasher: TreeHasher;
  /** Roots of the complete subtrees, from the left: one for each 1 bit of the size. */
  readonly #peaks: Uint8Array[] = [];
  readonly #onSubtree: ((height: number, root: Uint8Array) => void) | undefined;
  #size = 0;

  /** `onSubtree` is told of each complete subtree of 2^height leaves as it is completed, from the left. */
  constructor(hasher: TreeHasher, onSubtree?: (height: number, root: Uint8Array) => void) {
    this.#hasher = hasher;
    this.#onSubtree = onSubtree;
  }

  get size(): number {
    return this.#size;
  }

  push(leafHash: Uint8Array): void {
    let hash = leafHash;
    let height = 0;
    for (let n = this.#size; n % 2 === 1; n = (n - 1) / 2) {
      hash = this.#hasher.node(this.#peaks.pop() ?? hash, hash);
      height += 1;
      this.#onSubtree?.(height, hash);
    }
    this.#peaks.push(hash);
    this.#size += 1;
  }

  root(): Uint8Array {
    return foldPeaks(this.#hasher, this.#peaks);
  }
}

/** The root above complete subtrees of falling size; the empty root for none. */
export function foldPeaks(hasher: TreeHasher, peaks: readonly Uint8Array[]): Uint8Array {
  const last = peaks.at(-1);
  if (last === undefined) return hasher.empty;
  return peaks.slice(0, -1).reduceRight((right, left) => hasher.node(left, right), last);
}

/**
 * Which subtrees make the inclusion proof of leaf `index` in the tree of `size`, in the proof's order (§2.1.1).
 *
 * @throws RangeError unless 0 ≤ index < size.
 */
export function inclusionPath(index: number, size: number): LeafRange[] {
  if (!(index >= 0 && index < size)) throw new RangeError('The index is not in the tree.');
  const path: LeafRange[] = [];
  let from = 0;
  let to = size;
  while (to - from > 1) {
    const split = from + splitOf(to - from);
    const isLeft = index < split;
    path.unshift(isLeft ? { from: split, to } : { from, to: split });
    if (isLeft) to = split;
    else from = split;
  }
  return path;
}

/**
 * Which subtrees make the proof that the tree of `oldSize` is a prefix of the tree of `size`, in the proof's order
 * (§2.1.2). Empty for the empty tree, and for equal sizes.
 *
 * @throws RangeError unless 0 ≤ oldSize ≤ size.
 */
export function consistencyPath(oldSize: number, size: number): LeafRange[] {
  if (!(oldSize >= 0 && oldSize <= size)) throw new RangeError('The old size is not a part of the tree.');
  if (oldSize === 0 || oldSize === size) return [];
  const path: LeafRange[] = [];
  let from = 0;
  let to = size;
  while (to !== oldSize) {
    const split = from + splitOf(to - from);
    const isLeft = oldSize <= split;
    path.unshift(isLeft ? { from: split, to } : { from, to: split });
    if (isLeft) to = split;
    else from = split;
  }
  // A whole left part needs no hash of its own: the verifier holds it, it is the old root.
  return from === 0 ? path : [{ from, to }, ...path];
}

/** A leaf's claim to be in a tree. */
export interface InclusionClaim {
  readonly index: number;
  readonly size: number;
  readonly leafHash: Uint8Array;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** RFC 9162 §2.1.3.2. */
export function verifyInclusion(hasher: TreeHasher, claim: InclusionClaim): boolean {
  if (!(claim.index >= 0 && claim.index < claim.size)) return false;
  let fn = claim.index;
  let sn = claim.size - 1;
  let hash = claim.leafHash;
  for (const step of claim.proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      hash = hasher.node(step, hash);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      hash = hasher.node(hash, step);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && equalBytes(hash, claim.root);
}

/** Two trees' claim that one is a prefix of the other. */
export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly oldRoot: Uint8Array;
  readonly size: number;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** RFC 9162 §2.1.4.2. The empty tree is a prefix of every tree, and its root must be the empty root. */
export function verifyConsistency(hasher: TreeHasher, claim: ConsistencyClaim): boolean {
  const { oldSize, oldRoot, size, root } = claim;
  if (!(oldSize >= 0 && oldSize <= size)) return false;
  if (oldSize === 0) return claim.proof.length === 0 && equalBytes(oldRoot, hasher.empty);
  if (oldSize === size) return claim.proof.length === 0 && equalBytes(oldRoot, root);
  const [first, ...steps] = isPowerOfTwo(oldSize) ? [oldRoot, ...claim.proof] : claim.proof;
  if (first === undefined) return false;
  let fn = oldSize - 1;
  let sn = size - 1;
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)];
  let [oldHash, hash] = [first, first];
  for (const step of steps) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      [oldHash, hash] = [hasher.node(step, oldHash), hasher.node(step, hash)];
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      hash = hasher.node(hash, step);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && equalBytes(oldHash, oldRoot) && equalBytes(hash, root);
}

/** The largest power of two below `size`, for `size` > 1. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

const half = (n: number): number => Math.floor(n / 2);
const isPowerOfTwo = (n: number): boolean => n > 0 && (n === 1 || splitOf(n) * 2 === n);

/** The root above a run of hashes whose first is at an aligned place: a tile's, or a part of one. */
export function rootOf(hasher: TreeHasher, hashes: readonly Uint8Array[]): Uint8Array {
  const tree = new GrowingTree(hasher);
  for (const hash of hashes) tree.push(hash);
  return tree.root();
}

/** Hashes of 32 bytes, one after another → one by one. */
export function splitHashes(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / 32 }, (_, index) => bytes.subarray(index * 32, index * 32 + 32));
}

export const joinHashes = (hashes: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => concat(...hashes);
