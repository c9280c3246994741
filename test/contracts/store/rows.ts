import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { collection, type JsonValue, ref } from '../../../src/kernel/collection.ts';
import type { Store, TenantStore } from '../../../src/kernel/store.ts';
import {
  aCounter,
  aThing,
  codeOf,
  counter,
  counters,
  create,
  freshTenantId,
  thing,
  things,
  times,
} from './subject.ts';

const text = fc.string({ unit: 'binary', maxLength: 60 }).map((s) => s.replaceAll('\0', ''));
const instant = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });
const json = fc
  .jsonValue({ maxDepth: 4, stringUnit: 'binary' })
  .map((value) => JSON.parse(JSON.stringify(value).replaceAll('\\u0000', '')) as JsonValue);
const row = fc.record({
  name: text,
  count: fc.maxSafeInteger(),
  open: fc.boolean(),
  at: instant,
  sealed: fc.uint8Array({ maxLength: 300 }),
  config: json,
  maybeName: fc.option(text),
  maybeCount: fc.option(fc.maxSafeInteger()),
  maybeOpen: fc.option(fc.boolean()),
  maybeAt: fc.option(instant),
  maybeSealed: fc.option(fc.uint8Array({ maxLength: 300 })),
  maybeConfig: fc.option(json),
});

