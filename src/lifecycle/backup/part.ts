import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { badPart } from './errors.ts';
import { type Part, partFile } from './manifest.ts';

/** Writes a part, some lines at a time, and says what the manifest needs. For its owner alone; on disk when this is done. */
export async function writePart(
  folder: string,
  { name, columns }: Pick<Part, 'name' | 'columns'>,
  pages: AsyncIterable<readonly string[]>,
): Promise<Part> {
  const file = await open(join(folder, partFile({ name })), 'wx', 0o600);
  const hash = createHash('sha256');
  let [rows, bytes] = [0, 0];
  try {
    for await (const lines of pages) {
      const chunk = Buffer.from(lines.join(''), 'utf8');
      await file.writeFile(chunk);
      hash.update(chunk);
      rows += lines.length;
      bytes += chunk.length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { name, columns, rows, bytes, sha256: hash.digest('hex') };
}

/** Reads a part from the disk and holds it to its manifest. @throws BackupError `BACKUP_PART`. */
export async function verifyPart(folder: string, part: Part): Promise<void> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(join(folder, partFile(part)))) hash.update(chunk as Buffer);
  } catch {
    throw badPart(partFile(part), 'is missing or cannot be read');
  }
  if (hash.digest('hex') !== part.sha256) throw badPart(partFile(part), 'is not what its manifest says');
}

/** The lines of a part that was verified. Memory holds one at a time. */
export async function* linesOf(folder: string, part: Part): AsyncGenerator<string> {
  const lines = createInterface({
    input: createReadStream(join(folder, partFile(part))),
    crlfDelay: Infinity,
  });
  yield* lines;
}
