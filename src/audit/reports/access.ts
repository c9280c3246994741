import type { AuditEvent } from '../event.ts';
import { fieldsOf, NewestRows, type Reporter, type ReportOptions } from './report-table.ts';

/** Who opened a chart, when and why: every act on it that succeeded, the newest first. */
export function accessReport({ patient }: ReportOptions): Reporter {
  const newest = new NewestRows<AuditEvent>();
  return {
    see: (event) => {
      if (event.patient === patient && event.outcome === '0') newest.add(event);
    },
    table: () => ({
      name: 'access',
      title: `Who opened the chart ${patient ?? ''}`,
      columns: ['Time (UTC)', 'Person', 'Role', 'Client', 'What', 'Purpose', 'Fields'],
      rows: newest.rows.map((event) => [
        event.recorded,
        event.actor.user,
        event.actor.role,
        event.actor.client,
        event.operation,
        event.purposeOfUse,
        fieldsOf(event),
      ]),
      note: `Acts that succeeded, the newest first.${newest.leftOut}`,
    }),
  };
}
