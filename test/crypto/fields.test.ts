import { createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import type { FieldPlace } from '../../src/crypto/field-context.ts';
import { fieldContexts } from '../../src/crypto/field-context.ts';
import type { Sealed } from '../../src/crypto/field-types.ts';
import { openFields, sealFields } from '../../src/crypto/fields.ts';
import { open } from '../../src/crypto/sealed-value.ts';
import { codeOf } from './code-of.ts';

const key = { version: 1, secret: createSecretKey(Buffer.alloc(32, 7)) };
const keys = [key];
const place: FieldPlace = {
  tenant: 'riverside',
  subject: 'person_1',
  collection: 'people',
  document: 'doc_1',
  schema: 1,
  revision: 3,
};

interface Person {
  id: string;
  name: string;
  born: Date;
  nickname?: string | undefined;
  mother: string | null;
  contact: { phone: string; city: string } | null;
  visits: { at: Date; note: string }[];
  tags: string[];
}
const person: Person = {
  id: 'doc_1',
  name: 'Zoë Quinn',
  born: new Date('1980-02-29'),
  mother: null,
  contact: { phone: '+1 555 0100', city: 'Riverside' },
  visits: [
    { at: new Date(0), note: 'first' },
    { at: new Date(1), note: 'second' },
  ],
  tags: ['a', 'b'],
};
const FIELDS = ['name', 'born', 'nickname', 'mother', 'contact.phone', 'visits.*.note', 'tags.*'] as const;

describe('sealFields and openFields', () => {
  test('what is sealed comes back, and the rest stays as it is', () => {
    const sealed = sealFields(person, FIELDS, { key, place });
    expect(sealed.id).toBe('doc_1');
    expect(sealed.contact?.city).toBe('Riverside');
    expect(sealed.name).toBeInstanceOf(Buffer);
    expect(openFields(sealed, FIELDS, { keys, place })).toStrictEqual(person);
  });

  test('nothing of a sealed field is in the document', () => {
    const stored = Buffer.concat(leavesOf(sealFields(person, FIELDS, { key, place })));
    for (const canary of ['Zoë', '555 0100', 'first', 'second']) expect(stored.includes(canary)).toBe(false);
    expect(stored.includes('Riverside')).toBe(true);
  });

  test('the document that was given is not changed', () => {
    const before = structuredClone(person);
    const sealed = sealFields(person, FIELDS, { key, place });
    openFields(sealed, FIELDS, { keys, place });
    expect(person).toStrictEqual(before);
  });

  test('null is sealed as a value, undefined is absence', () => {
    const sealed = sealFields({ ...person, nickname: undefined }, FIELDS, { key, place });
    expect(sealed.mother).toBeInstanceOf(Buffer);
    expect(sealed.nickname).toBeUndefined();
    expect('nickname' in sealFields(person, FIELDS, { key, place })).toBe(false);
    const unreachable: Person = { ...person, contact: null };
    expect(sealFields(unreachable, FIELDS, { key, place }).contact).toBeNull();
  });

  test('a whole array or map is one field', () => {
    const whole = ['visits', 'contact'] as const;
    const sealed = sealFields(person, whole, { key, place });
    expect(sealed.visits).toBeInstanceOf(Buffer);
    expect(openFields(sealed, whole, { keys, place })).toStrictEqual(person);
  });

  test('as text, a document goes through JSON and back', () => {
    const options = { key, place, as: 'text' } as const;
    const row = JSON.parse(
      JSON.stringify(sealFields({ note: '{"a":1}', n: 2n ** 60n }, ['note', 'n'], options)),
    );
    expect(row.note).toMatch(/^sealed:[A-Za-z0-9_-]+$/);
    expect(openFields(row, ['note', 'n'], { keys, place })).toEqual({ note: '{"a":1}', n: 2n ** 60n });
  });

  test('each sealed field costs 72 bytes and its padding, and is never the same twice', () => {
    const one = sealFields({ a: true }, ['a'], { key, place }).a as unknown as Buffer;
    const two = sealFields({ a: true }, ['a'], { key, place }).a as unknown as Buffer;
    expect(one).toHaveLength(72 + 16);
    expect(one.equals(two)).toBe(false);
  });

  test('any text, number and shape of text survives', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.bigInt(), fc.double()), (value) => {
        const sealed = sealFields({ value }, ['value'], { key, place });
        expect(openFields(sealed, ['value'], { keys, place })).toStrictEqual({ value });
      }),
    );
  });

  test('fields sealed under several key versions open with the keys of all of them', () => {
    const next = { version: 2, secret: createSecretKey(Buffer.alloc(32, 8)) };
    const mixed = {
      ...sealFields({ a: 1 }, ['a'], { key, place }),
      ...sealFields({ b: 2 }, ['b'], { key: next, place }),
    };
    expect(openFields(mixed, ['a', 'b'], { keys: [key, next], place })).toEqual({ a: 1, b: 2 });
    expect(codeOf(() => openFields(mixed, ['a', 'b'], { keys, place }))).toBe('KEY_MISSING');
  });
});

