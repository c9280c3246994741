import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Zip, ZipDeflate } from 'fflate';
import { toUtf8 } from '../bytes.ts';
import { type BundleParts, bundleFiles } from './bundle.ts';

/**
 * Writes a bundle into one new folder.
 *
 * @returns how many leaves it holds.
 */
export async function writeBundle(folder: string, parts: BundleParts): Promise<number> {
  const files = bundleFiles(parts);
  for (;;) {
    const next = await files.next();
    if (next.done === true) return next.value;
    const { path, pieces } = next.value;
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await pipeline(pieces, createWriteStream(join(folder, path), { flags: 'wx' }));
  }
}

/** A zip without the 64-bit extensions holds 65,535 files and 4 GiB: more leaves than this are for the folder. */
export const MAX_ZIP_LEAVES = 4_000_000;

/** A bundle as one zip file, piece by piece. */
export async function* zipBundle(parts: BundleParts): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  const zip = new Zip((error, chunk) => {
    if (error !== null) throw error;
    ready.push(chunk);
  });
  for await (const { path, pieces } of bundleFiles(parts)) {
    const entry = new ZipDeflate(path);
    entry.mtime = parts.now;
    zip.add(entry);
    for await (const piece of pieces) {
      entry.push(typeof piece === 'string' ? toUtf8(piece) : piece);
      yield* ready.splice(0);
    }
    entry.push(new Uint8Array(), true);
    yield* ready.splice(0);
  }
  zip.end();
  yield* ready.splice(0);
}
