import { StoreError } from '../kernel/store.ts';
import { PROOF_RESERVE_MS, READ_DEADLINE_MS, TRANSACT_DEADLINE_MS, within } from './deadline.ts';
import { unavailable } from './errors.ts';

/** The retry rule that both adapters share. */

export const MAX_ATTEMPTS = 8;
const FIRST_DELAY_MS = 25;
const MAX_DELAY_MS = 1_500;

/** What an adapter must know of one attempt, and say. */
export interface Attempt<T> {
  /** Aborted when the attempt was given up: it must not commit any more. */
  readonly signal: AbortSignal;
  /** How long one exchange with the database may take now, in milliseconds. */
  readonly budget: () => number;
  /** To be called just before a commit is sent. `STORE_UNAVAILABLE` after it means that the outcome is not known. */
  readonly committing: (result: T) => void;
  /** To be called by an attempt that begins afresh by itself: the commit before was answered, and did not take place. */
  readonly restarting: () => void;
}

interface TransactionRun<T> {
  /** One attempt. Throws `CONTENTION` when nothing was written and it may run again. */
  readonly attempt: (attempt: Attempt<T>) => Promise<T>;
  /** 8 unless given: one that retries by itself says 1. */
  readonly maxAttempts?: number;
  /** Reads the proof row back; absent when the caller gave none. */
  readonly tookPlace?: () => Promise<boolean>;
}

/** Runs attempts until one settles the matter, within 8 attempts and 30 s. A lost commit is never run again. */
export async function runTransaction<T>(run: TransactionRun<T>): Promise<T> {
  const end = performance.now() + TRANSACT_DEADLINE_MS - PROOF_RESERVE_MS;
  for (let count = 1; ; count += 1) {
    try {
      return await oneAttempt(run, end);
    } catch (error) {
      if (error instanceof LostCommit) return await settle(error.result as T, run);
      const again =
        error instanceof StoreError &&
        error.code === 'CONTENTION' &&
        count < (run.maxAttempts ?? MAX_ATTEMPTS);
      const delay = Math.random() * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** count);
      if (!again || performance.now() + delay > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }
}

/** Made once: by itself, each abort would make an exception with its stack, which takes as long as sealing a value. */
const ENDED = new Error('This attempt has ended.');

class LostCommit extends Error {
  readonly result: unknown;

  constructor(result: unknown) {
    super('The outcome of a commit is not known.');
    this.result = result;
  }
}

async function oneAttempt<T>(run: TransactionRun<T>, end: number): Promise<T> {
  const abandoned = new AbortController();
  let sent: { readonly result: T } | undefined;
  const attempt: Attempt<T> = {
    signal: abandoned.signal,
    budget: () => Math.min(READ_DEADLINE_MS, end - performance.now()),
    committing: (result) => {
      sent = { result };
    },
    restarting: () => {
      sent = undefined;
    },
  };
  try {
    return await within(end - performance.now(), run.attempt(attempt));
  } catch (error) {
    const isLost = error instanceof StoreError && error.code === 'STORE_UNAVAILABLE';
    if (sent !== undefined && isLost) throw new LostCommit(sent.result);
    throw error;
  } finally {
    abandoned.abort(ENDED);
  }
}

async function settle<T>(result: T, run: TransactionRun<T>): Promise<T> {
  const proven = await within(PROOF_RESERVE_MS, run.tookPlace?.() ?? Promise.resolve(false)).catch(
    () => false,
  );
  if (proven) return result;
  throw unavailable('the reply to a commit was lost');
}
