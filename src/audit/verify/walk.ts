import { equalBytes, fromUtf8, toBase64url } from '../bytes.ts';
import type { AuditEvent } from '../event.ts';
import { GrowingTree, splitHashes, type TreeHasher } from '../merkle.ts';
import { TILE_HEIGHT, TILE_WIDTH, tilePath } from '../tiles.ts';
import type { Findings } from './report.ts';
import type { LogSource } from './source.ts';

/** An event, its leaf hash in base64url, and when it was recorded, ms since the epoch. */
export interface SeenEvent {
  readonly event: AuditEvent;
  readonly hash: string;
  readonly at: number;
}

/** What {@link walkTree} is told. */
export interface WalkOptions {
  readonly hasher: TreeHasher;
  readonly tenant: string;
  readonly size: number;
  /** Sizes whose roots are wanted. */
  readonly sizes: readonly number[];
  /** Shown each event of the tree, in order. */
  readonly see: (seen: SeenEvent, index: number) => void;
  readonly findings: Findings;
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What the walk found, besides findings. */
export interface Walk {
  /** Size → root, as far as the tree goes. */
  readonly roots: ReadonlyMap<number, Uint8Array>;
  /** Leaves that are not there, as half-open ranges. */
  readonly missing: readonly { from: number; to: number }[];
  /** The last hashes of a missing beginning, base64url. */
  readonly cutHashes: ReadonlySet<string>;
}

const MAX_CUT_HASHES = 5_000;
const UTC = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

/**
 * Reads every leaf once, from the first to the last, and holds leaves, tiles and hashes of tiles against each other.
 * Keeps one bundle at a time.
 */
export async function walkTree(source: LogSource, options: WalkOptions): Promise<Walk> {
  const walker = new Walker(source, options);
  for (let bundle = 0; bundle * TILE_WIDTH < options.size; bundle += 1) {
    options.signal?.throwIfAborted();
    if (!(await walker.bundle(bundle))) break;
    options.onProgress?.(Math.min(options.size, (bundle + 1) * TILE_WIDTH), options.size);
  }
  await walker.edge();
  return walker;
}

class Walker implements Walk {
  readonly roots = new Map<number, Uint8Array>();
  readonly missing: { from: number; to: number }[] = [];
  readonly cutHashes = new Set<string>();
  readonly #source: LogSource;
  readonly #options: WalkOptions;
  readonly #tree: GrowingTree;
  readonly #wanted: Set<number>;
  /** Hashes of the levels above the leaves that no full tile holds yet, and how many full tiles came before. */
  readonly #levels: { hashes: Uint8Array[]; index: number }[] = [];

  constructor(source: LogSource, options: WalkOptions) {
    this.#source = source;
    this.#options = options;
    this.#tree = new GrowingTree(options.hasher, (height, root) => this.#subtree(height, root));
    this.#wanted = new Set(options.sizes);
    this.#noteRoot();
  }

