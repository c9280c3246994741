import type { AuditLog } from '../audit/append.ts';
import { originOf } from '../audit/checkpoint.ts';
import { exportLines, LINE_FORMATS, type LineFormat } from '../audit/export/lines.ts';
import { storeSource } from '../audit/store-source.ts';
import { ConsoleError } from './errors.ts';
import type { Body, LogPlaces } from './log-api.ts';
import type { ConsoleSession } from './sessions.ts';

const TYPES: Readonly<Record<LineFormat, string>> = {
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson',
  fhir: 'application/fhir+ndjson',
};

/**
 * The log as one file. The intent is committed before the first byte leaves.
 *
 * @throws ConsoleError `CONSOLE_INPUT`; AuditError `AUDIT_UNAVAILABLE`.
 */
export async function exportLog(
  places: LogPlaces & { audit: AuditLog },
  session: ConsoleSession,
  name: string | null,
): Promise<Body & { file: string }> {
  const format = LINE_FORMATS.find((one) => one === name);
  if (format === undefined)
    throw new ConsoleError('CONSOLE_INPUT', `Choose one of the formats ${LINE_FORMATS.join(', ')}.`);
  const { tenant, user } = session;
  await places.audit.append(tenant, {
    action: 'R',
    operation: 'consoleExport',
    outcome: '0',
    actor: { user, role: 'auditor', client: 'console' },
    entity: { resource: 'AuditEvent', fields: [format] },
    purposeOfUse: 'HOPERAT',
    policy: 'auditor-console',
  });
  const source = storeSource(places.store.tenant(tenant));
  const lines = exportLines(source, format, originOf(places.projectId, tenant));
  return {
    type: TYPES[format],
    file: `audit-${tenant}.${format === 'csv' ? 'csv' : 'ndjson'}`,
    pieces: (async function* () {
      for await (const line of lines) yield `${line}\n`;
    })(),
  };
}
