import { inspect } from 'node:util';
import { expect } from 'vitest';
import { collection, type Ref, ref } from '../../../src/kernel/collection.ts';
import { randomId, type TenantId } from '../../../src/kernel/ids.ts';
import {
  CELL_MS,
  type Store,
  StoreError,
  type TenantStore,
  type TimeClaim,
} from '../../../src/kernel/store.ts';

/** A database under test. */
export interface StoreSubject {
  /** Where the database listens. */
  readonly address: { readonly host: string; readonly port: number };
  /** Opens a store on it, or on a proxy in front of it. */
  open(address?: { readonly host: string; readonly port: number }): Store;
}

/** Every type of column, required and optional. */
export const things = collection('contractThings', {
  name: 'text',
  count: 'integer',
  open: 'boolean',
  at: 'instant',
  sealed: 'bytes',
  config: 'json',
  maybeName: 'text?',
  maybeCount: 'integer?',
  maybeOpen: 'boolean?',
  maybeAt: 'instant?',
  maybeSealed: 'bytes?',
  maybeConfig: 'json?',
});
/** A small row; `tenant` and `id` are names that an adapter must not take for its own. */
export const counters = collection('contractCounters', { value: 'integer', tenant: 'text?', id: 'text?' });
export const CONTRACT_COLLECTIONS = [things, counters];

export const aThing = {
  name: 'a',
  count: 1,
  open: true,
  at: Date.UTC(2026, 10, 24),
  sealed: Uint8Array.of(0xc5, 0, 255),
  config: { days: [['mon', 1], []], note: null },
  maybeName: null,
  maybeCount: null,
  maybeOpen: null,
  maybeAt: null,
  maybeSealed: null,
  maybeConfig: null,
} as const;
export const aCounter = (value: number) => ({ value, tenant: null, id: null });

export const freshTenantId = (): TenantId => randomId('t') as TenantId;
export const thing = (id: string) => ref(things, id);
export const counter = (id: string) => ref(counters, id);

/** `from` and `to` are counted in cells of five minutes from a fixed day. */
export const span = (from: number, to: number): { from: number; to: number } => {
  const day = Date.UTC(2026, 10, 24);
  return { from: day + from * CELL_MS, to: day + to * CELL_MS };
};
export const aClaim = (booking: string, from: number, to: number, resource = 'dr_1'): TimeClaim => ({
  resource,
  booking,
  ...span(from, to),
});
export const claim = async (store: TenantStore, ...claims: TimeClaim[]): Promise<void> =>
  await store.transact(async (tx) => {
    for (const one of claims) tx.claim(one);
  });
export const release = async (store: TenantStore, one: TimeClaim): Promise<void> =>
  await store.transact(async (tx) => tx.release(one));
export const create = async (store: TenantStore, id: string, value: number): Promise<void> =>
  await store.transact(async (tx) => tx.create(counter(id), aCounter(value)));
export const counted = async (store: TenantStore, at: Ref<typeof counters.columns>): Promise<number | null> =>
  (await store.get(at))[0]?.value ?? null;

/** The code that a promise is refused with, or `done`. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'done';
  } catch (error) {
    expect(error, inspect(error)).toBeInstanceOf(StoreError);
    return (error as StoreError).code;
  }
}

/** How often each answer came. */
export async function tally(promises: readonly Promise<unknown>[]): Promise<Record<string, number>> {
  const codes = await Promise.all(promises.map(codeOf));
  const counts: Record<string, number> = {};
  for (const code of codes) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}

export const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
