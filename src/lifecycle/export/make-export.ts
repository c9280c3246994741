import type { AuditEntry, AuditLog } from '../../audit/append.ts';
import type { PatientRef } from '../../crypto/patient-keys.ts';
import type { SealedCharts } from '../../crypto/sealed-charts.ts';
import type { TenantSecrets } from '../../crypto/tenant-secrets.ts';
import { ref } from '../../kernel/collection.ts';
import type { Store } from '../../kernel/store.ts';
import { RequestError } from '../requests/errors.ts';
import type { Requests } from '../requests/requests.ts';
import { ExportError } from './errors.ts';
import { exportFilesOf } from './files.ts';
import { gatherHeld, type Held, type HeldParts } from './held.ts';
import { dropStrayChunks, exportRow, exports, sealFiles } from './sealed-files.ts';

/** What exports stand on. */
export interface ExportParts {
  readonly store: Store;
  readonly charts: SealedCharts;
  readonly secrets: TenantSecrets;
  readonly requests: Requests;
  readonly audit: AuditLog;
}

/**
 * Makes the files of a confirmed export and marks its request `ready`, with the event, in one transaction. Two at once,
 * or one that was killed and starts again, end with one export.
 *
 * @returns false when somebody else was faster, or the request was withdrawn.
 * @throws ExportError `EXPORT_NO_CHART`.
 */
export async function makeExport(
  parts: ExportParts,
  { of, request, now }: { of: PatientRef; request: string; now: number },
): Promise<boolean> {
  const { store, charts, requests, audit } = parts;
  const held = await requireHeld(parts, of, now);
  const sealed = await sealFiles(charts, { of, request }, exportFilesOf(held));
  try {
    await requests.advance({
      ...{ of, id: request, step: { step: 'made' }, now, audit },
      beside: (tx, row) => tx.put(ref(exports, request), exportRow(of, sealed, row.until ?? now)),
      entry: madeEntry(held, request),
    });
    return true;
  } catch (error) {
    if (error instanceof RequestError) return false;
    throw error;
  } finally {
    await dropStrayChunks(store.tenant(of.tenant), request);
  }
}

/** @throws ExportError `EXPORT_NO_CHART`. */
export async function requireHeld(parts: HeldParts, of: PatientRef, now: number): Promise<Held> {
  const held = await gatherHeld(parts, of, now);
  if (held === null)
    throw new ExportError('EXPORT_NO_CHART', 'There is no such chart. Nothing was exported.');
  return held;
}

const madeEntry = ({ alias, chart }: Held, request: string): AuditEntry => ({
  action: 'C',
  operation: 'makeExport',
  outcome: '0',
  actor: { user: 'system', role: 'job', client: 'scheduler' },
  patient: alias,
  entity: {
    resource: 'DocumentReference',
    id: request,
    fields: [
      ...Object.keys(chart).sort(),
      'appointments',
      'documents',
      'consents',
      'requests',
      'cards',
      'access',
    ],
  },
  purposeOfUse: 'PATRQT',
  policy: 'scheduled-job',
});
