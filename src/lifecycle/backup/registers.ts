import { collection, type Row, ref } from '../../kernel/collection.ts';
import type { TenantId } from '../../kernel/ids.ts';
import type { Store } from '../../kernel/store.ts';

/** The last backup that was made and read again, id `last`. */
export const backups = collection('backups', {
  backup: 'text',
  /** The moment that it shows. */
  takenAt: 'instant',
  /** Every part was read again and was what had been written. */
  verifiedAt: 'instant',
  rows: 'integer',
  /** The audit log's size at that moment. */
  logSize: 'integer',
});

/** The restore that made this tenant what it is, id `last`; unfinished until `finishedAt`. */
export const restores = collection('restores', {
  data: 'text',
  keys: 'text',
  log: 'text',
  startedAt: 'instant',
  finishedAt: 'instant?',
});

export const LAST_BACKUP = ref(backups, 'last');
export const RESTORE = ref(restores, 'last');

/** When a tenant's last whole backup was made and read again; null when there never was one, or only before a restore. */
export async function lastBackup(
  store: Store,
  tenant: TenantId,
): Promise<Row<typeof backups.columns> | null> {
  const [row] = await store.tenant(tenant).get(LAST_BACKUP);
  return row;
}
