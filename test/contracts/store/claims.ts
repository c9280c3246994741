import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CELL_MS, type Store, type TenantStore, type TimeClaim } from '../../../src/kernel/store.ts';
import {
  aClaim,
  aCounter,
  claim,
  codeOf,
  counter,
  create,
  freshTenantId,
  release,
  span,
  tally,
  times,
} from './subject.ts';

const DAY = 288;

/** Time claims: one slot, one booking. */
export function describeClaims(store: () => Store): void {
  const fresh = (): TenantStore => store().tenant(freshTenantId());
  const busy = async (tenant: TenantStore, ...resources: string[]): Promise<TimeClaim[]> =>
    await tenant.busy(resources.length === 0 ? ['dr_1'] : resources, span(0, DAY));

  describe('time claims', () => {
    test('50 claims of one span at once have one winner', { timeout: 60_000 }, async () => {
      const tenant = fresh();
      const counts = await tally(times(50, (n) => claim(tenant, aClaim(`bk_${n}`, 0, 6))));
      expect(counts).toEqual({ done: 1, TIME_TAKEN: 49 });
      expect(await busy(tenant)).toHaveLength(1);
    });

    test('20 bookings that look first have one winner', { timeout: 90_000 }, async () => {
      const tenant = fresh();
      const book = async (booking: string): Promise<string> =>
        await tenant.transact(async (tx) => {
          const taken = await tx.busy(['dr_1'], span(0, 6));
          if (taken.length > 0) return 'taken';
          tx.claim(aClaim(booking, 0, 6));
          tx.create(counter(booking), aCounter(1));
          return 'booked';
        });
      const answers = await Promise.allSettled(times(20, (n) => book(`bk_${n}`)));
      const booked = answers.filter((one) => one.status === 'fulfilled' && one.value === 'booked');
      expect(booked).toHaveLength(1);
      expect(await busy(tenant)).toHaveLength(1);
    });

    test.each([
      ['the same span', 10, 16],
      ['its first cell', 10, 11],
      ['its last cell', 15, 16],
      ['a part before and its beginning', 8, 11],
      ['its end and a part after', 15, 20],
      ['more on both sides', 0, 30],
      ['a part inside', 12, 13],
    ])('a claim of %s is refused, and nothing of it is kept', async (_, from, to) => {
      const tenant = fresh();
      await claim(tenant, aClaim('bk_1', 10, 16));
      expect(await codeOf(claim(tenant, aClaim('bk_2', from, to)))).toBe('TIME_TAKEN');
      expect(await busy(tenant)).toEqual([aClaim('bk_1', 10, 16)]);
    });

    test('claims that touch do not overlap', async () => {
      const tenant = fresh();
      await claim(tenant, aClaim('bk_1', 10, 16));
      await claim(tenant, aClaim('bk_2', 16, 20));
      await claim(tenant, aClaim('bk_3', 4, 10));
      expect((await busy(tenant)).map(({ booking }) => booking)).toEqual(['bk_3', 'bk_1', 'bk_2']);
    });

    test('the same booking may not take its own time twice', async () => {
      const tenant = fresh();
      await claim(tenant, aClaim('bk_1', 10, 16));
      expect(await codeOf(claim(tenant, aClaim('bk_1', 10, 16)))).toBe('TIME_TAKEN');
    });

    test('two claims that overlap in one transaction are refused', async () => {
      const tenant = fresh();
      expect(await codeOf(claim(tenant, aClaim('bk_1', 0, 4), aClaim('bk_1', 3, 6)))).toBe('TIME_TAKEN');
      expect(await busy(tenant)).toEqual([]);
    });

    test('other resources and other tenants are free at the same time', async () => {
      const [tenant, other] = [fresh(), fresh()];
      await claim(tenant, aClaim('bk_1', 0, 4), aClaim('bk_1', 0, 4, 'room_1'));
      await claim(tenant, aClaim('bk_2', 0, 4, 'dr_2'));
      await claim(other, aClaim('bk_1', 0, 4));
      expect(await busy(other)).toEqual([aClaim('bk_1', 0, 4)]);
    });

    test('a taken room leaves the practitioner free', async () => {
      const tenant = fresh();
      await claim(tenant, aClaim('bk_1', 0, 4, 'room_1'));
      expect(await codeOf(claim(tenant, aClaim('bk_2', 0, 4), aClaim('bk_2', 0, 4, 'room_1')))).toBe(
        'TIME_TAKEN',
      );
      expect(await busy(tenant)).toEqual([]);
    });

    test('a taken id says ALREADY_EXISTS even when the time is taken too', async () => {
      const tenant = fresh();
      await create(tenant, 'appointment', 1);
      await claim(tenant, aClaim('bk_1', 0, 4));
      const attempt = tenant.transact(async (tx) => {
        tx.claim(aClaim('bk_2', 0, 4));
        tx.create(counter('appointment'), aCounter(2));
      });
      expect(await codeOf(attempt)).toBe('ALREADY_EXISTS');
    });

    test('a taken time takes the rows of its transaction with it', async () => {
      const tenant = fresh();
      await claim(tenant, aClaim('bk_1', 0, 4));
      const attempt = tenant.transact(async (tx) => {
        tx.create(counter('appointment'), aCounter(2));
        tx.claim(aClaim('bk_2', 3, 4));
      });
      expect(await codeOf(attempt)).toBe('TIME_TAKEN');
      expect(await tenant.get(counter('appointment'))).toEqual([null]);
    });
  });

  describe('release', () => {
    test('frees a claim for another booking', async () => {
      const tenant = fresh();
      await claim(tenant, aClaim('bk_1', 0, 6));
      await release(tenant, aClaim('bk_1', 0, 6));
      expect(await busy(tenant)).toEqual([]);
      await claim(tenant, aClaim('bk_2', 0, 6));
      expect(await busy(tenant)).toEqual([aClaim('bk_2', 0, 6)]);
    });

    test('by another booking, of another resource or in another tenant frees nothing', async () => {
      const tenant = fresh();
      await claim(tenant, aClaim('bk_1', 0, 6));
      await release(tenant, aClaim('bk_2', 0, 6));
      await release(tenant, aClaim('bk_1', 0, 6, 'dr_2'));
      await release(fresh(), aClaim('bk_1', 0, 6));
      expect(await busy(tenant)).toEqual([aClaim('bk_1', 0, 6)]);
    });

    test('of what is free is no error', async () => {
      expect(await codeOf(release(fresh(), aClaim('bk_1', 0, 6)))).toBe('done');
    });

    test.each([
      ['to a span that overlaps the old one', 3, 9],
      ['to the same span', 0, 6],
      ['to a part of it', 2, 4],
      ['far away', 100, 106],
    ])('and claim move a booking %s in one step', async (_, from, to) => {
      const tenant = fresh();
      await claim(tenant, aClaim('bk_1', 0, 6));
      await tenant.transact(async (tx) => {
        tx.claim(aClaim('bk_1', from, to));
        tx.release(aClaim('bk_1', 0, 6));
      });
      expect(await busy(tenant)).toEqual([aClaim('bk_1', from, to)]);
    });

    test('and a claim that is refused leave the old time as it was', async () => {
      const tenant = fresh();
      await claim(tenant, aClaim('bk_1', 0, 6), aClaim('bk_2', 8, 10));
      const move = tenant.transact(async (tx) => {
        tx.release(aClaim('bk_1', 0, 6));
        tx.claim(aClaim('bk_1', 4, 9));
      });
      expect(await codeOf(move)).toBe('TIME_TAKEN');
      expect(await busy(tenant)).toEqual([aClaim('bk_1', 0, 6), aClaim('bk_2', 8, 10)]);
    });

    test('and claims of many movers never give one time twice', { timeout: 90_000 }, async () => {
      const tenant = fresh();
      for (const n of times(5, Number)) await claim(tenant, aClaim(`bk_${n}`, n * 6, n * 6 + 6));
      const move = async (n: number): Promise<void> =>
        await tenant.transact(async (tx) => {
          tx.release(aClaim(`bk_${n}`, n * 6, n * 6 + 6));
          tx.claim(aClaim(`bk_${n}`, 60, 66));
        });
      const counts = await tally(times(5, move));
      expect(counts['done']).toBe(1);
      const taken = await busy(tenant);
      expect(taken).toHaveLength(5);
      expect(taken.filter(({ from }) => from === span(60, 66).from)).toHaveLength(1);
    });
  });

  describe('busy', () => {
    test('joins what touches of one booking, and keeps two bookings apart', async () => {
      const tenant = fresh();
      await claim(
        tenant,
        aClaim('bk_1', 0, 3),
        aClaim('bk_1', 3, 6),
        aClaim('bk_2', 6, 8),
        aClaim('bk_1', 9, 10),
      );
      expect(await busy(tenant)).toEqual([aClaim('bk_1', 0, 6), aClaim('bk_2', 6, 8), aClaim('bk_1', 9, 10)]);
    });

    test('is cut to what was asked', async () => {
      const tenant = fresh();
      await claim(tenant, aClaim('bk_1', 0, 6), aClaim('bk_2', 10, 16));
      expect(await tenant.busy(['dr_1'], span(4, 12))).toEqual([
        aClaim('bk_1', 4, 6),
        aClaim('bk_2', 10, 12),
      ]);
      expect(await tenant.busy(['dr_1'], span(6, 10))).toEqual([]);
    });

    test('answers for several resources, by resource and time, each once', async () => {
      const tenant = fresh();
      await claim(tenant, aClaim('bk_2', 4, 6, 'b'), aClaim('bk_1', 0, 2, 'b'), aClaim('bk_1', 0, 2, 'a'));
      expect(await busy(tenant, 'b', 'a', 'c', 'b')).toEqual([
        aClaim('bk_1', 0, 2, 'a'),
        aClaim('bk_1', 0, 2, 'b'),
        aClaim('bk_2', 4, 6, 'b'),
      ]);
      expect(await tenant.busy([], span(0, 1))).toEqual([]);
    });

    test('does not take one resource for another whose name begins alike', async () => {
      const tenant = fresh();
      const lookalike = `dr_1_${String(span(1, 2).from / CELL_MS).padStart(9, '0')}`;
      await claim(
        tenant,
        aClaim('bk_1', 1, 2, lookalike),
        aClaim('bk_2', 1, 2, 'dr_10'),
        aClaim('bk_3', 1, 2, 'dr_'),
      );
      expect(await busy(tenant, 'dr_1')).toEqual([]);
    });

    test('agrees with a plain model for any sequence of claims and releases', {
      timeout: 60_000,
    }, async () => {
      const step = fc.record({
        kind: fc.constantFrom('claim', 'claim', 'release'),
        booking: fc.constantFrom('bk_1', 'bk_2', 'bk_3'),
        from: fc.nat(12),
        length: fc.integer({ min: 1, max: 5 }),
      });
      const run = fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 8 }), async (steps) => {
        const tenant = fresh();
        const held: TimeClaim[] = [];
        for (const { kind, booking, from, length } of steps) {
          const own = held.findIndex((one) => one.booking === booking);
          if (kind === 'release' && own >= 0) {
            await release(tenant, held[own] as TimeClaim);
            held.splice(own, 1);
            continue;
          }
          const wanted = aClaim(booking, from, from + length);
          const clash = held.some((one) => one.from < wanted.to && wanted.from < one.to);
          expect(await codeOf(claim(tenant, wanted))).toBe(clash ? 'TIME_TAKEN' : 'done');
          if (!clash) held.push(wanted);
        }
        const cells = (claims: readonly TimeClaim[]): string[] =>
          claims
            .flatMap(({ booking, from, to }) =>
              times((to - from) / CELL_MS, (n) => `${from + n * CELL_MS} ${booking}`),
            )
            .sort();
        expect(cells(await busy(tenant))).toEqual(cells(held));
      });
      await fc.assert(run, { numRuns: 12 });
    });
  });

  describe('limits of time claims', () => {
    test('twelve hours are claimed and freed, more is refused', async () => {
      const tenant = fresh();
      await claim(tenant, aClaim('bk_1', 0, 144));
      expect(await busy(tenant)).toEqual([aClaim('bk_1', 0, 144)]);
      await release(tenant, aClaim('bk_1', 0, 144));
      expect(await codeOf(claim(tenant, aClaim('bk_1', 0, 145)))).toBe('STORE_USE');
      expect(await busy(tenant)).toEqual([]);
    });

    test.each([
      ['empty', { from: 0, to: 0 }],
      ['backwards', { from: CELL_MS, to: 0 }],
      ['not aligned', { from: 1, to: CELL_MS }],
      ['before 1970', { from: -CELL_MS, to: 0 }],
      ['not a number', { from: Number.NaN, to: CELL_MS }],
    ])('a span that is %s is refused', async (_, bad) => {
      const tenant = fresh();
      expect(await codeOf(claim(tenant, { resource: 'dr_1', booking: 'bk', ...bad }))).toBe('STORE_USE');
      expect(await codeOf(release(tenant, { resource: 'dr_1', booking: 'bk', ...bad }))).toBe('STORE_USE');
      expect(await codeOf(tenant.busy(['dr_1'], bad))).toBe('STORE_USE');
    });

    test.each(['', 'a/b', 'é', 'a'.repeat(65)])('the resource or booking "%s" is refused', async (name) => {
      const tenant = fresh();
      expect(await codeOf(claim(tenant, aClaim('bk', 0, 1, name)))).toBe('STORE_USE');
      expect(await codeOf(claim(tenant, aClaim(name, 0, 1)))).toBe('STORE_USE');
      expect(await codeOf(tenant.busy([name], span(0, 1)))).toBe('STORE_USE');
    });

    test('busy answers for 20 resources and 31 days, not for more', async () => {
      const tenant = fresh();
      const resources = times(21, (n) => `dr_${n}`);
      expect(await codeOf(tenant.busy(resources.slice(1), span(0, 31 * DAY)))).toBe('done');
      expect(await codeOf(tenant.busy(resources, span(0, 1)))).toBe('STORE_USE');
      expect(await codeOf(tenant.busy(['dr_1'], span(0, 31 * DAY + 1)))).toBe('STORE_USE');
    });
  });
}
