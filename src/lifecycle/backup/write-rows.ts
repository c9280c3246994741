import { ERASING, patientKeys } from '../../crypto/patient-keys.ts';
import { tombstones } from '../../crypto/tombstones.ts';
import { type Collection, type Columns, type Ref, type Row, ref } from '../../kernel/collection.ts';
import type { Listed, TenantStore, TimeClaim } from '../../kernel/store.ts';
import type { CheckedPart } from './check-backup.ts';
import { claimOf, rowOf } from './lines.ts';
import { linesOf } from './part.ts';

/** One transaction. Lines have a third more than the bytes in them. */
const MAX_ROWS = 300;
const MAX_CHARACTERS = 4_000_000;

/**
 * Creates a part's rows, some in a transaction. A row that is there already stays as it is, so that a restore which was
 * killed goes on where it was. `onRows` hears how many are there now.
 */
export async function writeRows(
  store: TenantStore,
  { folder, part, of }: CheckedPart,
  onRows: (rows: number) => void,
): Promise<void> {
  let [batch, size, rows] = [[] as string[], 0, 0];
  const flush = async (): Promise<void> => {
    if (of === null) for (const line of batch) await claimTime(store, claimOf(line));
    else await createMissing(store, of, batch);
    rows += batch.length;
    [batch, size] = [[], 0];
    onRows(rows);
  };
  for await (const line of linesOf(folder, part)) {
    if (batch.length > 0 && (batch.length >= MAX_ROWS || size + line.length > MAX_CHARACTERS)) await flush();
    batch.push(line);
    size += line.length;
  }
  if (batch.length > 0) await flush();
}

async function createMissing(store: TenantStore, of: Collection, lines: readonly string[]): Promise<void> {
  const rows = lines.map((line) => rowOf(of, line)).filter((row): row is Listed<Columns> => row !== null);
  const refs = rows.map(({ id }) => ref(of, id));
  const barred = of.name === patientKeys.name ? rows.map(({ id }): Ref => ref(tombstones, id)) : [];
  await store.transact(async (tx) => {
    const found = await tx.get(...refs);
    const buried = await tx.get(...barred);
    for (const [at, { row }] of rows.entries()) {
      const to = refs[at];
      if (to === undefined || found[at] !== null) continue;
      tx.create(to, buried[at] == null ? row : shut(row));
    }
  });
}

/** The key of somebody who was erased comes back in a state in which nothing reads or writes their chart. */
const shut = (row: Row<Columns>): Row<Columns> => ({ ...row, state: ERASING });

async function claimTime(store: TenantStore, claim: TimeClaim | null): Promise<void> {
  if (claim === null) return;
  await store.transact(async (tx) => {
    const taken = await tx.busy([claim.resource], claim);
    if (!taken.some(({ booking }) => booking === claim.booking)) tx.claim(claim);
  });
}
