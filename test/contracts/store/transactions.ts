import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Store, TenantStore, Transaction } from '../../../src/kernel/store.ts';
import {
  aClaim,
  aCounter,
  claim,
  codeOf,
  counted,
  counter,
  counters,
  create,
  freshTenantId,
  span,
  tally,
  times,
} from './subject.ts';

/** Transactions: all or nothing, one after another, and nothing else. */
export function describeTransactions(store: () => Store, contenders: number): void {
  const fresh = (): TenantStore => store().tenant(freshTenantId());

  describe('a snapshot', () => {
    test('shows rows and claims as they were at its beginning, whatever is written meanwhile', async () => {
      const id = freshTenantId();
      const tenant = store().tenant(id);
      await create(tenant, 'one', 1);
      await claim(tenant, aClaim('bk', 0, 2));
      const seen = await store().snapshot(id, async (reader) => {
        const before = await reader.get(counter('one'));
        await tenant.transact(async (tx) => {
          tx.put(counter('one'), aCounter(2));
          tx.create(counter('two'), aCounter(2));
          tx.release(aClaim('bk', 0, 2));
        });
        const after = await reader.get(counter('one'), counter('two'));
        const listed = await reader.list(counters, { limit: 10 });
        return { before, after, listed, busy: await reader.busy(['dr_1'], span(0, 10)) };
      });
      expect(seen).toEqual({
        before: [aCounter(1)],
        after: [aCounter(1), null],
        listed: [{ id: 'one', row: aCounter(1) }],
        busy: [aClaim('bk', 0, 2)],
      });
      expect(await tenant.get(counter('one'))).toEqual([aCounter(2)]);
    });

    test('shows one tenant, and hands on what its work throws', async () => {
      const [id, other] = [freshTenantId(), freshTenantId()];
      await create(store().tenant(other), 'one', 1);
      expect(await store().snapshot(id, (reader) => reader.get(counter('one')))).toEqual([null]);
      const broken = store().snapshot(id, async () => {
        throw new Error('mine');
      });
      await expect(broken).rejects.toThrow('mine');
      expect(await store().snapshot(id, (reader) => reader.list(counters, { limit: 1 }))).toEqual([]);
    });
  });

  describe('writes', () => {
    test('create refuses an id that is there, and leaves the row as it is', async () => {
      const tenant = fresh();
      await create(tenant, 'one', 1);
      expect(await codeOf(create(tenant, 'one', 2))).toBe('ALREADY_EXISTS');
      expect(await counted(tenant, counter('one'))).toBe(1);
    });

    test('a refused create takes every other write of its transaction with it', async () => {
      const tenant = fresh();
      await create(tenant, 'there', 1);
      const attempt = tenant.transact(async (tx) => {
        tx.put(counter('before'), aCounter(1));
        tx.create(counter('there'), aCounter(2));
        tx.claim(aClaim('bk', 0, 1));
        tx.delete(counter('there'));
      });
      expect(await codeOf(attempt)).toBe('ALREADY_EXISTS');
      expect(await tenant.get(counter('before'), counter('there'))).toEqual([null, aCounter(1)]);
      expect(await tenant.busy(['dr_1'], span(0, 10))).toEqual([]);
    });

    test('put creates and replaces whole rows', async () => {
      const tenant = fresh();
      await tenant.transact(async (tx) => tx.put(counter('one'), { value: 1, tenant: 'x', id: 'y' }));
      await tenant.transact(async (tx) => tx.put(counter('one'), aCounter(2)));
      expect(await tenant.get(counter('one'))).toEqual([aCounter(2)]);
    });

    test('delete removes a row, and one that is not there without complaint', async () => {
      const tenant = fresh();
      await create(tenant, 'one', 1);
      await tenant.transact(async (tx) => {
        tx.delete(counter('one'));
        tx.delete(counter('never'));
      });
      expect(await tenant.get(counter('one'), counter('never'))).toEqual([null, null]);
    });

    test('a deleted id can be created again', async () => {
      const tenant = fresh();
      await create(tenant, 'one', 1);
      await tenant.transact(async (tx) => tx.delete(counter('one')));
      await create(tenant, 'one', 2);
      expect(await counted(tenant, counter('one'))).toBe(2);
    });

    test('several writes of one row take effect in their order', async () => {
      const tenant = fresh();
      await tenant.transact(async (tx) => {
        tx.create(counter('one'), aCounter(1));
        tx.put(counter('one'), aCounter(2));
        tx.put(counter('two'), aCounter(1));
        tx.delete(counter('two'));
      });
      expect(await tenant.get(counter('one'), counter('two'))).toEqual([aCounter(2), null]);
      await tenant.transact(async (tx) => {
        tx.delete(counter('one'));
        tx.create(counter('one'), aCounter(3));
      });
      expect(await tenant.get(counter('one'))).toEqual([aCounter(3)]);
    });

    test('a row that is put again among puts of others ends as it was put last', async () => {
      const tenant = fresh();
      const ids = ['one', 'two', 'one', 'three', 'two', 'one'];
      await tenant.transact(async (tx) => {
        for (const [n, id] of ids.entries()) tx.put(counter(id), aCounter(n));
      });
      expect(await tenant.get(counter('one'), counter('two'), counter('three'))).toEqual([
        aCounter(5),
        aCounter(4),
        aCounter(3),
      ]);
      await tenant.transact(async (tx) => {
        for (const id of ['two', 'three', 'two']) tx.delete(counter(id));
      });
      expect(await tenant.list(counters, { limit: 10 })).toEqual([{ id: 'one', row: aCounter(5) }]);
    });

    test('creating one id twice in one transaction is refused', async () => {
      const tenant = fresh();
      const attempt = tenant.transact(async (tx) => {
        tx.create(counter('one'), aCounter(1));
        tx.create(counter('one'), aCounter(2));
      });
      expect(await codeOf(attempt)).toBe('ALREADY_EXISTS');
      expect(await counted(tenant, counter('one'))).toBeNull();
    });

    test('1,000 rows are written at once, 1,001 refused', async () => {
      const tenant = fresh();
      const write = async (count: number): Promise<void> =>
        await tenant.transact(async (tx) => {
          for (const n of times(count, String)) tx.put(counter(n), aCounter(count));
        });
      await write(1_000);
      expect(await codeOf(write(1_001))).toBe('STORE_USE');
      const rows = await tenant.list(counters, { limit: 1_000 });
      expect(rows.filter(({ row }) => row.value === 1_000)).toHaveLength(1_000);
    });
  });

  describe('transactions', () => {
    test('give back what work returned', async () => {
      expect(await fresh().transact(async () => ({ a: 1 }))).toEqual({ a: 1 });
    });

    test('an error of work comes out as it was, and nothing is written', async () => {
      const tenant = fresh();
      const mine = Object.assign(new Error('mine'), { code: 14 });
      const attempt = tenant.transact(async (tx) => {
        await tx.get(counter('one'));
        tx.create(counter('one'), aCounter(1));
        tx.claim(aClaim('bk', 0, 1));
        throw mine;
      });
      await expect(attempt).rejects.toBe(mine);
      expect(await tenant.get(counter('one'))).toEqual([null]);
      expect(await tenant.busy(['dr_1'], span(0, 10))).toEqual([]);
    });

    test('the connection of a failed transaction serves the next one', async () => {
      const tenant = fresh();
      for (const n of times(15, String)) {
        const attempt = tenant.transact(async (tx) => {
          await tx.get(counter(n));
          throw new Error('mine');
        });
        await expect(attempt).rejects.toThrow('mine');
      }
      await create(tenant, 'one', 1);
    });

    const reads: [string, (tx: Transaction) => Promise<unknown>][] = [
      ['get', (tx) => tx.get(counter('one'))],
      ['list', (tx) => tx.list(counters, { limit: 1 })],
      ['busy', (tx) => tx.busy(['dr_1'], span(0, 1))],
    ];
    const writes: [string, (tx: Transaction) => void][] = [
      ['create', (tx) => tx.create(counter('one'), aCounter(1))],
      ['put', (tx) => tx.put(counter('one'), aCounter(1))],
      ['delete', (tx) => tx.delete(counter('one'))],
      ['claim', (tx) => tx.claim(aClaim('bk', 0, 1))],
      ['release', (tx) => tx.release(aClaim('bk', 0, 1))],
    ];
    test.each(reads)('%s after any write is refused as STORE_USE', async (_, read) => {
      for (const [, write] of writes) {
        const attempt = fresh().transact(async (tx) => {
          write(tx);
          await read(tx);
        });
        expect(await codeOf(attempt)).toBe('STORE_USE');
      }
    });

    test.each(writes)('%s after the transaction has ended is refused', async (_, write) => {
      let kept: Transaction | undefined;
      await fresh().transact(async (tx) => {
        kept = tx;
      });
      expect(await codeOf((async () => kept && write(kept))())).toBe('STORE_USE');
    });

    test('reads inside see what was committed before', async () => {
      const tenant = fresh();
      await create(tenant, 'one', 5);
      await tenant.transact(async (tx) => tx.claim(aClaim('bk', 2, 4)));
      const seen = await tenant.transact(async (tx) => [
        await tx.get(counter('one'), counter('two')),
        await tx.list(counters, { limit: 5, equals: { value: 5 } }),
        await tx.busy(['dr_1'], span(0, 10)),
      ]);
      expect(seen).toEqual([[aCounter(5), null], [{ id: 'one', row: aCounter(5) }], [aClaim('bk', 2, 4)]]);
    });

    test('several reads may run side by side', async () => {
      const tenant = fresh();
      await create(tenant, 'one', 1);
      const seen = await tenant.transact(
        async (tx) =>
          await Promise.all([tx.get(counter('one')), tx.get(counter('two')), tx.busy(['dr_1'], span(0, 1))]),
      );
      expect(seen).toEqual([[aCounter(1)], [null], []]);
    });

    test('one that read a row which changed since runs again and sees the change', async () => {
      const tenant = fresh();
      await create(tenant, 'one', 1);
      const seen: number[] = [];
      await Promise.all(
        times(2, () =>
          tenant.transact(async (tx) => {
            const [row] = await tx.get(counter('one'));
            seen.push(row?.value ?? 0);
            await sleep(50);
            tx.put(counter('one'), aCounter((row?.value ?? 0) + 1));
          }),
        ),
      );
      expect(await counted(tenant, counter('one'))).toBe(3);
      expect(seen).toContain(2);
    });

    test(`${contenders} increments at once lose none`, { timeout: 90_000 }, async () => {
      const tenant = fresh();
      await create(tenant, 'hot', 0);
      const increment = async (): Promise<void> =>
        await tenant.transact(async (tx) => {
          const [row] = await tx.get(counter('hot'));
          tx.put(counter('hot'), aCounter((row?.value ?? 0) + 1));
        });
      const counts = await tally(times(contenders, increment));
      expect(await counted(tenant, counter('hot'))).toBe(counts['done']);
      expect(counts).toEqual({ done: contenders });
    });

    test('no write slips in on what a transaction read but did not write', { timeout: 60_000 }, async () => {
      const tenant = fresh();
      await create(tenant, 'a', 1);
      await create(tenant, 'b', 1);
      const switchOff = async (own: string): Promise<void> =>
        await tenant.transact(async (tx) => {
          const [a, b] = await tx.get(counter('a'), counter('b'));
          await sleep(20);
          if ((a?.value ?? 0) + (b?.value ?? 0) === 2) tx.put(counter(own), aCounter(0));
        });
      await Promise.all([switchOff('a'), switchOff('b')]);
      const left = await tenant.get(counter('a'), counter('b'));
      expect((left[0]?.value ?? 0) + (left[1]?.value ?? 0)).toBe(1);
    });

    test('50 creates of one id at once have one winner', { timeout: 60_000 }, async () => {
      const tenant = fresh();
      const counts = await tally(times(50, (n) => create(tenant, 'one', n)));
      expect(counts).toEqual({ done: 1, ALREADY_EXISTS: 49 });
    });

    test('creates of ids that differ do not hinder each other', { timeout: 60_000 }, async () => {
      const tenant = fresh();
      expect(await tally(times(50, (n) => create(tenant, `row${n}`, n)))).toEqual({ done: 50 });
      expect(await tenant.list(counters, { limit: 100 })).toHaveLength(50);
    });
  });
}
