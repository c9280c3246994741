import { StoreError } from '../kernel/store.ts';

const MAX_WAIT_MS = 20_000;

/**
 * Lets those who want the same thing in this process go one after another. It keeps no promise of correctness (the
 * store's transaction does, across processes); it spares a store from fifty transactions that would only collide.
 */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /**
   * Runs `work` when everyone who asked for `key` before has finished, however that ended, and tells it whether there
   * was anybody.
   *
   * @throws StoreError `CONTENTION` (retryable) when that took over 20 s; then `work` was not run.
   */
  async take<T>(key: string, work: (waited: boolean) => Promise<T>): Promise<T> {
    const until = performance.now() + MAX_WAIT_MS;
    const ahead = this.#last.get(key);
    const before = ahead ?? Promise.resolve();
    const mine = before.then(() => {
      if (performance.now() <= until) return work(ahead !== undefined);
      throw new StoreError('CONTENTION', 'Many want this time at once. Try again in a moment.', {
        retryable: true,
      });
    });
    const settled = mine.catch(() => undefined);
    this.#last.set(key, settled);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    }
  }
}
