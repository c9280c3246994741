import { expect, test } from 'vitest';
import { randomId } from '../../src/kernel/ids.ts';

test('ids are 128 bits each, none comes twice, and every bit of them takes both values', () => {
  const ids = Array.from({ length: 20_000 }, () => randomId('t'));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((id) => /^t_[A-Za-z0-9_-]{22}$/.test(id))).toBe(true);
  const ones = Array<number>(128).fill(0);
  for (const id of ids) {
    const bytes = Buffer.from(id.slice(2), 'base64url');
    for (let bit = 0; bit < 128; bit += 1)
      ones[bit] = (ones[bit] ?? 0) + (((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1);
  }
  // Ten standard deviations around the half.
  for (const count of ones)
    expect(Math.abs(count - ids.length / 2)).toBeLessThan(10 * Math.sqrt(ids.length / 4));
});
