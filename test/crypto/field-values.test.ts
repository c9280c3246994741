import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeValue, encodeValue, type FieldValue, MAX_VALUE_BYTES } from '../../src/crypto/field-values.ts';
import { codeOf } from './code-of.ts';

const roundTrip = (value: FieldValue): FieldValue => decodeValue(encodeValue(value));
const nest = (levels: number): FieldValue => (levels === 0 ? 1 : [nest(levels - 1)]);

const fieldValue = fc.letrec<{ value: FieldValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.double(),
    fc.bigInt(),
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      tie('value'),
      {
        maxKeys: 4,
        noNullPrototype: true,
      },
    ),
  ),
})).value;

describe('a field value', () => {
  test('comes back as it was, whatever it is', () => {
    fc.assert(
      fc.property(fieldValue, (value) => {
        expect(roundTrip(value)).toEqual(value);
      }),
    );
  });

  test.each<[string, FieldValue]>([
    ['text that looks like JSON', '{"a":1}'],
    ['text that looks like a number', '0012'],
    ['text that says null', 'null'],
    ['empty text', ''],
    ['text of every plane', 'Zoë 李小龍 👩🏽‍⚕️ \u0000\uFFFF e\u0301'],
    ['minus zero', -0],
    ['not a number', Number.NaN],
    ['an infinity', Number.NEGATIVE_INFINITY],
    ['an integer beyond 2^53', 2n ** 64n + 1n],
    ['a negative bigint', -(2n ** 200n)],
    ['bigint zero, which is not 0', 0n],
    ['the first instant that a Date holds', new Date(-8.64e15)],
    ['no bytes', Buffer.alloc(0)],
    ['an empty array', []],
    ['an empty map', {}],
    ['null in an array', [null, [null]]],
    ['a map with the names of Object.prototype', { constructor: 1, toString: 'x', hasOwnProperty: null }],
  ])('%s comes back as itself', (_name, value) => {
    const back = roundTrip(value);
    expect(back).toStrictEqual(value);
    if (typeof value === 'number') expect(Object.is(back, value)).toBe(true);
  });

  test('a key that is undefined is absent, a key that is null is there', () => {
    expect(roundTrip({ gone: undefined, there: null })).toStrictEqual({ there: null });
  });

  test('any Uint8Array comes back as a Buffer with the same bytes', () => {
    const view = new Uint8Array([9, 1, 2, 9]).subarray(1, 3);
    const back = roundTrip(view);
    expect(Buffer.isBuffer(back)).toBe(true);
    expect(back).toEqual(Buffer.from([1, 2]));
  });

  test('null, booleans, numbers, dates and short texts encode to the same length', () => {
    const lengths = [null, true, false, 7, new Date(0), 'male', 'female', ''].map(
      (v) => encodeValue(v).length,
    );
    expect(new Set(lengths)).toEqual(new Set([16]));
  });

  test.each<[string, FieldValue, string]>([
    ['null', null, '0100'],
    ['false', false, '0101'],
    ['true', true, '0102'],
    ['a number', -1.5, '0103bff8000000000000'],
    ['a bigint', -258n, '01040100000002' + '0102'],
    ['bigint zero', 0n, '01040000000000'],
    ['text', 'é', '010500000002c3a9'],
    ['a date', new Date(1), '01063ff0000000000000'],
    ['bytes', Buffer.from([0xff]), '010700000001ff'],
    ['an array', [null, true], '0108000000020002'],
    ['a map', { b: null, a: 'x' }, '01090000000200000001620000000001610500000001' + '78'],
  ])('the stored shape of %s is frozen', (_name, value, hex) => {
    const pinned = Buffer.from(hex, 'hex');
    const padded = Buffer.alloc(Math.ceil(pinned.length / 16) * 16);
    pinned.copy(padded);
    expect(encodeValue(value).toString('hex')).toBe(padded.toString('hex'));
    expect(decodeValue(padded)).toEqual(value);
  });
});

describe('what would not come back as it is', () => {
  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['undefined in an array', [undefined]],
    ['a hole in an array', new Array(1)],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['an invalid date', new Date(Number.NaN)],
    ['a Map', new Map()],
    ['a class instance', new (class Stamp {})()],
    ['an unpaired surrogate', '\ud800'],
    ['an unpaired surrogate in a key', { '\udc00': 1 }],
    ['a key __proto__', JSON.parse('{"__proto__":{"admin":true}}')],
  ])('%s is refused', (_name, value) => {
    expect(codeOf(() => encodeValue(value as FieldValue))).toBe('INPUT');
  });

  test.each<[string, () => FieldValue]>([
    ['33 levels', () => nest(33)],
    [
      'a value that holds itself',
      () => {
        const loop: FieldValue[] = [];
        loop.push(loop);
        return loop;
      },
    ],
    ['text over 512 KiB', () => 'x'.repeat(MAX_VALUE_BYTES)],
    ['many small parts over 512 KiB', () => new Array(100_000).fill(1)],
  ])('%s is too large', (_name, make) => {
    expect(codeOf(() => encodeValue(make()))).toBe('TOO_LARGE');
  });

  test('32 levels and the largest text are not', () => {
    expect(roundTrip(nest(32))).toEqual(nest(32));
    const largest = 'x'.repeat(MAX_VALUE_BYTES - 6);
    expect(roundTrip(largest)).toBe(largest);
  });
});
