import { createSecretKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { deriveIndexKey, INDEX_PURPOSES, indexTag, requireIndexBits } from '../../src/crypto/blind-index.ts';
import { codeOf } from './code-of.ts';

const key = createSecretKey(Buffer.alloc(32, 7));
const tag = (
  parts: string[],
  options: { purpose?: 'mrn' | 'email' | 'name-birth-date'; bits?: number } = {},
) => indexTag(key, { purpose: 'mrn', parts, ...options });

describe('a tag', () => {
  test('is frozen', () => {
    expect(tag(['mrn0012'])).toBe('_aGiXAymBhV98qqvULu0HA');
    expect(tag(['quinn', '1980-02-29'], { purpose: 'name-birth-date', bits: 12 })).toBe('ocA');
    expect(INDEX_PURPOSES).toEqual(['mrn', 'email', 'phone', 'name-birth-date', 'surname-birth-year']);
  });

  test('differs by purpose, by key and by length, for the same value', () => {
    const other = createSecretKey(Buffer.alloc(32, 8));
    const tags = [
      tag(['a']),
      tag(['a'], { purpose: 'email' }),
      indexTag(other, { purpose: 'mrn', parts: ['a'] }),
      tag(['a'], { bits: 120 }),
      deriveIndexKey(key, 'search').export().subarray(0, 16).toString('base64url'),
    ];
    expect(new Set(tags).size).toBe(5);
    expect(tags[0]?.startsWith(tags[3]?.slice(0, 4) ?? '')).toBe(false);
  });

  test('keeps parts apart', () => {
    expect(tag(['ab', 'c'])).not.toBe(tag(['a', 'bc']));
    expect(tag(['ab'])).not.toBe(tag(['ab', '']));
  });

  test('of n bits takes every one of 2^n values and no other', () => {
    const seen = new Set(
      Array.from({ length: 2_000 }, (_, index) =>
        Buffer.from(tag([String(index)], { bits: 5 }), 'base64url').readUInt8(),
      ),
    );
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: 32 }, (_, index) => index * 8));
  });

  test('is truncated to 4 to 32 bits', () => {
    for (const bits of [3, 33, 8.5, Number.NaN])
      expect(codeOf(() => requireIndexBits({ nameBirthDate: bits, surnameBirthYear: 8 }))).toBe('INPUT');
    expect(codeOf(() => requireIndexBits({ nameBirthDate: 4, surnameBirthYear: 32 }))).toBe('done');
  });
});
