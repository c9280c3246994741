import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { COLLECTIONS, COMPARTMENTS, encodeContext, type SealContext } from '../../src/crypto/context.ts';
import { referenceContext } from './reference-seal.ts';
import { anyContext, codeOf, SAMPLE_CONTEXT } from './samples.ts';

const encode = (changes: Partial<Record<keyof SealContext, unknown>>): string =>
  encodeContext({ ...SAMPLE_CONTEXT, ...changes } as SealContext).toString('hex');

describe('the context encoding', () => {
  test('its bytes are frozen', () => {
    expect(encode({})).toBe(
      [
        '01000b636861727473 65616c2f31',
        '020009726976657273696465',
        '0300057061745f31',
        '040006636861727473',
        '0500057061745f31',
        '060008636c696e6963616c',
        '07000400000001',
        '0800080000000000000003',
        '09000577686f6c65',
        '0a000400000000',
        '0b000400000001',
      ]
        .join('')
        .replaceAll(' ', ''),
    );
  });

  test('the names that are bound into every value are frozen: add at the end, never rename', () => {
    expect(COLLECTIONS).toEqual([
      'charts',
      'appointments',
      'manifests',
      'idempotency',
      'documents',
      'requests',
      'exports',
      'cards',
    ]);
    expect(COMPARTMENTS).toEqual([
      'demographics',
      'contact',
      'identifiers',
      'clinical',
      'sensitive',
      'financial',
      'scheduling',
      'manifest',
      'answer',
      'words',
      'file',
      'card',
    ]);
  });

  test('agrees with the reference for any context', () => {
    fc.assert(
      fc.property(anyContext, (context) => {
        expect(encodeContext(context).equals(referenceContext(context))).toBe(true);
      }),
    );
  });

  test('two different contexts never encode alike', () => {
    fc.assert(
      fc.property(anyContext, anyContext, (a, b) => {
        const same = Object.keys(a).every((field) => a[field as 'tenant'] === b[field as 'tenant']);
        expect(encodeContext(a).equals(encodeContext(b))).toBe(same);
      }),
    );
  });

  test('moving a character over a field boundary changes the encoding: ab, c is not a, bc', () => {
    expect(encode({ tenant: 'ab', patient: 'c' })).not.toBe(encode({ tenant: 'a', patient: 'bc' }));
    expect(encode({ document: 'ab', chunkSet: 'c' })).not.toBe(encode({ document: 'a', chunkSet: 'bc' }));
  });

  test('the result does not change when another context is encoded after it', () => {
    const first = encodeContext(SAMPLE_CONTEXT);
    const before = first.toString('hex');
    encodeContext({ ...SAMPLE_CONTEXT, document: 'x'.repeat(64) });
    expect(first.toString('hex')).toBe(before);
  });

  test.each(Object.keys(SAMPLE_CONTEXT))('without %s there is no context', (field) => {
    expect(codeOf(() => encode({ [field]: undefined }))).toBe('CONTEXT');
    expect(codeOf(() => encode({ [field]: null }))).toBe('CONTEXT');
  });

  test.each([
    ['tenant', ''],
    ['tenant', 'ab|c'],
    ['patient', 'x'.repeat(65)],
    ['patient', 'José'],
    ['document', 'a/b'],
    ['document', 'a\n'],
    ['document', ['a']],
    ['chunkSet', 'a b'],
    ['collection', 'Charts'],
    ['collection', 'toString'],
    ['compartment', 'notes'],
    ['schema', -1],
    ['schema', 2 ** 32],
    ['schema', 1.5],
    ['schema', '1'],
    ['revision', Number.NaN],
    ['revision', 2 ** 53],
    ['chunkIndex', -1],
    ['chunkIndex', 1],
    ['chunkCount', 0],
  ])('%s refuses %j', (field, value) => {
    expect(codeOf(() => encode({ [field]: value }))).toBe('CONTEXT');
  });

  test('the refusal names the field and never the value', () => {
    expect(() => encode({ document: 'John Doe' })).toThrow(/^The sealing context's document is missing/);
  });
});
