import type { Dirent } from 'node:fs';
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DocumentError } from '../../clinic/documents/errors.ts';
import { checkObjectName, LISTED, type ObjectStore } from '../../clinic/documents/object-store.ts';
import { codeOf, putWholeFile } from '../whole-file.ts';

/** Objects as files below a folder that their owner alone reads. For development, and for a machine of one's own. */
export function openObjectFolder(folder: string): ObjectStore {
  const root = resolve(folder);
  return {
    put: async (name, bytes) => {
      checkObjectName(name);
      const isNew = await putWholeFile(root, { name, bytes, mode: 0o600 }).catch(() => false);
      if (!isNew) throw unavailable();
    },
    get: async (name) => {
      checkObjectName(name);
      return readFile(join(root, name)).catch(absent(null));
    },
    list: async (prefix) => {
      const names: string[] = [];
      await collect(join(root, prefix), prefix, names);
      return names;
    },
    delete: async (name) => {
      checkObjectName(name);
      await rm(join(root, name)).catch(absent(undefined));
      await dropEmpty(dirname(join(root, name)), root);
    },
  };
}

/** The names of files below a folder, until there are enough. */
async function collect(path: string, prefix: string, names: string[]): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(absent<Dirent[]>([]));
  for (const entry of entries) {
    if (names.length >= LISTED) return;
    const name = `${prefix}${entry.name}`;
    if (entry.isDirectory()) await collect(join(path, entry.name), `${name}/`, names);
    else names.push(name);
  }
}

/** A bucket has no folders: an empty one would go on naming whose it was. */
async function dropEmpty(path: string, root: string): Promise<void> {
  for (let at = path; at !== root; at = dirname(at))
    if (
      !(await rmdir(at).then(
        () => true,
        () => false,
      ))
    )
      return;
}

const absent =
  <T>(instead: T) =>
  (error: unknown): T => {
    const code = codeOf(error);
    // A folder is no object.
    if (code === 'ENOENT' || code === 'EISDIR') return instead;
    throw unavailable();
  };
const unavailable = (): DocumentError =>
  new DocumentError(
    'OBJECTS_UNAVAILABLE',
    'The folder of documents cannot be used. Check the path and its rights.',
    {
      retryable: true,
    },
  );