describe('a field list that does not fit', () => {
  const at = (document: object, fields: readonly string[]) =>
    codeOf(() => sealFields(document as Record<string, unknown>, fields, { key, place }));

  test.each<[string, object, readonly string[]]>([
    ['no field at all', {}, []],
    ['an empty path', {}, ['']],
    ['an empty step', {}, ['a..b']],
    ['a path named twice', {}, ['a', 'a']],
    ['a path inside another', {}, ['a', 'a.b']],
    ['another around a path', {}, ['a.b', 'a']],
    ['__proto__', {}, ['__proto__.polluted']],
    ['a map where an array is', { a: [{ b: 1 }] }, ['a.b']],
    ['an index where * belongs', { a: [{ b: 1 }] }, ['a.0.b']],
    ['an array where a map is', { a: { b: 1 } }, ['a.*']],
    ['a path through text', { a: 'x' }, ['a.b']],
    ['a path through a date', { a: new Date(0) }, ['a.b']],
    ['a key with a dot, which would stay in clear', { 'a.b': 'x' }, ['a.b']],
    ['a nested key with a dot', { a: { 'b.c': 'x' } }, ['a.b.c']],
    ['a document that is an array', [], ['a']],
    ['a document that is a class instance', new Map(), ['size']],
    ['17 steps', {}, ['a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q']],
    ['101 fields', {}, Array.from({ length: 101 }, (_, index) => `f${index}`)],
  ])('%s is refused', (_name, document, fields) => {
    expect(at(document, fields)).toBe('INPUT');
  });

  test('over 1,000 sealed values are too many for one document', () => {
    expect(at({ a: new Array(1_000).fill(1) }, ['a.*'])).toBe('done');
    expect(at({ a: new Array(1_001).fill(1) }, ['a.*'])).toBe('TOO_LARGE');
  });

  test('sealing a sealed field again is refused, as bytes and as text', () => {
    for (const as of ['bytes', 'text'] as const) {
      const once = sealFields({ a: 1 }, ['a'], { key, place, as }) as Record<string, unknown>;
      expect(at(once, ['a'])).toBe('INPUT');
    }
  });

  test('the message names the field and no value', () => {
    const canary = 'canary-5550100';
    const bad = { contact: { phone: [canary, undefined] } };
    expect(() => sealFields(bad, ['contact.phone'], { key, place })).toThrow(/^Field "contact.phone": /);
    expect(() => sealFields(bad, ['contact.phone'], { key, place })).not.toThrow(canary);
  });

  test.each(['tenant', 'subject', 'collection', 'document', 'schema', 'revision'] as const)(
    'a place without its %s is refused',
    (part) => {
      const { [part]: _, ...rest } = place;
      expect(codeOf(() => sealFields({ a: 1 }, ['a'], { key, place: rest as FieldPlace }))).toBe('CONTEXT');
    },
  );

  test.each<[string, Partial<FieldPlace>]>([
    ['empty text', { tenant: '' }],
    ['an unpaired surrogate', { document: '\ud800' }],
    ['1,501 bytes', { collection: 'x'.repeat(1_501) }],
    ['a negative revision', { revision: -1 }],
    ['a fraction', { schema: 0.5 }],
    ['a schema over u32', { schema: 2 ** 32 }],
  ])('a place with %s is refused', (_name, part) => {
    expect(codeOf(() => sealFields({ a: 1 }, ['a'], { key, place: { ...place, ...part } }))).toBe('CONTEXT');
  });
});

