import { StoreError } from '../kernel/store.ts';

/** The store's errors, made in one place so that both adapters say the same and none carries a value. */

/** Another transaction changed what this one read. */
export const contention = (): StoreError =>
  new StoreError('CONTENTION', 'Too many writers touched the same rows at once. Try again.', {
    retryable: true,
  });

/** `seen` is the database's own code for what happened, such as `UNAVAILABLE` or `57P01`. */
export const unavailable = (seen: string): StoreError =>
  new StoreError(
    'STORE_UNAVAILABLE',
    `The database did not answer (${seen}). Try again; if it stays so, check that it runs and can be reached.`,
    { retryable: true },
  );

/** The database answers, but refuses this client: waiting does not help. */
export const refused = (seen: string): StoreError =>
  new StoreError(
    'STORE_UNAVAILABLE',
    `The database refused the connection (${seen}). Check the database name and the credentials.`,
  );

export const alreadyExists = (): StoreError =>
  new StoreError('ALREADY_EXISTS', 'A row with this id is already there. Read it, or use a fresh id.');

export const timeTaken = (): StoreError =>
  new StoreError('TIME_TAKEN', 'Part of this time is already taken. Look for open times again.');

export const rowShape = (collection: string, column: string, expected: string): StoreError =>
  new StoreError('ROW_SHAPE', `Column "${column}" of "${collection}" must be ${expected}.`);

export const storeUse = (message: string): StoreError => new StoreError('STORE_USE', message);
