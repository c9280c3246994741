import { DocumentError } from '../../src/clinic/documents/errors.ts';
import { checkObjectName, LISTED, type ObjectStore } from '../../src/clinic/documents/object-store.ts';

/** What {@link memoryObjects} makes. */
export interface MemoryObjects extends ObjectStore {
  readonly kept: Map<string, Buffer>;
  /** From now on every put after so many fails; null mends it. */
  failAfter(puts: number | null): void;
}

/** An object store for unit tests. */
export function memoryObjects(): MemoryObjects {
  const kept = new Map<string, Buffer>();
  let left: number | null = null;
  return {
    kept,
    failAfter: (puts) => {
      left = puts;
    },
    put: async (name, bytes) => {
      checkObjectName(name);
      if (left === 0 || kept.has(name))
        throw new DocumentError('OBJECTS_UNAVAILABLE', 'No.', { retryable: true });
      if (left !== null) left -= 1;
      kept.set(name, Buffer.from(bytes));
    },
    get: async (name) => {
      checkObjectName(name);
      return kept.get(name) ?? null;
    },
    list: async (prefix) => [...kept.keys()].filter((name) => name.startsWith(prefix)).slice(0, LISTED),
    delete: async (name) => {
      checkObjectName(name);
      kept.delete(name);
    },
  };
}
