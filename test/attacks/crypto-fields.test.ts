import { createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeContext, WHOLE } from '../../src/crypto/context.ts';
import { type FieldPlace, fieldContexts } from '../../src/crypto/field-context.ts';
import { decodeValue } from '../../src/crypto/field-values.ts';
import { openFields, sealFields } from '../../src/crypto/fields.ts';
import { seal } from '../../src/crypto/sealed-value.ts';
import type { PatientId, TenantId } from '../../src/kernel/ids.ts';
import { codeOf } from '../crypto/code-of.ts';
import { oldPayload } from '../crypto/legacy/old-app.ts';

const key = { version: 1, secret: createSecretKey(Buffer.alloc(32, 7)) };
const place: FieldPlace = {
  tenant: 'riverside',
  subject: 'person_1',
  collection: 'people',
  document: 'doc_1',
  schema: 1,
  revision: 3,
};
const sealOne = (value: unknown, at: Partial<FieldPlace> = {}) =>
  sealFields({ f: value }, ['f'], { key, place: { ...place, ...at } }).f;
const openAt = (document: object, fields: readonly string[], at: Partial<FieldPlace> = {}) =>
  codeOf(() =>
    openFields(document as Record<string, unknown>, fields, { keys: [key], place: { ...place, ...at } }),
  );

describe('a sealed field somewhere else', () => {
  const f = sealOne('secret');

  test('opens where it was sealed', () => {
    expect(openAt({ f }, ['f'])).toBe('done');
  });

  test.each<Partial<FieldPlace>>([
    { tenant: 'lakeside' },
    { subject: 'person_2' },
    { collection: 'staff' },
    { document: 'doc_2' },
    { schema: 2 },
    { revision: 2 },
    { revision: 4 },
  ])('does not open in %o', (elsewhere) => {
    expect(openAt({ f }, ['f'], elsewhere)).toBe('COMMITMENT');
  });

  test('does not open when parts of the place trade characters', () => {
    const ab = sealOne(1, { collection: 'ab', document: 'c' });
    expect(openAt({ f: ab }, ['f'], { collection: 'a', document: 'bc' })).toBe('COMMITMENT');
    const slash = sealOne(1, { collection: 'a/b', document: 'c' });
    expect(openAt({ f: slash }, ['f'], { collection: 'a', document: 'b/c' })).toBe('COMMITMENT');
  });

  test.each<[string, object, readonly string[]]>([
    ['renamed', { g: f }, ['g']],
    ['moved into a map', { m: { f } }, ['m.f']],
    ['moved into an array', { f: [f] }, ['f.*']],
    ['moved under its own name', { f: { f } }, ['f.f']],
  ])('does not open %s', (_name, document, fields) => {
    expect(openAt(document, fields)).toBe('COMMITMENT');
  });

  test('swapped with its neighbour, nothing of the document opens', () => {
    const sealed = sealFields({ a: 1, b: 2 }, ['a', 'b'], { key, place });
    expect(openAt({ a: sealed.b, b: sealed.a }, ['a', 'b'])).toBe('COMMITMENT');
  });

  test('elements of an array do not open in another order, or as a map', () => {
    const { list } = sealFields({ list: ['x', 'y'] }, ['list.*'], { key, place });
    expect(openAt({ list }, ['list.*'])).toBe('done');
    expect(openAt({ list: list.toReversed() }, ['list.*'])).toBe('COMMITMENT');
    expect(openAt({ list: { ...list } }, ['list.0', 'list.1'])).toBe('COMMITMENT');
  });

  test('a field of one revision does not open beside fields of the next', () => {
    const old = sealFields({ a: 1, b: 1 }, ['a', 'b'], { key, place });
    const next = sealFields({ a: 2, b: 2 }, ['a', 'b'], { key, place: { ...place, revision: 4 } });
    expect(openAt({ ...next, b: old.b }, ['a', 'b'], { revision: 4 })).toBe('COMMITMENT');
  });

  test('a chart value does not open as a field, nor a field as a chart value', () => {
    const chart = encodeContext({
      tenant: 'riverside' as TenantId,
      patient: 'person_1' as PatientId,
      collection: 'documents',
      document: 'doc_1',
      compartment: 'clinical',
      schema: 1,
      revision: 3,
      ...WHOLE,
    });
    expect(openAt({ f: seal(Buffer.alloc(16), key, chart) }, ['f'])).toBe('COMMITMENT');
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (collection, document) => {
        const context = fieldContexts({ ...place, collection, document })(['f']);
        expect(context.subarray(0, 14).equals(chart.subarray(0, 14))).toBe(false);
      }),
    );
  });
});

