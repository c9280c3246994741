import { TILE_WIDTH, tilePath, tilesOf, widthOf } from '../tiles.ts';
import { formatTrustedKey, type TrustedKey } from '../trusted-keys.ts';
import { leafLine, pendingLine } from '../verify/bundle-source.ts';
import type { LogSource, StoredValue } from '../verify/source.ts';

/** What goes into an evidence bundle. */
export interface BundleParts {
  readonly tenant: string;
  readonly origin: string;
  readonly source: LogSource;
  readonly checkpoint: Uint8Array | null;
  /** Published before it, by number. */
  readonly earlier: ReadonlyMap<number, Uint8Array>;
  readonly keys: readonly TrustedKey[];
  readonly stored: AsyncIterable<StoredValue>;
  /** The self-contained verifier, as JavaScript. */
  readonly verifier: string;
  readonly now: number;
}

/** One file of a bundle, its path with slashes. */
export interface BundleFile {
  readonly path: string;
  readonly pieces: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;
}

/**
 * Everything that proves the log, file by file: leaves, tiles, checkpoints, keys, what the store holds, and the program
 * that verifies it. Each file is to be read to its end before the next is asked for; a million events need no more
 * memory than a thousand.
 *
 * @returns how many leaves it holds.
 */
export async function* bundleFiles(parts: BundleParts): AsyncGenerator<BundleFile, number> {
  const { tenant, origin, source, now } = parts;
  yield { path: 'store.ndjson', pieces: jsonLines(parts.stored) };
  yield { path: 'pending.ndjson', pieces: pendingLines(source) };
  const size = await source.size();
  yield { path: 'leaves.ndjson', pieces: leafLines(source, size) };
  for (const at of tilesOf(size)) {
    const width = widthOf(at, size);
    const tile = (await source.tile(at))?.subarray(0, width * 32) ?? new Uint8Array();
    yield { path: tilePath(at, width), pieces: [tile] };
  }
  if (parts.checkpoint !== null) yield { path: 'checkpoint', pieces: [parts.checkpoint] };
  for (const [number, note] of parts.earlier)
    yield { path: `checkpoints/${String(number).padStart(12, '0')}`, pieces: [note] };
  yield { path: 'keys.txt', pieces: [`${parts.keys.map(formatTrustedKey).join('\n')}\n`] };
  yield { path: 'verify.mjs', pieces: [parts.verifier] };
  yield { path: 'README.txt', pieces: [README] };
  const about = { tenant, origin, size, exportedAt: new Date(now).toISOString() };
  yield { path: 'bundle.json', pieces: [`${JSON.stringify(about, null, 2)}\n`] };
  return size;
}

const README = `The audit log of one tenant, with everything that proves it.

  node verify.mjs                      verify this folder (Node 24, no network)
  node verify.mjs --checkpoint FILE    against a checkpoint that you kept yourself
  node verify.mjs --keys FILE          with keys that you pinned yourself, one a line
  node verify.mjs --journal FILE       against the journal of the log bucket
  node verify.mjs --cloudtrail FILE    against CloudTrail's KMS records, one JSON object a line

Without --checkpoint and --keys it goes by what the same party exported. It ends with 0 when everything holds, 1 when
something does not, 3 when it could not find out. Tiles and checkpoints are as c2sp.org/tlog-tiles describes them;
leaves.ndjson holds the exact bytes of each leaf, one a line, an empty line for one that is gone.
`;

async function* leafLines(source: LogSource, size: number): AsyncGenerator<string> {
  for (let bundle = 0; bundle * TILE_WIDTH < size; bundle += 1) {
    const leaves = await source.leaves(bundle);
    const width = Math.min(TILE_WIDTH, size - bundle * TILE_WIDTH);
    yield Array.from({ length: width }, (_, place) => `${leafLine(leaves[place] ?? null)}\n`).join('');
  }
}

async function* pendingLines(source: LogSource): AsyncGenerator<string> {
  for await (const event of source.pending()) yield `${pendingLine(event)}\n`;
}

async function* jsonLines(values: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`;
}
