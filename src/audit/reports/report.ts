import type { AuditEvent } from '../event.ts';
import { accessReport } from './access.ts';
import { deniedReport } from './denied.ts';
import { disclosuresReport } from './disclosures.ts';
import { emergencyReport } from './emergency.ts';
import { erasuresReport } from './erasures.ts';
import type { Reporter, ReportName, ReportOptions, ReportTable } from './report-table.ts';
import { usersReport } from './users.ts';

const MAKERS: Readonly<Record<ReportName, (options: ReportOptions) => Reporter>> = {
  access: accessReport,
  disclosures: disclosuresReport,
  users: usersReport,
  emergency: emergencyReport,
  denied: deniedReport,
  erasures: erasuresReport,
};

/** Makes a report of events, which are read once. Memory is bounded by people and rows, not by events. */
export async function makeReport(
  name: ReportName,
  events: AsyncIterable<AuditEvent> | Iterable<AuditEvent>,
  options: ReportOptions,
): Promise<ReportTable> {
  const reporter = MAKERS[name](options);
  for await (const event of events) reporter.see(event);
  return reporter.table();
}
