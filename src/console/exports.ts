import type { AuditLog } from '../audit/append.ts';
import { originOf } from '../audit/checkpoint.ts';
import { outsideEvidence } from '../audit/evidence.ts';
import { MAX_ZIP_LEAVES, zipBundle } from '../audit/export/bundle-out.ts';
import { exportLines, LINE_FORMATS, type LineFormat } from '../audit/export/lines.ts';
import { storeSource } from '../audit/store-source.ts';
import { storedDigests } from '../crypto/stored-digests.ts';
import type { TenantId } from '../kernel/ids.ts';
import { ConsoleError } from './errors.ts';
import type { Body, LogPlaces } from './log-api.ts';
import type { ConsoleSession } from './sessions.ts';

/** What an export is made from. */
export interface ExportParts extends LogPlaces {
  readonly audit: AuditLog;
  /** The self-contained program that goes into an evidence bundle, as JavaScript. */
  readonly verifier: string;
  readonly clock: () => number;
}

const FORMATS = [...LINE_FORMATS, 'bundle'] as const;
type Format = (typeof FORMATS)[number];
const TYPES: Readonly<Record<Format, { type: string; ending: string }>> = {
  csv: { type: 'text/csv; charset=utf-8', ending: 'csv' },
  ndjson: { type: 'application/x-ndjson', ending: 'ndjson' },
  fhir: { type: 'application/fhir+ndjson', ending: 'ndjson' },
  cef: { type: 'text/plain; charset=utf-8', ending: 'cef' },
  bundle: { type: 'application/zip', ending: 'zip' },
};

/**
 * The log as one file. The intent is committed before the first byte leaves.
 *
 * @throws ConsoleError `CONSOLE_INPUT`; AuditError `AUDIT_UNAVAILABLE`.
 */
export async function exportLog(
  parts: ExportParts,
  session: ConsoleSession,
  name: string | null,
): Promise<Body & { file: string }> {
  const format = FORMATS.find((one) => one === name);
  if (format === undefined)
    throw new ConsoleError('CONSOLE_INPUT', `Choose one of the formats ${FORMATS.join(', ')}.`);
  const { tenant, user } = session;
  await parts.audit.append(tenant, {
    action: 'R',
    operation: 'consoleExport',
    outcome: '0',
    actor: { user, role: 'auditor', client: 'console' },
    entity: { resource: 'AuditEvent', fields: [format] },
    purposeOfUse: 'HOPERAT',
    policy: 'auditor-console',
  });
  const { type, ending } = TYPES[format];
  const pieces = format === 'bundle' ? await bundle(parts, tenant) : lines(parts, tenant, format);
  return { type, file: `audit-${tenant}.${ending}`, pieces };
}

async function* lines(parts: ExportParts, tenant: TenantId, format: LineFormat): AsyncGenerator<string> {
  const source = storeSource(parts.store.tenant(tenant));
  for await (const line of exportLines(source, format, originOf(parts.projectId, tenant))) yield `${line}\n`;
}

async function bundle(parts: ExportParts, tenant: TenantId): Promise<AsyncIterable<Uint8Array>> {
  const { store, outside, projectId } = parts;
  const rows = store.tenant(tenant);
  const source = storeSource(rows);
  if (outside === null)
    throw new ConsoleError(
      'CONSOLE_INPUT',
      'No place for checkpoints is configured, so nothing can be proven.',
    );
  if ((await source.size()) > MAX_ZIP_LEAVES)
    throw new ConsoleError(
      'CONSOLE_INPUT',
      'The log is too long for one zip file. Use chartseal audit export --format bundle.',
    );
  return zipBundle({
    tenant,
    ...(await outsideEvidence({ store, outside, projectId }, tenant)),
    source,
    stored: storedDigests(rows),
    verifier: parts.verifier,
    now: parts.clock(),
  });
}
