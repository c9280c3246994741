import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CHUNK_BYTES,
  chunkCountOf,
  type DocumentRef,
  documentKeyOf,
  newDocumentKey,
  openChunk,
  sealChunks,
} from '../../../src/clinic/documents/sealed-chunks.ts';
import { SEAL_OVERHEAD } from '../../../src/crypto/sealed-value.ts';
import type { PatientId, TenantId } from '../../../src/kernel/ids.ts';
import { codeOf } from '../../crypto/code-of.ts';

const OF: DocumentRef = { tenant: 't1' as TenantId, patient: 'pat_1' as PatientId, document: 'doc_1' };
const KEY = documentKeyOf(Buffer.alloc(32, 7));

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}
const sealed = async (bytes: Buffer, size = 65_536, of = OF, key = KEY): Promise<Buffer[]> => {
  const chunks: Buffer[] = [];
  for await (const chunk of sealChunks(pieces(bytes, size), of, key)) chunks.push(chunk);
  return chunks;
};
const opened = (chunks: readonly Buffer[], of = OF, key = KEY): Buffer =>
  Buffer.concat(chunks.map((chunk, index) => openChunk(chunk, of, { index, count: chunks.length, key })));
const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const patterned = (size: number): Buffer =>
  Buffer.from(Uint8Array.from({ length: size }, (_, n) => (n * 31) >> 3));

describe('a document in chunks', () => {
  test.each([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])(
    'of %i bytes comes back as it was, in as many chunks as its size says',
    async (size) => {
      const bytes = patterned(size);
      const chunks = await sealed(bytes);
      expect(chunks).toHaveLength(chunkCountOf(size));
      expect(chunks.reduce((sum, { length }) => sum + length, 0)).toBe(size + chunks.length * SEAL_OVERHEAD);
      expect(sha(opened(chunks))).toBe(sha(bytes));
    },
  );

  test('does not depend on how it was cut on its way', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 500, max: 2 * CHUNK_BYTES }), async (piece) => {
        const bytes = patterned(CHUNK_BYTES + 10);
        expect(sha(opened(await sealed(bytes, piece)))).toBe(sha(bytes));
      }),
      { numRuns: 8 },
    );
  });

  describe('that was tampered with does not open', () => {
    const bytes = patterned(2 * CHUNK_BYTES + 5);
    const refused = (chunks: readonly Buffer[], of = OF, key = KEY): string =>
      codeOf(() => opened(chunks, of, key));

    test('dropped, cut short, added, moved', async () => {
      const [a, b, c] = (await sealed(bytes)) as [Buffer, Buffer, Buffer];
      expect(refused([a, b, c])).toBe('done');
      for (const chunks of [[a, b], [a], [b, c], [a, c], [b, a, c], [a, b, b, c], [a, b, c, c], [c]])
        expect(refused(chunks)).toBe('COMMITMENT');
    });

    test('a chunk of another document, patient or clinic, or under another key', async () => {
      const chunks = await sealed(bytes);
      for (const change of [
        { document: 'doc_2' },
        { patient: 'pat_2' as PatientId },
        { tenant: 't2' as TenantId },
      ]) {
        expect(refused(chunks, { ...OF, ...change })).toBe('COMMITMENT');
        const other = await sealed(bytes, 65_536, { ...OF, ...change });
        expect(refused([chunks[0] as Buffer, other[1] as Buffer, chunks[2] as Buffer])).toBe('COMMITMENT');
      }
      expect(refused(chunks, OF, documentKeyOf(newDocumentKey()))).toBe('COMMITMENT');
    });

    test('any one byte, any cut', async () => {
      const [chunk] = (await sealed(Buffer.from('a letter'))) as [Buffer];
      for (let at = 0; at < chunk.length; at += 1) {
        const flipped = Buffer.from(chunk);
        flipped[at] = (flipped[at] ?? 0) ^ 1;
        expect(refused([flipped])).not.toBe('done');
        expect(refused([chunk.subarray(0, at)])).not.toBe('done');
      }
    });
  });

  test('the form of a chunk is pinned', () => {
    const stored = Buffer.from(PINNED, 'base64');
    expect(openChunk(stored, OF, { index: 0, count: 1, key: KEY }).toString()).toBe('a letter');
  });
});

/** Sealed once; what is in buckets already opens for ever. */
const PINNED =
  'xQEAAAAAAAHXwmsyFClQxl4L/E1GL4MnICXGgBEMFvrUDoiZJY1mh5sPq6zfI3ARwJCJnMh8XG7s7zknoWvm+W4MCvEmiEzS1Xdj2Cja1No=';
