import { StoreError } from '../kernel/store.ts';
import { PROOF_RESERVE_MS, READ_DEADLINE_MS, TRANSACT_DEADLINE_MS, within } from './deadline.ts';
import { unavailable } from './errors.ts';

/** The retry rule that both adapters share. */

export const MAX_ATTEMPTS = 8;
const FIRST_DELAY_MS = 25;
const MAX_DELAY_MS = 1_500;
/** A commit runs out of its own budget first, so that it is seen as lost and looked for. */
const GRACE_MS = 250;

/** The commit was sent and its outcome is not known. */
export class LostCommit<T> extends Error {
  readonly result: T;

  constructor(result: T) {
    super('The outcome of a commit is not known.');
    this.result = result;
  }
}

/** What an adapter must know of one attempt. */
export interface Attempt {
  /** Aborted when the attempt was given up: it must not commit any more. */
  readonly signal: AbortSignal;
  /** How long one exchange with the database may take now, in milliseconds. */
  readonly budget: () => number;
}

interface TransactionRun<T> {
  /** One attempt. Throws `CONTENTION` when nothing was written and it may run again. */
  readonly attempt: (attempt: Attempt) => Promise<T>;
  /** 8 unless given: one that retries by itself says 1. */
  readonly maxAttempts?: number;
  /** Reads the proof row back; absent when the caller gave none. */
  readonly tookPlace?: () => Promise<boolean>;
}

/** Runs attempts until one settles the matter, within 8 attempts and 30 s. */
export async function runTransaction<T>(run: TransactionRun<T>): Promise<T> {
  const end = performance.now() + TRANSACT_DEADLINE_MS - PROOF_RESERVE_MS;
  for (let count = 1; ; count += 1) {
    try {
      return await oneAttempt(run, end);
    } catch (error) {
      if (error instanceof LostCommit) return await settle(error, run);
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

async function oneAttempt<T>(run: TransactionRun<T>, end: number): Promise<T> {
  const abandoned = new AbortController();
  try {
    const budget = (): number => Math.min(READ_DEADLINE_MS, end - performance.now());
    const attempt = run.attempt({ signal: abandoned.signal, budget });
    return await within(end - performance.now() + GRACE_MS, attempt);
  } finally {
    abandoned.abort();
  }
}

async function settle<T>(lost: LostCommit<T>, run: TransactionRun<T>): Promise<T> {
  const tookPlace = await within(PROOF_RESERVE_MS, run.tookPlace?.() ?? Promise.resolve(false)).catch(
    () => false,
  );
  if (tookPlace) return lost.result;
  throw unavailable('the reply to a commit was lost');
}
