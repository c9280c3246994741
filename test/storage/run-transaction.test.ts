import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { alreadyExists, contention, unavailable } from '../../src/storage/errors.ts';
import { type Attempt, runTransaction } from '../../src/storage/run-transaction.ts';

describe('runTransaction', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Lets time pass until the promise settles. */
  const outcome = async (promise: Promise<unknown>): Promise<unknown> => {
    const settled = promise.catch((error: { code?: string }) => error.code ?? error);
    await vi.runAllTimersAsync();
    return await settled;
  };

  test('runs once when all is well', async () => {
    const attempt = vi.fn(async () => 'done');
    expect(await outcome(runTransaction({ attempt }))).toBe('done');
    expect(attempt).toHaveBeenCalledTimes(1);
  });

  test('runs again after contention, eight times at most', async () => {
    const attempt = vi.fn(async () => Promise.reject(contention()));
    expect(await outcome(runTransaction({ attempt }))).toBe('CONTENTION');
    expect(attempt).toHaveBeenCalledTimes(8);
  });

  test('runs no more than it is told', async () => {
    const attempt = vi.fn(async () => Promise.reject(contention()));
    expect(await outcome(runTransaction({ attempt, maxAttempts: 1 }))).toBe('CONTENTION');
    expect(attempt).toHaveBeenCalledTimes(1);
  });

  test('runs once after any other error', async () => {
    const mine = new Error('mine');
    const attempt = vi.fn(async () => Promise.reject(mine));
    expect(await outcome(runTransaction({ attempt }))).toBe(mine);
    expect(attempt).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['took place', async () => true, 'result'],
    ['did not take place', async () => false, 'STORE_UNAVAILABLE'],
    ['cannot be looked for', async () => Promise.reject(unavailable('x')), 'STORE_UNAVAILABLE'],
    ['is never answered', () => new Promise<boolean>(() => undefined), 'STORE_UNAVAILABLE'],
    ['has no proof', undefined, 'STORE_UNAVAILABLE'],
  ])('a lost commit that %s is never run again', async (_, tookPlace, answer) => {
    const attempt = vi.fn(async ({ committing }: Attempt<string>): Promise<string> => {
      committing('result');
      throw unavailable('x');
    });
    expect(await outcome(runTransaction({ attempt, ...(tookPlace && { tookPlace }) }))).toBe(answer);
    expect(attempt).toHaveBeenCalledTimes(1);
  });

  test('a commit that is never answered is looked for', async () => {
    const start = performance.now();
    const run = runTransaction({
      attempt: async ({ committing }: Attempt<string>): Promise<string> => {
        committing('result');
        return await new Promise(() => undefined);
      },
      tookPlace: async () => true,
    });
    expect(await outcome(run)).toBe('result');
    expect(performance.now() - start).toBeLessThanOrEqual(30_000);
  });

  test('time that runs out after a commit was refused, and before the next is sent, leaves nothing to look for', async () => {
    const tookPlace = vi.fn(async () => true);
    const run = runTransaction({
      attempt: async ({ committing, restarting }: Attempt<string>): Promise<string> => {
        committing('result');
        restarting();
        return await new Promise(() => undefined);
      },
      tookPlace,
    });
    expect(await outcome(run)).toBe('STORE_UNAVAILABLE');
    expect(tookPlace).not.toHaveBeenCalled();
  });

  test('an answer to a commit other than silence stands, though the proof may be there', async () => {
    const run = runTransaction({
      attempt: async ({ committing }: Attempt<string>): Promise<string> => {
        committing('result');
        throw alreadyExists();
      },
      tookPlace: async () => true,
    });
    expect(await outcome(run)).toBe('ALREADY_EXISTS');
  });

  test('gives up within 30 s, and tells the attempt not to commit any more', async () => {
    let given: AbortSignal | undefined;
    const start = performance.now();
    const run = runTransaction({
      attempt: async ({ signal }) => {
        given = signal;
        return await new Promise(() => undefined);
      },
    });
    expect(await outcome(run)).toBe('STORE_UNAVAILABLE');
    expect(performance.now() - start).toBeLessThanOrEqual(30_000);
    expect(given?.aborted).toBe(true);
  });

  test('attempts that take long end at the deadline, not after eight', async () => {
    const start = performance.now();
    const attempt = vi.fn(async () => {
      await new Promise((resolve) => setTimeout(resolve, 9_000));
      throw contention();
    });
    await outcome(runTransaction({ attempt }));
    expect(performance.now() - start).toBeLessThanOrEqual(30_000);
    expect(attempt.mock.calls.length).toBeLessThan(5);
  });

  test('one exchange may take 10 s, and less towards the end', async () => {
    const budgets: number[] = [];
    const run = runTransaction({
      attempt: async ({ budget }) => {
        budgets.push(Math.round(budget()));
        await new Promise((resolve) => setTimeout(resolve, 20_000));
        budgets.push(Math.round(budget()));
        return null;
      },
    });
    await outcome(run);
    expect(budgets).toEqual([10_000, 5_000]);
  });
});
