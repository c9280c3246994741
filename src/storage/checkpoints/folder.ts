import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AuditError } from '../../audit/errors.ts';
import type { CheckpointStore } from '../../audit/outside.ts';

/**
 * Checkpoints in a folder, for development and for whoever mounts storage of another machine. A file appears whole or
 * not at all, and is never replaced.
 */
export function openCheckpointFolder(folder: string): CheckpointStore {
  return {
    get: async (name) => {
      try {
        return new Uint8Array(await readFile(join(folder, name)));
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return null;
        throw unavailable();
      }
    },
    putIfAbsent: async (name, bytes) => {
      const path = join(folder, name);
      const draft = join(folder, `.${randomUUID()}`);
      try {
        await mkdir(dirname(path), { recursive: true });
        await writeThrough(draft, bytes);
        await link(draft, path);
        return true;
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return false;
        throw unavailable();
      } finally {
        await rm(draft, { force: true }).catch(() => undefined);
      }
    },
  };
}

async function writeThrough(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;
const unavailable = (): AuditError =>
  new AuditError(
    'OUTSIDE_UNAVAILABLE',
    'The checkpoint folder cannot be used. Check the path and its rights.',
    {
      retryable: true,
    },
  );
