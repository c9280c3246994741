import type { AuditEvent } from '../event.ts';
import { NewestRows, type Reporter, type ReportOptions } from './report-table.ts';

/** Attempts that were refused, the newest first. */
export function deniedReport({ patient }: ReportOptions): Reporter {
  const newest = new NewestRows<AuditEvent>();
  return {
    see: (event) => {
      if (event.outcome === '4' && (patient === undefined || event.patient === patient)) newest.add(event);
    },
    table: () => ({
      name: 'denied',
      title: 'Denied attempts',
      columns: ['Time (UTC)', 'Person', 'Role', 'Client', 'What', 'Reason', 'Policy'],
      rows: newest.rows.map(({ recorded, actor, operation, reason = '', policy }) => [
        recorded,
        actor.user,
        actor.role,
        actor.client,
        operation,
        reason,
        policy,
      ]),
      note: `The newest first.${newest.leftOut}`,
    }),
  };
}