describe('a changed field', () => {
  const f = sealOne('secret') as unknown as Buffer;

  test('does not open, whichever bit was flipped', () => {
    for (let bit = 0; bit < f.length * 8; bit += 1) {
      const flipped = Buffer.from(f);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(['FORMAT', 'COMMITMENT', 'TAG', 'KEY_MISSING']).toContain(openAt({ f: flipped }, ['f']));
    }
  });

  test('does not open, wherever it was cut', () => {
    for (let length = 0; length < f.length; length += 1)
      expect(['FORMAT', 'TAG']).toContain(openAt({ f: f.subarray(0, length) }, ['f']));
  });

  test.each<[string, unknown]>([
    ['text in clear', 'secret'],
    ['null in clear', null],
    ['a number in clear', 7],
    ['bytes in clear', Buffer.from('secret')],
    ['a map in clear', { v: 1 }],
    ['a value of an old format, whose key may be known', oldPayload('"secret"')],
    ['a Buffer that went through JSON', JSON.parse(JSON.stringify(f))],
    ['padded base64', `sealed:${f.toString('base64')}=`],
    ['text with a stray character', `sealed:${f.toString('base64url')}!`],
  ])('%s is not passed off as sealed', (_name, planted) => {
    expect(openAt({ f: planted }, ['f'])).toBe('FORMAT');
  });

  test('one bad field keeps all others closed', () => {
    const { a, b } = sealFields({ a: 1, b: 2 }, ['a', 'b'], { key, place });
    const cut = (b as unknown as Buffer).subarray(1);
    expect(openAt({ a, b: cut }, ['a', 'b'])).toBe('FORMAT');
  });
});

describe('forged plaintexts (by whoever holds the key, or a bug)', () => {
  const forge = (plaintext: Buffer) => seal(plaintext, key, fieldContexts(place)(['f']));
  const padded = (hex: string) => {
    const bytes = Buffer.from(hex, 'hex');
    return Buffer.concat([bytes, Buffer.alloc((16 - (bytes.length % 16)) % 16)]);
  };

  test.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['no padding', Buffer.from('0100', 'hex')],
    ['a byte hidden in the padding', padded('01000000000000000000000000000001')],
    ['a second block of padding', Buffer.concat([padded('0100'), Buffer.alloc(16)])],
    ['another encoding version', padded('0200')],
    ['an unknown tag', padded('010a')],
    ['a count of four billion', padded('0108ffffffff')],
    ['a text longer than its bytes', padded('0105000000ff')],
    ['bytes that are not UTF-8', padded('010500000001ff')],
    ['a bigint with a leading zero', padded('010400000000020001')],
    ['minus zero as a bigint', padded('01040100000000')],
    ['a sign of two', padded('0104020000000101')],
    ['a date that is none', padded('01067ff8000000000000')],
    ['a key twice', padded('010900000002' + '000000016100' + '000000016101')],
    ['a key __proto__', padded(`010900000001${'00000009'}${Buffer.from('__proto__').toString('hex')}02`)],
    ['33 levels', padded(`01${'0800000001'.repeat(33)}00`)],
  ])('%s is refused', (_name, plaintext) => {
    expect(openAt({ f: forge(plaintext) }, ['f'])).toBe('FORMAT');
  });

  test('a decoder given anything answers or refuses, and never hangs', () => {
    const started = performance.now();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 96 }), (tail) => {
        const bytes = padded(`01${Buffer.from(tail).toString('hex')}`);
        expect(['done', 'FORMAT']).toContain(codeOf(() => decodeValue(bytes)));
      }),
      { numRuns: 20_000 },
    );
    expect(performance.now() - started).toBeLessThan(15_000);
  });
});

describe('prototype pollution', () => {
  test('no path reaches a prototype', () => {
    for (const path of ['__proto__', '__proto__.polluted', 'a.__proto__.polluted'])
      expect(openAt({ a: {} }, [path])).toBe('INPUT');
    expect(openAt({ a: {} }, ['constructor.prototype.polluted'])).toBe('done');
    expect('polluted' in {}).toBe(false);
  });

  test('inherited members are no fields', () => {
    const sealed = sealFields({ a: {} } as Record<string, unknown>, ['toString', 'a.constructor'], {
      key,
      place,
    });
    expect(sealed).toStrictEqual({ a: {} });
  });

  test('a document with an own __proto__ keeps it as data', () => {
    const document = JSON.parse('{"f":1,"__proto__":{"polluted":true}}');
    const sealed = sealFields(document as Record<string, unknown>, ['f'], { key, place });
    expect(Object.getPrototypeOf(sealed)).toBe(Object.prototype);
    expect('polluted' in sealed).toBe(false);
  });
});

test('deep nesting in what surrounds a field costs nothing', () => {
  let deep: unknown = 1;
  for (let level = 0; level < 100_000; level += 1) deep = [deep];
  expect(openAt({ f: sealOne(1), deep }, ['f'])).toBe('done');
});