  /** False when there is nothing of the bundle: the walk ends. */
  async bundle(bundle: number): Promise<boolean> {
    const { size, findings } = this.#options;
    const width = Math.min(TILE_WIDTH, size - bundle * TILE_WIDTH);
    const [tile, leaves] = await Promise.all([
      this.#source.tile({ level: 0, index: bundle }),
      this.#source.leaves(bundle),
    ]);
    const stored = splitHashes((tile ?? new Uint8Array()).subarray(0, width * 32));
    if (stored.length < width) findings.add('TILE_MISSING', tilePath({ level: 0, index: bundle }, width));
    if (stored.length === 0 && leaves.every((leaf) => leaf === null)) {
      this.#miss(bundle * TILE_WIDTH, size);
      return false;
    }
    for (let place = 0; place < width; place += 1)
      if (!this.#leaf(bundle * TILE_WIDTH + place, leaves[place] ?? null, stored[place] ?? null))
        return false;
    await this.#compareFullTiles();
    return true;
  }

  /** The partial tiles of the levels above. */
  async edge(): Promise<void> {
    for (const [above, { hashes, index }] of this.#levels.entries())
      if (hashes.length > 0) await this.#compareTile({ level: above + 1, index }, hashes);
  }

  /** Takes up the tile's hash, or the leaf's own where there is no tile. False when there is neither. */
  #leaf(index: number, leaf: Uint8Array | null, stored: Uint8Array | null): boolean {
    const { hasher, findings } = this.#options;
    const own = leaf === null ? null : hasher.leaf(leaf);
    const hash = stored ?? own;
    if (hash === null) {
      this.#miss(index, this.#options.size);
      return false;
    }
    if (own === null) this.#gone(index, hash);
    else if (equalBytes(own, hash)) this.#show(index, leaf ?? own, hash);
    else findings.add('LEAF_CHANGED', index);
    this.#tree.push(hash);
    this.#noteRoot();
    return true;
  }

  #show(index: number, leaf: Uint8Array, hash: Uint8Array): void {
    const { findings, tenant, see } = this.#options;
    const event = readEvent(leaf);
    if (event === null) findings.add('LEAF_UNREADABLE', index);
    else if (event.tenant !== tenant) findings.add('OTHER_TENANT', index);
    else see({ event, hash: toBase64url(hash), at: Date.parse(event.recorded) }, index);
  }

  #gone(index: number, hash: Uint8Array): void {
    this.#miss(index, index + 1);
    if (this.missing[0]?.from !== 0 || this.missing.length > 1) return;
    this.cutHashes.add(toBase64url(hash));
    if (this.cutHashes.size <= MAX_CUT_HASHES) return;
    for (const oldest of this.cutHashes) {
      this.cutHashes.delete(oldest);
      break;
    }
  }

  #miss(from: number, to: number): void {
    const last = this.missing.at(-1);
    if (last?.to === from) last.to = to;
    else this.missing.push({ from, to });
  }

  /** The root of 256^level leaves is a hash of the tiles of that level. */
  #subtree(height: number, root: Uint8Array): void {
    if (height % TILE_HEIGHT !== 0) return;
    const level = height / TILE_HEIGHT;
    this.#levels[level - 1] ??= { hashes: [], index: 0 };
    this.#levels[level - 1]?.hashes.push(root);
  }

  async #compareFullTiles(): Promise<void> {
    for (const [above, at] of this.#levels.entries()) {
      if (at.hashes.length < TILE_WIDTH) continue;
      await this.#compareTile({ level: above + 1, index: at.index }, at.hashes);
      at.hashes = [];
      at.index += 1;
    }
  }

  async #compareTile(at: { level: number; index: number }, hashes: readonly Uint8Array[]): Promise<void> {
    const tile = await this.#source.tile(at);
    const stored = tile === null ? [] : splitHashes(tile.subarray(0, hashes.length * 32));
    if (hashes.some((hash, n) => !equalBytes(hash, stored[n] ?? new Uint8Array())))
      this.#options.findings.add('TILE_CHANGED', tilePath(at, hashes.length));
  }

  #noteRoot(): void {
    if (this.#wanted.has(this.#tree.size)) this.roots.set(this.#tree.size, this.#tree.root());
  }
}

/** Null when the bytes are no event. */
export function readEvent(leaf: Uint8Array): AuditEvent | null {
  try {
    const event = JSON.parse(fromUtf8(leaf)) as AuditEvent;
    const { writer, recorded, tenant, id } = event;
    const isEvent =
      typeof tenant === 'string' &&
      typeof id === 'string' &&
      UTC.test(recorded) &&
      typeof writer.boot === 'string' &&
      Number.isSafeInteger(writer.count) &&
      Array.isArray(writer.confirmed) &&
      Array.isArray(writer.abandoned);
    return isEvent ? event : null;
  } catch {
    return null;
  }
}