/** Rows: what goes in comes out, and what does not fit does not go in. */
export function describeRows(store: () => Store): void {
  const fresh = (): TenantStore => store().tenant(freshTenantId());

  describe('rows', () => {
    test('any row comes back as it was stored', async () => {
      const tenant = fresh();
      const run = async (id: string, value: typeof aThing): Promise<void> => {
        await tenant.transact(async (tx) => tx.put(thing(id), value));
        expect(await tenant.get(thing(id))).toEqual([value]);
      };
      const id = fc.string({
        unit: fc.constantFrom(...'abcXYZ019_-'),
        minLength: 1,
        maxLength: 128,
      });
      await fc.assert(
        fc.asyncProperty(id, row, async (at, value) => await run(at, value as typeof aThing)),
        { numRuns: 60 },
      );
    });

    test.each([
      [
        'the smallest and largest safe integers',
        { count: Number.MIN_SAFE_INTEGER, maybeCount: Number.MAX_SAFE_INTEGER },
      ],
      ['the first and last instants', { at: -62_135_596_800_000, maybeAt: 253_402_300_799_999 }],
      ['the epoch and the millisecond before it', { at: 0, maybeAt: -1 }],
      ['empty text and empty bytes', { name: '', sealed: new Uint8Array(0), maybeName: '' }],
      ['text with quotes, slashes and an emoji', { name: `'; DROP TABLE "x"; \\ \u{1F600} é` }],
      ['every byte', { sealed: Uint8Array.from(times(256, (byte) => byte)) }],
      ['JSON null in a required column', { config: null, maybeConfig: null }],
      ['nested arrays in JSON', { config: [[[]], [[1], { a: [[null]] }]], maybeConfig: 'text' }],
      ['keys of JSON in their order', { config: { b: 1, a: 2, __proto__x: 3 } }],
    ])('%s', async (_, change) => {
      const tenant = fresh();
      const value = { ...aThing, ...change };
      await tenant.transact(async (tx) => tx.create(thing('one'), value));
      const [back] = await tenant.get(thing('one'));
      expect(back).toEqual(value);
      expect(JSON.stringify(back?.config)).toBe(JSON.stringify(value.config));
    });

    test('minus zero comes back as zero', async () => {
      const tenant = fresh();
      await create(tenant, 'zero', -0);
      expect(Object.is((await tenant.get(counter('zero')))[0]?.value, 0)).toBe(true);
    });

    test('a value of 900 KB comes back, and is a copy', async () => {
      const tenant = fresh();
      const sealed = new Uint8Array(900_000).fill(7);
      await tenant.transact(async (tx) => {
        tx.create(thing('big'), { ...aThing, sealed });
        sealed.fill(9);
      });
      const [back] = await tenant.get(thing('big'));
      expect(back?.sealed.length).toBe(900_000);
      expect(back?.sealed.buffer.byteLength).toBe(900_000);
    });

    test('bytes come back as a plain Uint8Array', async () => {
      const tenant = fresh();
      await tenant.transact(async (tx) => tx.create(thing('one'), aThing));
      expect(Object.getPrototypeOf((await tenant.get(thing('one')))[0]?.sealed)).toBe(Uint8Array.prototype);
    });

    test('ids of 128 characters, and those of the form __x__, serve as any other', async () => {
      const tenant = fresh();
      const ids = ['a'.repeat(128), '__x__', '__', '-', '_'];
      await tenant.transact(async (tx) => {
        for (const [index, id] of ids.entries()) tx.create(counter(id), aCounter(index));
      });
      expect((await tenant.get(...ids.map(counter))).map((one) => one?.value)).toEqual([0, 1, 2, 3, 4]);
      expect((await tenant.list(counters, { limit: 10 })).map(({ id }) => id).sort()).toEqual(
        [...ids].sort(),
      );
    });

    test.each([
      ['a missing column', { name: undefined }],
      ['null where none is allowed', { count: null }],
      ['a number for text', { name: 5 }],
      ['text for a number', { count: '5' }],
      ['a fraction', { count: 1.5 }],
      ['an integer past 2^53', { count: 2 ** 53 }],
      ['NaN', { count: Number.NaN }],
      ['a fraction of a millisecond', { at: 0.5 }],
      ['an instant past the year 9999', { at: 253_402_300_800_000 }],
      ['a Date for an instant', { at: new Date(0) }],
      ['an array for bytes', { sealed: [1, 2] }],
      ['text for bytes', { sealed: 'AAEC' }],
      ['text with NUL', { name: 'a\0b' }],
      ['half a surrogate pair', { name: '\ud800' }],
      ['infinity in JSON', { config: { a: Number.POSITIVE_INFINITY } }],
      ['a Date in JSON', { config: { a: new Date(0) } }],
      ['a number for a boolean', { open: 1 }],
      ['a column that is not declared', { surprise: 1 }],
      [
        'more than a megabyte together',
        { sealed: new Uint8Array(600_000), maybeSealed: new Uint8Array(600_000) },
      ],
    ])('%s is refused as ROW_SHAPE and nothing is written', async (_, change) => {
      const tenant = fresh();
      const value = { ...aThing, ...change } as typeof aThing;
      const attempt = tenant.transact(async (tx) => {
        tx.create(counter('beside'), aCounter(1));
        tx.create(thing('bad'), value);
      });
      expect(await codeOf(attempt)).toBe('ROW_SHAPE');
      expect(await tenant.get(thing('bad'), counter('beside'))).toEqual([null, null]);
    });

    test.each(['', 'a/b', 'a.b', '..', 'é', 'a b', 'a'.repeat(129)])('the id "%s" is refused', async (id) => {
      const tenant = fresh();
      expect(await codeOf(tenant.get(counter(id)))).toBe('STORE_USE');
      expect(await codeOf(tenant.transact(async (tx) => tx.delete(counter(id))))).toBe('STORE_USE');
    });

    test.each(['', 'a/b', '__x__', 'a'.repeat(65), "t' OR 1=1"])(
      'the tenant id "%s" is refused',
      async (id) => {
        const attempt = async (): Promise<unknown> =>
          await store()
            .tenant(id as ReturnType<typeof freshTenantId>)
            .get();
        expect(await codeOf(attempt())).toBe('STORE_USE');
      },
    );

    test.each(['cells', 'timeClaims', 'Upper', 'a-b', 'a"b'])(
      'a collection may not be called %s',
      async (name) => {
        expect(await codeOf(fresh().get(ref(collection(name, { a: 'text' }), 'x')))).toBe('STORE_USE');
      },
    );
  });

  describe('get', () => {
    test('gives rows of several collections in the order asked, null where there is none', async () => {
      const tenant = fresh();
      await tenant.transact(async (tx) => {
        tx.create(counter('one'), aCounter(1));
        tx.create(thing('one'), aThing);
      });
      const got = await tenant.get(thing('none'), counter('one'), thing('one'), counter('one'));
      expect(got).toEqual([null, aCounter(1), aThing, aCounter(1)]);
    });

    test('of nothing gives nothing', async () => expect(await fresh().get()).toEqual([]));

    test('of 1,000 rows is answered, of 1,001 refused', async () => {
      const tenant = fresh();
      await create(tenant, '999', 7);
      expect((await tenant.get(...times(1_000, (n) => counter(String(n))))).at(-1)).toEqual(aCounter(7));
      expect(await codeOf(tenant.get(...times(1_001, (n) => counter(String(n)))))).toBe('STORE_USE');
    });
  });

  describe('list', () => {
    const ids = ['-', '0', '9', 'A', 'Z', '_', 'a', 'aa', 'b', 'z'];
    const filled = async (): Promise<TenantStore> => {
      const tenant = fresh();
      await tenant.transact(async (tx) => {
        for (const [index, id] of ids.toReversed().entries())
          tx.create(counter(id), { value: index % 2, tenant: index < 5 ? 'x' : null, id: null });
      });
      return tenant;
    };

    test('goes in ascending byte order of the id', async () => {
      const rows = await (await filled()).list(counters, { limit: 100 });
      expect(rows.map(({ id }) => id)).toEqual(ids);
    });

    test('goes on after an id, in pages', async () => {
      const tenant = await filled();
      const first = await tenant.list(counters, { limit: 4 });
      const second = await tenant.list(counters, { limit: 4, after: 'A' });
      const third = await tenant.list(counters, { limit: 4, after: 'aa' });
      expect([...first, ...second, ...third].map(({ id }) => id)).toEqual(ids);
    });

    test('goes on after an id that is not there', async () => {
      const rows = await (await filled()).list(counters, { limit: 10, after: 'aaa' });
      expect(rows.map(({ id }) => id)).toEqual(['b', 'z']);
    });

    test('filters by equality, by several columns at once, and by null', async () => {
      const tenant = await filled();
      const found = async (equals: object): Promise<string> =>
        (await tenant.list(counters, { limit: 10, equals })).map(({ id }) => id).join(' ');
      expect(await found({ value: 1 })).toBe('- 9 Z a b');
      expect(await found({ value: 1, tenant: 'x' })).toBe('a b');
      expect(await found({ value: 0, tenant: null })).toBe('0 A');
      expect(await found({ value: 2 })).toBe('');
    });

    test('filters by instant and boolean', async () => {
      const tenant = fresh();
      await tenant.transact(async (tx) => {
        tx.create(thing('one'), aThing);
        tx.create(thing('two'), { ...aThing, at: aThing.at + 1, open: false });
      });
      const byInstant = await tenant.list(things, { limit: 5, equals: { at: aThing.at + 1 } });
      const byBoolean = await tenant.list(things, { limit: 5, equals: { open: true } });
      expect([byInstant, byBoolean].map((rows) => rows.map(({ id }) => id))).toEqual([['two'], ['one']]);
    });

    test.each([0, -1, 1.5, 1_001, Number.NaN])('a limit of %s is refused', async (limit) => {
      expect(await codeOf(fresh().list(counters, { limit }))).toBe('STORE_USE');
    });

    test.each([
      ['bytes', { sealed: new Uint8Array(1) }, 'STORE_USE'],
      ['json', { config: {} }, 'STORE_USE'],
      ['an unknown column', { other: 1 }, 'ROW_SHAPE'],
      ['a value of another type', { count: 'x' }, 'ROW_SHAPE'],
      ['very long text', { name: 'x'.repeat(1_001) }, 'STORE_USE'],
    ])('a filter on %s is refused', async (_, equals, code) => {
      expect(await codeOf(fresh().list(things, { limit: 1, equals: equals as object }))).toBe(code);
    });
  });

  describe('tenants', () => {
    test('the same id in two tenants is two rows', async () => {
      const [one, two] = [fresh(), fresh()];
      await create(one, 'same', 1);
      expect(await two.get(counter('same'))).toEqual([null]);
      await create(two, 'same', 2);
      await one.transact(async (tx) => tx.put(counter('same'), aCounter(3)));
      expect(await two.get(counter('same'))).toEqual([aCounter(2)]);
      await two.transact(async (tx) => tx.delete(counter('same')));
      expect(await one.get(counter('same'))).toEqual([aCounter(3)]);
    });

    test('a list shows one tenant only, also between others of like names', async () => {
      const names = ['a', 'a_', 'aa'].map((suffix) => `${freshTenantId().slice(0, 20)}${suffix}`);
      for (const [index, name] of names.entries())
        await create(store().tenant(name as ReturnType<typeof freshTenantId>), `row${index}`, index);
      for (const [index, name] of names.entries()) {
        const rows = await store()
          .tenant(name as ReturnType<typeof freshTenantId>)
          .list(counters, { limit: 9 });
        expect(rows.map(({ id }) => id)).toEqual([`row${index}`]);
      }
    });

    test('interleaved calls of many tenants never mix', async () => {
      const tenants = times(12, fresh);
      await Promise.all(tenants.map((tenant, index) => create(tenant, 'own', index)));
      const rounds = times(60, (round) => round % tenants.length);
      const seen = await Promise.all(
        rounds.map(async (index) => (await tenants[index]?.get(counter('own')))?.[0]),
      );
      expect(seen.map((one) => one?.value)).toEqual(rounds);
    });
  });
}
