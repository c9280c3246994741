import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CELL_MS, type TimeClaim } from '../../src/kernel/store.ts';
import { cellsOf, mergeClaims } from '../../src/storage/time-claims.ts';

const cell = fc.record({
  resource: fc.constantFrom('a', 'b'),
  booking: fc.constantFrom('x', 'y'),
  at: fc.nat(20),
});
const cells = fc.uniqueArray(cell, { selector: ({ resource, at }) => `${resource} ${at}` });

const shattered = (claims: readonly TimeClaim[]): string[] =>
  claims.flatMap((claim) => cellsOf(claim).map((at) => `${claim.resource} ${at} ${claim.booking}`)).sort();

test('joining claims keeps every cell with its booking, and leaves nothing that could be joined', () => {
  fc.assert(
    fc.property(cells, (some) => {
      const parts = some.map(({ resource, booking, at }) => ({
        resource,
        booking,
        from: at * CELL_MS,
        to: (at + 1) * CELL_MS,
      }));
      const merged = mergeClaims(parts);
      expect(shattered(merged)).toEqual(shattered(parts));
      for (const [index, claim] of merged.entries()) {
        const next = merged[index + 1];
        const joinable =
          next?.resource === claim.resource && next.booking === claim.booking && next.from === claim.to;
        expect(joinable).toBe(false);
      }
    }),
  );
});

test('a span has one cell for each five minutes', () => {
  expect(cellsOf({ from: CELL_MS, to: 3 * CELL_MS })).toEqual([CELL_MS, 2 * CELL_MS]);
});
