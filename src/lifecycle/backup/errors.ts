import { ChartsealError } from '../../kernel/errors.ts';

/**
 * - `BACKUP_THERE` the folder has something in it already
 * - `BACKUP_FORMAT` no manifest, or one that this version does not read
 * - `BACKUP_TENANT` it is another tenant's
 * - `BACKUP_PART` a part is missing or is not what its manifest says
 * - `BACKUP_ROWS` a part holds what this version cannot store as it is
 * - `BACKUP_SETS` the keys or the log are older than the data
 * - `RESTORE_OUTSIDE` no place outside is configured that names whom no restore may bring back
 * - `RESTORE_NOT_EMPTY` something of the tenant is there already
 */
export type BackupErrorCode =
  | 'BACKUP_THERE'
  | 'BACKUP_FORMAT'
  | 'BACKUP_TENANT'
  | 'BACKUP_PART'
  | 'BACKUP_ROWS'
  | 'BACKUP_SETS'
  | 'RESTORE_OUTSIDE'
  | 'RESTORE_NOT_EMPTY';

/** A backup was not made, or is not restored. Nothing was written into the store. */
export class BackupError extends ChartsealError<BackupErrorCode> {}

export const badPart = (file: string, why: string): BackupError =>
  new BackupError(
    'BACKUP_PART',
    `The part ${file} ${why}. Nothing was restored: take the whole backup from another copy.`,
  );
