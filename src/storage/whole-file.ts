import { randomUUID } from 'node:crypto';
import { link, mkdir, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Folders that somebody empties meanwhile are made again so often. */
const MAX_TRIES = 3;

/**
 * Writes a file that appears whole or not at all, and is on the disk when this returns. False when there is one of that
 * name: it stays as it is.
 */
export async function putWholeFile(
  folder: string,
  file: { readonly name: string; readonly bytes: Uint8Array; readonly mode: number },
): Promise<boolean> {
  const path = join(folder, file.name);
  const draft = join(folder, `.${randomUUID()}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeThrough(draft, file);
    for (let tries = 1; ; tries += 1) {
      await mkdir(dirname(path), { recursive: true });
      const failed = await link(draft, path).then(() => null, codeOf);
      if (failed === null) return true;
      if (failed === 'EEXIST') return false;
      if (failed !== 'ENOENT' || tries === MAX_TRIES)
        throw new Error('The file could not be put in its place.');
    }
  } finally {
    await rm(draft, { force: true }).catch(() => undefined);
  }
}

async function writeThrough(
  path: string,
  { bytes, mode }: { bytes: Uint8Array; mode: number },
): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The code of a fault of the file system. */
export const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;
