import { describe, expect, test, vi } from 'vitest';
import { type PartState, readiness } from '../../src/http/readiness.ts';

/** A part that counts how often it was asked. */
function part(answer: () => Promise<PartState>, holdsMs = 60_000) {
  const ask = vi.fn(answer);
  return { holdsMs, ask };
}

describe('readiness', () => {
  test.each<[PartState, string]>([
    ['ok', 'ready'],
    ['none', 'ready'],
    ['down', 'unready'],
    ['stale', 'unready'],
  ])('a part that is %s makes the server %s', async (state, status) => {
    const ready = readiness({ a: part(async () => 'ok'), b: part(async () => state) }, () => 0);
    expect(await ready()).toEqual({ status, parts: { a: 'ok', b: state } });
  });

  test('a flood asks once', async () => {
    let now = 0;
    const store = part(async () => 'ok');
    const ready = readiness({ store }, () => now);
    await Promise.all(Array.from({ length: 1_000 }, ready));
    now = 59_999;
    await ready();
    expect(store.ask).toHaveBeenCalledTimes(1);
    now = 60_000;
    await ready();
    expect(store.ask).toHaveBeenCalledTimes(2);
  });

  test('what is not well is asked again soon, and a flood then too asks once', async () => {
    let [now, state] = [0, 'down' as PartState];
    const kms = part(async () => state);
    const ready = readiness({ kms }, () => now);
    expect((await ready()).status).toBe('unready');
    state = 'ok';
    now = 4_999;
    expect((await ready()).status).toBe('unready');
    now = 5_000;
    const answers = await Promise.all(Array.from({ length: 100 }, ready));
    expect(answers.every(({ status }) => status === 'ready')).toBe(true);
    expect(kms.ask).toHaveBeenCalledTimes(2);
  });

  test('a part that throws or never answers is down, within three seconds', async () => {
    vi.useFakeTimers();
    try {
      const never = part(() => new Promise(() => {}));
      const ready = readiness({ never, throws: part(() => Promise.reject(new Error('x'))) }, Date.now)();
      await vi.advanceTimersByTimeAsync(3_000);
      expect(await ready).toEqual({ status: 'unready', parts: { never: 'down', throws: 'down' } });
    } finally {
      vi.useRealTimers();
    }
  });
});
