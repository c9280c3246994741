import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeContext, type SealContext } from '../../src/crypto/context.ts';
import { keyVersionOf, MAX_PLAINTEXT, open, SEAL_OVERHEAD, seal } from '../../src/crypto/sealed-value.ts';
import type { PatientId, TenantId } from '../../src/kernel/ids.ts';
import { referenceOpen, referenceSeal } from './reference-seal.ts';
import { anyContext, codeOf, SAMPLE_CONTEXT, sampleKey } from './samples.ts';

/** Sealed once, written down, never to change: what is stored today must open for ever. */
const FROZEN: readonly {
  readonly name: string;
  readonly key: ReturnType<typeof sampleKey>;
  readonly context: SealContext;
  readonly plaintext: string;
  readonly salt: string;
  readonly sealed: string;
}[] = [
  {
    name: 'an empty value',
    key: sampleKey(0x07, 1),
    context: SAMPLE_CONTEXT,
    plaintext: '',
    salt: '000102030405060708090a0b0c0d0e0f',
    sealed:
      'c501000000000001000102030405060708090a0b0c0d0e0fbb7741dbacd2fe3a11aa0fa9b6b947e1' +
      '7596f1a661fc1f0cf18dcc4c62e6daa3dcdba6bfba317ca792bb33a87d5910c9',
  },
  {
    name: 'a JSON value',
    key: sampleKey(0x07, 1),
    context: SAMPLE_CONTEXT,
    plaintext: '7b2268656c6c6f223a226368617274227d',
    salt: '000102030405060708090a0b0c0d0e0f',
    sealed:
      'c501000000000001000102030405060708090a0b0c0d0e0fbb7741dbacd2fe3a11aa0fa9b6b947e1' +
      '7596f1a661fc1f0cf18dcc4c62e6daa36cf7200a3072d88dd7415fdee6741a81fc675c7a2e357146' +
      'd4135db1405d389219',
  },
  {
    name: 'a chunk, with every number at its edge',
    key: sampleKey(0xa5, 4_000_000_000),
    context: {
      tenant: 'north' as TenantId,
      patient: 'pat_2' as PatientId,
      collection: 'documents',
      document: 'doc_9',
      compartment: 'sensitive',
      schema: 2,
      revision: Number.MAX_SAFE_INTEGER,
      chunkSet: 'set_1',
      chunkIndex: 3,
      chunkCount: 12,
    },
    plaintext: '00ff00ff',
    salt: 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff',
    sealed:
      'c5010000ee6b2800f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff39e58f893192737653943b12c4b2d507' +
      '2218ebe67f87a950b0161347c527d39f974c54e16b27fa2cad5df935811e5fccd268ecf6',
  },
];

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

describe('the sealed format', () => {
  test.each(FROZEN)('opens $name that was written down', ({ key, context, sealed, plaintext }) => {
    expect(open(bytes(sealed), key, encodeContext(context)).toString('hex')).toBe(plaintext);
    expect(keyVersionOf(bytes(sealed))).toBe(key.version);
  });

  test.each(FROZEN)('the reference makes the same bytes of $name', async (vector) => {
    const { key, context, plaintext, salt, sealed } = vector;
    const made = await referenceSeal(bytes(plaintext), { key, context, salt: bytes(salt) });
    expect(Buffer.from(made).toString('hex')).toBe(sealed);
  });

  test('adds exactly 72 bytes', () => {
    expect(SEAL_OVERHEAD).toBe(72);
    for (const size of [0, 1, 15, 16, 17, 1024]) {
      expect(seal(new Uint8Array(size), sampleKey(), encodeContext(SAMPLE_CONTEXT))).toHaveLength(size + 72);
    }
  });

  test('whatever is sealed opens again, here and in the reference, and has the bytes the reference makes', async () => {
    const cases = fc.tuple(
      fc.uint8Array({ maxLength: 2_000 }),
      anyContext,
      fc.integer({ min: 1, max: 0xffffffff }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ([plaintext, context, version]) => {
        const key = sampleKey(plaintext.length % 256, version);
        const sealed = seal(plaintext, key, encodeContext(context));
        expect(open(sealed, key, encodeContext(context)).equals(plaintext)).toBe(true);
        expect(Buffer.from(await referenceOpen(sealed, { key, context })).equals(plaintext)).toBe(true);
        const again = await referenceSeal(plaintext, { key, context, salt: sealed.subarray(8, 24) });
        expect(sealed.equals(again)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('opens a Uint8Array that is a view into a larger buffer', () => {
    const context = encodeContext(SAMPLE_CONTEXT);
    const sealed = seal(Buffer.from('view'), sampleKey(), context);
    const room = new Uint8Array(sealed.length + 20).fill(9);
    room.set(sealed, 13);
    expect(open(room.subarray(13, 13 + sealed.length), sampleKey(), context).toString()).toBe('view');
  });

  test('the same value sealed twice shares no salt, and ten thousand salts are all different', () => {
    const context = encodeContext(SAMPLE_CONTEXT);
    const salts = new Set<string>();
    for (let count = 0; count < 10_000; count += 1) {
      salts.add(seal(new Uint8Array(1), sampleKey(), context).toString('hex', 8, 24));
    }
    expect(salts.size).toBe(10_000);
  });

  test('a sealed value does not change when others are sealed after it', () => {
    const context = encodeContext(SAMPLE_CONTEXT);
    const kept = Array.from({ length: 50 }, (_, n) => seal(Buffer.from(`value ${n}`), sampleKey(), context));
    for (let count = 0; count < 3_000; count += 1) seal(new Uint8Array(64), sampleKey(9), context);
    kept.forEach((sealed, n) => {
      expect(open(sealed, sampleKey(), context).toString()).toBe(`value ${n}`);
    });
  });

  test('512 KiB is the most that one value holds', () => {
    const context = encodeContext(SAMPLE_CONTEXT);
    const most = seal(new Uint8Array(MAX_PLAINTEXT), sampleKey(), context);
    expect(open(most, sampleKey(), context)).toHaveLength(524_288);
    expect(codeOf(() => seal(new Uint8Array(MAX_PLAINTEXT + 1), sampleKey(), context))).toBe('TOO_LARGE');
    expect(codeOf(() => open(Buffer.concat([most, Buffer.alloc(1)]), sampleKey(), context))).toBe('FORMAT');
  });
});
