import { tenants } from '../../clinic/clinic.ts';
import { tombstoneRef, tombstones } from '../../crypto/tombstones.ts';
import { type Collection, type Row, ref } from '../../kernel/collection.ts';
import { SYSTEM_TENANT, type TenantId } from '../../kernel/ids.ts';
import type { Store } from '../../kernel/store.ts';
import { tombstonesOutside } from '../erasure/outside-tombstones.ts';
import { type Reapplied, type ReapplyParts, reapplyTombstones } from '../erasure/reapply.ts';
import type { JobActor } from '../jobs/events.ts';
import { type Checked, registryRow } from './check-backup.ts';
import { BackupError } from './errors.ts';
import { backupEntry } from './events.ts';
import { keylessPatients } from './keyless.ts';
import { RESTORE, type restores } from './registers.ts';
import type { BackupPlan, BackupSet } from './sets.ts';
import { writeRows } from './write-rows.ts';

/** What a restore stands on: what erasing again does, for whoever was erased since is erased again. */
export interface RestoreHouse extends ReapplyParts {
  readonly plan: BackupPlan;
}

/** Who restores. */
export interface RestoreOptions {
  readonly by: JobActor;
  /** Told how many rows of which part are there. */
  readonly onRows?: (part: string, rows: number) => void;
}

/** A tenant that is there again. */
export interface Restored extends Reapplied {
  readonly rows: number;
  /** Patients with a chart for which there is no key: they do not open. */
  readonly keyless: number;
}

/** Tombstones first, then keys, which name them; the log last. */
const ORDER: readonly BackupSet[] = ['keys', 'data', 'log'];

/**
 * Writes a checked backup into a store in which nothing of the tenant is. Whoever was erased is barred before their first
 * row is there, and erased again before the tenant is: its entry in the registry is written last. Killed anywhere and run
 * again with the same sets it ends the same; once it is finished, running it again changes nothing.
 *
 * @throws BackupError `RESTORE_NOT_EMPTY`; AuditError `OUTSIDE_UNAVAILABLE`; what the store and KMS throw.
 */
export async function restoreTenant(
  house: RestoreHouse,
  tenant: TenantId,
  checked: Checked,
  { by, onRows = () => {} }: RestoreOptions,
): Promise<Restored> {
  const { store, audit, clock, plan } = house;
  const rows = store.tenant(tenant);
  const begun = await readyFor(store, plan, tenant, checked);
  const registry = await registryRow(checked, tenant);
  const { backup } = checked.manifests.data;
  if (begun === null) {
    await audit.append(SYSTEM_TENANT, backupEntry('beginRestore', backup, { by }));
    const started = { ...idsOf(checked), startedAt: clock(), finishedAt: null };
    await rows.transact(async (tx) => tx.put(RESTORE, started));
  }
  const isFinished = begun !== null && begun.finishedAt !== null;
  const reapplied = isFinished
    ? { tombstones: 0, erasedAgain: 0 }
    : await write(house, tenant, checked, (part, count) => onRows(part, count));
  const keyless = await keylessPatients(rows);
  if (!isFinished)
    await audit.commit(tenant, async (tx) => {
      const [marker] = await tx.get(RESTORE);
      if (marker === null || marker.finishedAt !== null) return null;
      tx.put(RESTORE, { ...marker, finishedAt: clock() });
      const counts = { rows: checked.rows, ...reapplied, keyless };
      return backupEntry('restoreTenant', backup, { by, counts });
    });
  await store.tenant(SYSTEM_TENANT).transact(async (tx) => {
    const [there] = await tx.get(ref(tenants, tenant));
    if (there === null) tx.create(ref(tenants, tenant), registry as unknown as Row<typeof tenants.columns>);
  });
  return { rows: checked.rows, ...reapplied, keyless };
}

/** Null when nothing was begun; what was, when it is this. @throws BackupError `RESTORE_NOT_EMPTY`. */
export async function readyFor(
  store: Store,
  plan: BackupPlan,
  tenant: TenantId,
  checked: Checked,
): Promise<Row<typeof restores.columns> | null> {
  const rows = store.tenant(tenant);
  const [begun] = await rows.get(RESTORE);
  if (begun !== null && isSame(begun, checked)) return begun;
  const [there] = await store.tenant(SYSTEM_TENANT).get(ref(tenants, tenant));
  if (begun !== null || there !== null) throw notEmpty();
  for (const of of plan.keys()) if ((await rows.list(of, { limit: 1 })).length > 0) throw notEmpty();
  return null;
}

const idsOf = ({ manifests: { data, keys, log } }: Checked) => ({
  data: data.backup,
  keys: keys.backup,
  log: log.backup,
});

const isSame = (begun: Row<typeof restores.columns>, checked: Checked): boolean =>
  Object.entries(idsOf(checked)).every(([set, id]) => begun[set as BackupSet] === id);

const notEmpty = (): BackupError =>
  new BackupError(
    'RESTORE_NOT_EMPTY',
    'Something of this tenant is there already. A restore never writes over it: restore into an empty store.',
  );

async function write(
  house: RestoreHouse,
  tenant: TenantId,
  { parts, manifests }: Checked,
  onRows: (part: string, rows: number) => void,
): Promise<Reapplied> {
  const rows = house.store.tenant(tenant);
  if (house.outside !== null)
    for await (const { patient, request, erasedAt } of tombstonesOutside(house.outside, tenant))
      await rows.transact(async (tx) => tx.put(tombstoneRef(patient), { request, erasedAt }));
  const isFirst = ({ of }: { of: Collection | null }): boolean => of?.name === tombstones.name;
  const inOrder = [
    ...parts.filter(isFirst),
    ...ORDER.flatMap((set) =>
      parts.filter((one) => !isFirst(one) && manifests[set].parts.includes(one.part)),
    ),
  ];
  for (const one of inOrder)
    if (one.of?.name !== tenants.name) await writeRows(rows, one, (count) => onRows(one.part.name, count));
  house.keys.flush(tenant);
  return reapplyTombstones(house, tenant);
}
