import { createSecretKey, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { DEFAULT_KEY_CACHE, KeyCache, type KeyCacheBounds } from '../../src/crypto/key-cache.ts';

const keyOf = (byte: number): KeyObject => createSecretKey(Buffer.alloc(32, byte));

/** A cache on a clock that the test moves, and a load that counts. */
function cacheWith(bounds: Partial<KeyCacheBounds> = {}) {
  let now = 1_000_000;
  let loads = 0;
  const cache = new KeyCache({ ...DEFAULT_KEY_CACHE, ...bounds }, () => now);
  return {
    cache,
    pass: (ms: number) => {
      now += ms;
    },
    get: (id = 'a/1') =>
      cache.get(id, async () => {
        loads += 1;
        return keyOf(loads);
      }),
    loads: () => loads,
  };
}

/** A load that ends when the test says so. */
function slowLoad() {
  const { promise, resolve, reject } = Promise.withResolvers<KeyObject>();
  return { load: () => promise, resolve, reject };
}

describe('the key cache', () => {
  test('gives the same key until its age, and not a millisecond longer', async () => {
    const { get, pass, loads } = cacheWith({ maxAgeMs: 1_000 });
    const first = await get();
    pass(999);
    expect(await get()).toBe(first);
    pass(1);
    expect(await get()).not.toBe(first);
    expect(loads()).toBe(2);
  });

  test('use does not make a key younger', async () => {
    const { get, pass, loads } = cacheWith({ maxAgeMs: 1_000 });
    for (let step = 0; step < 10; step += 1) {
      await get();
      pass(200);
    }
    expect(loads()).toBe(2);
  });

  test('age counts from the moment the load began', async () => {
    const { cache, pass, get, loads } = cacheWith({ maxAgeMs: 1_000 });
    const { load, resolve } = slowLoad();
    const slow = cache.get('a/1', load);
    pass(999);
    resolve(keyOf(9));
    await slow;
    pass(1);
    await get();
    expect(loads()).toBe(1);
  });

  test('a key is used so many times and then loaded again', async () => {
    const { get, loads } = cacheWith({ maxUses: 3 });
    for (let use = 0; use < 7; use += 1) await get();
    expect(loads()).toBe(3);
  });

  test('holds so many keys and drops the one used longest ago', async () => {
    const { get, cache, loads } = cacheWith({ maxEntries: 2 });
    await get('a');
    await get('b');
    await get('a');
    await get('c');
    expect(cache.size).toBe(2);
    expect(loads()).toBe(3);
    await get('a');
    expect(loads()).toBe(3);
    await get('b');
    expect(loads()).toBe(4);
  });

  test('twenty who ask at once share one load', async () => {
    const { get, loads } = cacheWith();
    const keys = await Promise.all(Array.from({ length: 20 }, () => get()));
    expect(new Set(keys).size).toBe(1);
    expect(loads()).toBe(1);
  });

  test('a load that fails fails all who waited, and is not kept', async () => {
    const { cache, get, loads } = cacheWith();
    const { load, reject } = slowLoad();
    const waiting = [cache.get('a/1', load), cache.get('a/1', load)];
    reject(new Error('KMS is down'));
    for (const one of waiting) await expect(one).rejects.toThrow('KMS is down');
    expect(cache.size).toBe(0);
    await get();
    expect(loads()).toBe(1);
  });

  test('at the age limit the old key is gone even when the load of the new one fails', async () => {
    const { cache, get, pass } = cacheWith({ maxAgeMs: 1_000 });
    await get();
    pass(1_000);
    await expect(cache.get('a/1', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
    expect(cache.peek('a/1')).toBeNull();
    expect(cache.size).toBe(0);
  });

  test('a clock that is set back makes every key too old', async () => {
    const { get, pass, loads } = cacheWith();
    await get();
    pass(-1);
    await get();
    expect(loads()).toBe(2);
  });

  test('flush forgets by prefix and nothing else', async () => {
    const { cache, get } = cacheWith();
    for (const id of ['a/p1/1', 'a/p1/2', 'a/p10/1', 'b/p1/1']) await get(id);
    cache.flush('a/p1/');
    expect(['a/p1/1', 'a/p1/2'].map((id) => cache.peek(id))).toEqual([null, null]);
    expect(cache.peek('a/p10/1')).not.toBeNull();
    expect(cache.peek('b/p1/1')).not.toBeNull();
  });

  test('a key whose load was on its way at the flush is not kept', async () => {
    const { cache } = cacheWith();
    const { load, resolve } = slowLoad();
    const waiting = cache.get('a/p1/1', load);
    cache.flush('a/');
    resolve(keyOf(1));
    expect(await waiting).toBeInstanceOf(Object);
    expect(cache.peek('a/p1/1')).toBeNull();
    expect(cache.size).toBe(0);
  });

  test('a failed load that was flushed meanwhile does not take the newer key with it', async () => {
    const { cache, get } = cacheWith();
    const { load, reject } = slowLoad();
    const old = cache.get('a/1', load);
    cache.flush('a/');
    const newer = await get('a/1');
    reject(new Error('late'));
    await expect(old).rejects.toThrow('late');
    expect(cache.peek('a/1')).toBe(newer);
  });

  test('per-access mode loads for each access, at the same time too, and keeps nothing', async () => {
    const { cache, get, loads } = cacheWith({ maxAgeMs: 0 });
    await Promise.all([get(), get(), get()]);
    await get();
    expect(loads()).toBe(4);
    expect(cache.size).toBe(0);
    expect(cache.peek('a/1')).toBeNull();
  });

  test('peek neither loads nor waits, and counts as a use', async () => {
    const { cache, get } = cacheWith({ maxUses: 3 });
    expect(cache.peek('a/1')).toBeNull();
    const { load, resolve } = slowLoad();
    const waiting = cache.get('b/1', load);
    expect(cache.peek('b/1')).toBeNull();
    resolve(keyOf(1));
    expect(cache.peek('b/1')).toBeNull();
    const key = await waiting;
    expect(cache.peek('b/1')).toBe(key);
    expect(cache.peek('b/1')).toBe(key);
    expect(cache.peek('b/1')).toBeNull();
    await get();
  });

  test.each([-1, 300_001, Number.NaN, Number.POSITIVE_INFINITY])(
    'refuses a maximal age of %d',
    (maxAgeMs) => {
      expect(() => cacheWith({ maxAgeMs })).toThrow(RangeError);
    },
  );
});
