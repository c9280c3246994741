import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { COLLECTIONS } from '../../src/collections.ts';

test('sealed bytes and JSON are exempt from Firestore’s indexes, column by column', () => {
  const text = readFileSync(join(import.meta.dirname, '../../firestore.indexes.json'), 'utf8');
  const { fieldOverrides } = JSON.parse(text) as {
    fieldOverrides: { collectionGroup: string; fieldPath: string; indexes: unknown[] }[];
  };
  const wanted = COLLECTIONS.flatMap(({ name, columns }) =>
    Object.entries(columns).flatMap(([column, type]) =>
      /^(bytes|json)/.test(type) ? [`${name}.${column}`] : [],
    ),
  );
  expect(fieldOverrides.map(({ collectionGroup, fieldPath }) => `${collectionGroup}.${fieldPath}`)).toEqual(
    wanted,
  );
  expect(fieldOverrides.every(({ indexes }) => indexes.length === 0)).toBe(true);
});
