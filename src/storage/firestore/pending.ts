import type { Firestore } from 'firebase-admin/firestore';

/**
 * Requests that the SDK has not finished with, also those whose caller has given up. A client that is terminated
 * while it repeats one rejects a promise that nobody can catch, which ends the process.
 */
const pending = new WeakMap<Firestore, Set<Promise<unknown>>>();

/** Remembers a request until it settles. */
export function track<T>(db: Firestore, request: Promise<T>): Promise<T> {
  const all = pending.get(db) ?? new Set();
  pending.set(db, all);
  all.add(request);
  const forget = (): void => void all.delete(request);
  request.then(forget, forget);
  return request;
}

/** Resolves when no request is left. */
export async function settled(db: Firestore): Promise<void> {
  for (let all = pending.get(db); all !== undefined && all.size > 0; ) await Promise.allSettled(all);
}
