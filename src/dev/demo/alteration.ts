import { isDeepStrictEqual } from 'node:util';
import type { Ref } from '../../kernel/collection.ts';
import type { TenantStore } from '../../kernel/store.ts';
import { StackError } from '../errors.ts';

type AnyRow = Readonly<Record<string, unknown>>;

/** One row as it is to be; null where there is to be none. */
export interface Change {
  readonly at: Ref;
  readonly row: AnyRow | null;
}

/** Changes rows in one transaction, telling no log, and returns how to put all of them back. */
export async function alter(rows: TenantStore, changes: readonly Change[]): Promise<() => Promise<void>> {
  const refs = changes.map(({ at }) => at);
  const before = await rows.transact(async (tx) => {
    const found: readonly (AnyRow | null)[] = await tx.get(...refs);
    for (const change of changes) write(tx, change);
    return found;
  });
  return () => putBack(rows, changes, before);
}

/** @throws StackError `CHANGED_MEANWHILE` when a row is not as it was left: what was written since must not be lost. */
async function putBack(
  rows: TenantStore,
  changes: readonly Change[],
  before: readonly (AnyRow | null)[],
): Promise<void> {
  await rows.transact(async (tx) => {
    const now: readonly (AnyRow | null)[] = await tx.get(...changes.map(({ at }) => at));
    if (!changes.every(({ row }, n) => isDeepStrictEqual(plain(row), plain(now[n] ?? null))))
      throw new StackError(
        'CHANGED_MEANWHILE',
        'What was altered has been written again since, so it stays as it is. Start again with an empty .chartseal folder.',
      );
    for (const [n, { at }] of changes.entries()) write(tx, { at, row: before[n] ?? null });
  });
}

function write(tx: Parameters<Parameters<TenantStore['transact']>[0]>[0], { at, row }: Change): void {
  if (row === null) tx.delete(at);
  else tx.put(at, row as never);
}

/** A store gives bytes as another class than it took. */
const plain = (row: AnyRow | null): unknown =>
  row === null
    ? null
    : Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          value instanceof Uint8Array ? Buffer.from(value).toString('base64url') : value,
        ]),
      );
