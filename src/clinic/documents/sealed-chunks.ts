import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { encodeContext } from '../../crypto/context.ts';
import type { PatientRef } from '../../crypto/patient-keys.ts';
import { MAX_PLAINTEXT, open, seal } from '../../crypto/sealed-value.ts';

/**
 * A document's bytes as sealed values of at most 512 KiB, under a key that is the document's own. A stream does not know
 * its length, so each chunk but the last is sealed as one of `index + 2`, the last as one of `index + 1`: a chunk that is
 * dropped, added, moved or taken from elsewhere does not open, and neither does a file that was cut short.
 */

/** Plaintext bytes of every chunk but the last. */
export const CHUNK_BYTES = MAX_PLAINTEXT;
const SCHEMA = 1;
/** The key is never used for anything else, so it has one version. */
const KEY_VERSION = 1;
const KEY_BYTES = 32;

/** Which document a chunk is of. */
export interface DocumentRef extends PatientRef {
  readonly document: string;
}

/** A fresh document key, as bytes to be sealed. Zero them when that is done. */
export const newDocumentKey = (): Buffer => randomBytes(KEY_BYTES);
export const documentKeyOf = (bytes: Uint8Array): KeyObject => createSecretKey(bytes);

/** How many chunks a document of so many bytes has; an empty one has one. */
export const chunkCountOf = (size: number): number => Math.max(1, Math.ceil(size / CHUNK_BYTES));

/** Seals as the bytes come: at most two chunks are in memory. */
export async function* sealChunks(
  plain: AsyncIterable<Uint8Array>,
  of: DocumentRef,
  key: KeyObject,
): AsyncGenerator<Buffer> {
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let [filled, index] = [0, 0];
  const sealed = (isLast: boolean): Buffer => {
    const context = contextOf(of, { index, isLast });
    return seal(chunk.subarray(0, filled), { version: KEY_VERSION, secret: key }, context);
  };
  try {
    for await (const piece of plain)
      for (let from = 0; from < piece.length; ) {
        // Only now is it known that the full chunk is not the last.
        if (filled === CHUNK_BYTES) {
          yield sealed(false);
          [filled, index] = [0, index + 1];
        }
        const part = piece.subarray(from, from + CHUNK_BYTES - filled);
        chunk.set(part, filled);
        filled += part.length;
        from += part.length;
      }
    yield sealed(true);
  } finally {
    chunk.fill(0);
  }
}

/** Opens one chunk of a document that has `count`. @throws CryptoError as `open` does. */
export function openChunk(
  sealed: Uint8Array,
  of: DocumentRef,
  { index, count, key }: { index: number; count: number; key: KeyObject },
): Buffer {
  const context = contextOf(of, { index, isLast: index === count - 1 });
  return open(sealed, { version: KEY_VERSION, secret: key }, context);
}

const contextOf = (
  { tenant, patient, document }: DocumentRef,
  { index, isLast }: { index: number; isLast: boolean },
): Buffer =>
  encodeContext({
    ...{ tenant, patient, document, collection: 'documents', compartment: 'file', schema: SCHEMA },
    revision: 0,
    chunkSet: document,
    chunkIndex: index,
    chunkCount: index + (isLast ? 1 : 2),
  });