describe('the context of a field', () => {
  test('is frozen', () => {
    const context = fieldContexts({ ...place, tenant: 't', subject: 's', collection: 'c', document: 'd' });
    expect(context(['visits', 1, 'note']).toString('hex')).toBe(
      '01001163686172747365616c2f6669656c642f31' +
        '02000174' +
        '03000173' +
        '04000163' +
        '05000164' +
        '06000400000001' +
        '0700080000000000000003' +
        '0800170100067669736974730200040000000101' +
        '00046e6f7465',
    );
  });

  test('what was sealed before opens today', () => {
    const stored = Buffer.from(PINNED, 'base64url');
    expect(openFields({ name: stored }, ['name'], { keys, place })).toEqual({ name: 'Zoë Quinn' });
    expect(
      open(stored, key, fieldContexts(place)(['name']))
        .subarray(0, 6)
        .toString('hex'),
    ).toBe('01050000000a');
  });
});

describe('types', () => {
  test('a sealed field cannot be used as its value', () => {
    const sealed = sealFields(person, FIELDS, { key, place });
    expectTypeOf(sealed.name).toEqualTypeOf<Sealed<string>>();
    expectTypeOf(sealed.nickname).toEqualTypeOf<Sealed<string> | undefined>();
    expectTypeOf(sealed.mother).toEqualTypeOf<Sealed<string | null>>();
    expectTypeOf(sealed.contact).toEqualTypeOf<{ phone: Sealed<string>; city: string } | null>();
    expectTypeOf(sealed.visits).toEqualTypeOf<{ at: Date; note: Sealed<string> }[]>();
    expectTypeOf(sealed.tags).toEqualTypeOf<Sealed<string>[]>();
    expectTypeOf(sealed.id).toEqualTypeOf<string>();
    // @ts-expect-error a sealed text is not text
    const text: string = sealed.name;
    // @ts-expect-error it is no bytes either
    const bytes: Uint8Array = sealed.name;
    // @ts-expect-error and has no members
    sealed.name.length;
    expect([text, bytes]).toHaveLength(2);
  });

  test('opening gives the types back', () => {
    const opened = openFields(sealFields(person, FIELDS, { key, place }), FIELDS, { keys, place });
    expectTypeOf(opened.name).toEqualTypeOf<string>();
    expectTypeOf(opened.nickname).toEqualTypeOf<string | undefined>();
    expectTypeOf(opened.mother).toEqualTypeOf<string | null>();
    expectTypeOf(opened.contact).toEqualTypeOf<{ phone: string; city: string } | null>();
    expectTypeOf(opened.visits).toEqualTypeOf<{ at: Date; note: string }[]>();
  });

  test('a misspelt path does not compile', () => {
    // @ts-expect-error there is no such field
    const misspelt = () => sealFields(person, ['contact.phon'], { key, place });
    expect(misspelt).toBeTypeOf('function');
  });

  test('a document of unknown shape takes any path', () => {
    const row: Record<string, unknown> = { a: 1 };
    expect(openFields(sealFields(row, ['a', 'b'], { key, place }), ['a', 'b'], { keys, place })).toEqual(row);
  });
});

/** Everything a document stores, as bytes. */
function leavesOf(value: unknown): Buffer[] {
  if (value instanceof Uint8Array) return [Buffer.from(value)];
  if (value instanceof Date || typeof value !== 'object' || value === null)
    return [Buffer.from(String(value))];
  return Object.values(value).flatMap(leavesOf);
}

/** `Zoë Quinn` at `name`, sealed on the day on which the format was frozen. */
const PINNED =
  'xQEAAAAAAAHuP5y1nltcybI1RzAZW1MpaYroH3vLPX63TPpCAZjU5RGkzlUtELuguMIm9JjJ3O_JdHy4VWT3h4euu1t6Ne72XelmhiZN8obDgGUhC9CyQA';
