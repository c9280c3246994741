import { unavailable } from './errors.ts';

/** A read outside a transaction, in milliseconds. */
export const READ_DEADLINE_MS = 10_000;
/** A whole transaction with its retries, in milliseconds. */
export const TRANSACT_DEADLINE_MS = 30_000;
/** Kept back from a transaction's deadline to find out what became of a lost commit. */
export const PROOF_RESERVE_MS = 5_000;
export const PING_DEADLINE_MS = 2_000;

/**
 * Settles with `promise`, or rejects with `STORE_UNAVAILABLE` after `ms`. The loser is left to its own
 * timeouts; its late rejection is swallowed.
 */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(unavailable('no answer in time')), Math.max(0, ms));
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}
