import { createSecretKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openFields, sealFields } from '../../../src/crypto/fields.ts';
import { type MigrateOptions, migrateDocument } from '../../../src/crypto/legacy/migrate.ts';
import { parseLegacyPlaintext } from '../../../src/crypto/legacy/parts.ts';
import { isLegacyPayload, openLegacyPayload } from '../../../src/crypto/legacy/payload.ts';
import { codeOfAsync } from '../code-of.ts';
import { oldKeys, oldPayload } from './old-app.ts';

const key = { version: 1, secret: createSecretKey(Buffer.alloc(32, 7)) };
const place = {
  tenant: 'riverside',
  subject: 'person_1',
  collection: 'people',
  document: 'doc_1',
  schema: 1,
  revision: 0,
};
const FIELDS = ['name', 'contact.phone', 'visits.*.note', 'gone'] as const;
const options: MigrateOptions = {
  fields: FIELDS,
  isOld: isLegacyPayload,
  read: (old) =>
    parseLegacyPlaintext(openLegacyPayload(old, { keys: oldKeys(), encoding: 'base64' }), 'json'),
  key,
  place,
};
const json = (value: unknown) => oldPayload(JSON.stringify(value));
const stored = () => ({
  id: 'doc_1',
  name: json('Zoë'),
  contact: { phone: json(null), city: 'Riverside' },
  visits: [{ note: json({ text: 'first' }) }, { note: json('second') }],
});
const plain = {
  id: 'doc_1',
  name: 'Zoë',
  contact: { phone: null, city: 'Riverside' },
  visits: [{ note: { text: 'first' } }, { note: 'second' }],
};

describe('a document of the old format', () => {
  test('is sealed field by field, and the document that was given is not changed', async () => {
    const before = stored();
    const { document, moved, kept } = await migrateDocument(before, options);
    expect({ moved, kept }).toEqual({ moved: 4, kept: 0 });
    expect(openFields(document, FIELDS, { keys: [key], place })).toEqual(plain);
    expect(before).toEqual(stored());
  });

  test('migrated again is the same document', async () => {
    const once = await migrateDocument(stored(), options);
    const twice = await migrateDocument(once.document, options);
    expect(twice).toEqual({ document: once.document, moved: 0, kept: 4 });
  });

  test('half migrated by an earlier run is finished, also under a newer key', async () => {
    const { name } = sealFields({ name: 'Zoë' }, ['name'], { key, place });
    const next = { version: 2, secret: createSecretKey(Buffer.alloc(32, 8)) };
    const half = { ...stored(), name };
    const done = await migrateDocument(half, { ...options, key: next, keys: [key] });
    expect(done).toMatchObject({ moved: 3, kept: 1 });
    expect(openFields(done.document, FIELDS, { keys: [key, next], place })).toEqual(plain);
  });

  test.each<[string, object, string]>([
    ['a field that does not open', { name: { ...json('Zoë'), authTag: json('x').authTag } }, 'TAG'],
    ['a field of an unknown key', { name: { ...json('Zoë'), version: 9 } }, 'KEY_MISSING'],
    ['a field in clear', { name: 'Zoë' }, 'FORMAT'],
    [
      'a sealed field of another document',
      {
        name: sealFields({ name: 'Max' }, ['name'], { key, place: { ...place, document: 'doc_2' } }).name,
      },
      'COMMITMENT',
    ],
    ['a field that would pollute a prototype', { name: oldPayload('{"__proto__":{"admin":true}}') }, 'INPUT'],
  ])('with %s is refused as a whole', async (_name, changed, code) => {
    const document = { ...stored(), ...changed };
    const before = JSON.stringify(document);
    expect(await codeOfAsync(migrateDocument(document, options))).toBe(code);
    expect(JSON.stringify(document)).toBe(before);
  });

  test('with fields in clear is sealed when that is said', async () => {
    const { document, moved } = await migrateDocument(
      { name: 'Zoë' },
      { ...options, inClear: 'seal', as: 'text' },
    );
    expect(moved).toBe(1);
    expect(JSON.stringify(document)).toMatch(/^\{"name":"sealed:[\w-]+"\}$/);
    expect(openFields(document, FIELDS, { keys: [key], place })).toEqual({ name: 'Zoë' });
  });
});
