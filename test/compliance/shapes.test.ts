import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { shapesIn } from '../../src/compliance/scan/shapes.ts';
import { holdsCardNumber } from '../../src/payments/card-number.ts';

const digests = Array.from({ length: 5_000 }, (_, n) => createHash('sha256').update(`${n}`).digest('hex'));

test('a digest or a key’s id that holds a card’s number by chance is no card', () => {
  const chance = digests.filter(holdsCardNumber);
  expect(chance.length).toBeGreaterThan(0);
  for (const digest of chance) expect(shapesIn(`{"digest":"${digest}"}`)).not.toContain('card');
  const arn = 'arn:aws:kms:us-east-1:111122223333:key/12345678-1234-4123-8123-411111111111';
  expect(shapesIn(arn)).not.toContain('card');
});

test.each([
  'paid with 4111111111111111',
  'paid with 4111-1111-1111-1111 today',
  'card4111111111111111',
  '{"note":"4111 1111 1111 1111"}',
  '5555-5555-5555-4444_x',
])('a card’s number is found: %s', (text) => {
  expect(shapesIn(text)).toContain('card');
});
