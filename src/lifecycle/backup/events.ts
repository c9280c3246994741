import type { AuditEntry } from '../../audit/append.ts';
import type { JobActor } from '../jobs/events.ts';

/** A backup or a restore in the log: which, and how much. */
export function backupEntry(
  operation: 'beginBackup' | 'backupTenant' | 'beginRestore' | 'restoreTenant',
  backup: string,
  { by, counts = {} }: { readonly by: JobActor; readonly counts?: Readonly<Record<string, number>> },
): AuditEntry {
  return {
    action: 'E',
    operation,
    outcome: '0',
    actor: { ...by, role: by.user === 'system' ? 'job' : 'admin' },
    entity: { resource: 'Backup', id: backup, counts },
    purposeOfUse: 'HOPERAT',
    policy: 'key-lifecycle',
  };
}
