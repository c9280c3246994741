import { DocumentError } from './errors.ts';

/**
 * What documents ask of a place for large sealed bytes. Two adapters fulfil it (`storage/objects`), one contract suite
 * holds both to it. A name is opaque ids with slashes between, and is used once; nothing in it comes from a person.
 *
 * Every call is bounded in time and throws DocumentError `OBJECTS_UNAVAILABLE` (retryable) when it did not work.
 */
export interface ObjectStore {
  /** Keeps the bytes, whole or not at all. An object is never replaced: a name that is taken is `OBJECTS_UNAVAILABLE`. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** Null when there is no such object. */
  get(name: string): Promise<Buffer | null>;
  /** Some names below a prefix that ends with a slash, at most {@link LISTED}; empty only when there is none. */
  list(prefix: string): Promise<string[]>;
  /** No error when there is no such object. */
  delete(name: string): Promise<void>;
}

/** Names that one look lists. */
export const LISTED = 200;
/** The longest that one call takes, in ms: an adapter's attempts and the pauses between them. */
export const OBJECT_CALL_MS = 45_000;

const NAME = /^[A-Za-z0-9_-]{1,64}(?:\/[A-Za-z0-9_-]{1,64}){1,4}$/;

/** @throws DocumentError `OBJECTS_UNAVAILABLE` for a name that could lead anywhere else; adapters call it first. */
export function checkObjectName(name: string): void {
  if (!NAME.test(name)) throw new DocumentError('OBJECTS_UNAVAILABLE', 'An object has a malformed name.');
}

/** Deletes everything below a prefix. Safe to repeat and to kill. */
export async function deleteBelow(objects: ObjectStore, prefix: string): Promise<void> {
  for (;;) {
    const names = await objects.list(prefix);
    if (names.length === 0) return;
    for (const name of names) await objects.delete(name);
  }
}
