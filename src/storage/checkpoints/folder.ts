import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AuditError } from '../../audit/errors.ts';
import type { CheckpointStore } from '../../audit/outside.ts';
import { codeOf, putWholeFile } from '../whole-file.ts';

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
    putIfAbsent: (name, bytes) =>
      putWholeFile(folder, { name, bytes, mode: 0o644 }).catch(() => {
        throw unavailable();
      }),
  };
}

const unavailable = (): AuditError =>
  new AuditError(
    'OUTSIDE_UNAVAILABLE',
    'The checkpoint folder cannot be used. Check the path and its rights.',
    {
      retryable: true,
    },
  );
