import { setTimeout as sleep } from 'node:timers/promises';
import { CryptoError } from '../../crypto/errors.ts';
import { ChartsealError } from '../../kernel/errors.ts';

/** Attempts at one item before the whole step is given up for now; waits double from the first to the last. */
const ATTEMPTS = 5;
const FIRST_WAIT_MS = 50;
const MOST_WAIT_MS = 2_000;

/** Not about the item: the key, the role or the network must come back first, and then every item can go on. */
const ABOUT_ALL: ReadonlySet<string> = new Set(['KEY_DISABLED', 'KMS_DENIED']);

/** What became of each item that did not fail for a reason that is not its own. */
export interface Worked<T> {
  readonly done: readonly T[];
  readonly faults: readonly { readonly item: string; readonly code: string }[];
}

/**
 * Works on items, some at once. What may pass is tried again with growing, jittered waits; an item whose own fault it
 * is gets into `faults`.
 *
 * @throws the error of an item when it concerns all of them, such as a disabled key.
 */
export async function workOn<I, T>(
  items: readonly I[],
  options: {
    readonly idOf: (item: I) => string;
    readonly work: (item: I) => Promise<T>;
    readonly pace: () => Promise<void>;
    readonly atOnce: number;
  },
): Promise<Worked<T>> {
  const { idOf, work, pace, atOnce } = options;
  const done: T[] = [];
  const faults: { item: string; code: string }[] = [];
  const queue = items.values();
  let failed = false;
  const lane = async (): Promise<void> => {
    for (const item of queue) {
      if (failed) return;
      await pace();
      try {
        done.push(await withRetries(() => work(item)));
      } catch (error) {
        const code = faultOf(error);
        if (code === null) {
          failed = true;
          throw error;
        }
        faults.push({ item: idOf(item), code });
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  const first = lanes.find((one) => one.status === 'rejected');
  if (first !== undefined) throw first.reason;
  return { done, faults };
}

/** The code under which an item is set aside; null when the item is not to blame. */
function faultOf(error: unknown): string | null {
  if (!(error instanceof ChartsealError)) return 'UNEXPECTED';
  if (error.retryable) return null;
  return error instanceof CryptoError && ABOUT_ALL.has(error.code) ? null : error.code;
}

async function withRetries<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ChartsealError && error.retryable) || attempt === ATTEMPTS) throw error;
      await sleep(Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt) * (0.5 + Math.random() / 2));
    }
  }
}

/** Spaces calls so that `perSecond` begin in a second; none waits when it is 0. */
export function pacer(perSecond: number): () => Promise<void> {
  if (perSecond <= 0) return async () => {};
  let next = 0;
  return async () => {
    const now = performance.now();
    next = Math.max(next + 1_000 / perSecond, now);
    if (next > now) await sleep(next - now);
  };
}
