import type { AuditEntry, AuditLog } from '../../audit/append.ts';
import type { PatientRef } from '../../crypto/patient-keys.ts';
import type { Clock } from '../../kernel/clock.ts';
import { collection, type Ref, ref } from '../../kernel/collection.ts';
import { type PatientId, SYSTEM_TENANT, type TenantId } from '../../kernel/ids.ts';
import type { Store } from '../../kernel/store.ts';
import { DOCUMENT_LIMITS } from './document.ts';
import { deleteBelow, OBJECT_CALL_MS, type ObjectStore } from './object-store.ts';
import type { DocumentRef } from './sealed-chunks.ts';

/**
 * A document that is arriving, id = document: written before its first object, gone in the transaction that puts it into
 * the chart. What is here for long was never finished. `state` is `open` or `dropping`; only an open one is finished.
 */
export const documentUploads = collection(
  'documentUploads',
  { patient: 'text', state: 'text', startedAt: 'instant' },
  { indexed: ['patient'] },
);

/** Who needs to reach both what is stored and where its bytes are. */
export interface UploadParts {
  readonly store: Store;
  readonly objects: ObjectStore;
  readonly audit: AuditLog;
  readonly clock: Clock;
}

/** What was never finished is deleted after so long, in ms. */
export const UNFINISHED_MS = 86_400_000;
/** After so long nothing of an upload writes any more: its own time, and one last object. */
const QUIET_MS = DOCUMENT_LIMITS.uploadMs + OBJECT_CALL_MS;
const PAGE = 200;

export const uploadRef = (document: string): Ref<typeof documentUploads.columns> =>
  ref(documentUploads, document);

/** The prefix of a patient's objects, or of one document's. Ids alone. */
export const objectsOf = ({ tenant, patient, document }: PatientRef & { document?: string }): string =>
  `${tenant}/${patient}/${document === undefined ? '' : `${document}/`}`;

/** Deletes the objects of an upload that is not finished, with an event. False when it was finished, or is gone. */
export async function dropUpload({ store, objects, audit }: UploadParts, of: DocumentRef): Promise<boolean> {
  const at = uploadRef(of.document);
  const mine = await store.tenant(of.tenant).transact(async (tx) => {
    const [row] = await tx.get(at);
    if (row !== null) tx.put(at, { ...row, state: 'dropping' });
    return row !== null;
  });
  if (!mine) return false;
  await deleteBelow(objects, objectsOf(of));
  await audit.commit(of.tenant, async (tx) => {
    const [row] = await tx.get(at);
    if (row === null) return null;
    tx.delete(at);
    return droppedEntry(of.document);
  });
  return true;
}

/** Deletes what uploads that were never finished left, a day after they began. Safe to run twice at once and to kill. */
export async function uploadRound(
  parts: UploadParts,
  tenants: readonly TenantId[],
  options: { readonly signal?: AbortSignal; readonly onFault: (error: unknown) => void },
): Promise<void> {
  for (const tenant of tenants) {
    if (tenant === SYSTEM_TENANT || options.signal?.aborted === true) continue;
    await dropUnfinished(parts, tenant, options).catch(options.onFault);
  }
}

async function dropUnfinished(
  parts: UploadParts,
  tenant: TenantId,
  { onFault, signal }: { readonly signal?: AbortSignal; readonly onFault: (error: unknown) => void },
): Promise<void> {
  const store = parts.store.tenant(tenant);
  for (let after: string | undefined; ; ) {
    const page = await store.list(documentUploads, {
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    for (const { id, row } of page) {
      if (signal?.aborted === true) return;
      const isOld = row.startedAt + UNFINISHED_MS <= parts.clock();
      const of = { tenant, patient: row.patient as PatientId, document: id };
      if (isOld) await dropUpload(parts, of).catch(onFault);
    }
    after = page.at(-1)?.id;
    if (page.length < PAGE) return;
  }
}

/**
 * Deletes every object of a patient whose keys are destroyed: documents, and what is left of uploads. Safe to repeat.
 *
 * @returns false while an upload that began before may still write: call again later.
 */
export async function purgeObjects(
  { store, objects, clock }: Pick<UploadParts, 'store' | 'objects' | 'clock'>,
  of: PatientRef,
): Promise<boolean> {
  const running = await store
    .tenant(of.tenant)
    .list(documentUploads, { equals: { patient: of.patient }, limit: PAGE });
  const now = clock();
  await deleteBelow(objects, objectsOf(of));
  return running.every(({ row }) => row.startedAt + QUIET_MS <= now);
}

const droppedEntry = (document: string): AuditEntry => ({
  action: 'D',
  operation: 'dropUpload',
  outcome: '0',
  actor: { user: 'system', role: 'job', client: 'documents' },
  entity: { resource: 'DocumentReference', id: document },
  purposeOfUse: 'HOPERAT',
  policy: 'scheduled-job',
});
