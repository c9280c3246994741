import type { AuditEntry } from '../../audit/append.ts';
import type { PatientAlias } from '../../kernel/ids.ts';

/** What a job did to one chart or its keys: an event of its own, for it concerns one patient. */
export function chartEntry(
  operation: 'renewPatientKey' | 'resealChart',
  { job, alias, ...counts }: { job: string; alias: PatientAlias; asides?: number; version?: number },
): AuditEntry {
  return {
    action: 'U',
    operation,
    outcome: '0',
    actor: { user: 'system', role: 'job', client: 'scheduler' },
    patient: alias,
    entity: { resource: 'Task', id: job, counts },
    purposeOfUse: 'HOPERAT',
    policy: 'key-lifecycle',
  };
}

/** What was done to a tenant's keys as a whole. */
export function tenantEntry(
  operation: 'rotateWrappingKey' | 'moveWrappingKey' | 'renewIndexKey' | 'retireIndexKey' | 'createTenant',
  by: { user: string; client: string },
): AuditEntry {
  const role = by.user === 'system' ? 'job' : 'admin';
  return {
    action: operation === 'createTenant' ? 'C' : 'E',
    operation,
    outcome: '0',
    actor: { ...by, role },
    entity: { resource: 'Organization' },
    purposeOfUse: 'HOPERAT',
    policy: 'key-lifecycle',
  };
}
