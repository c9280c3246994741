import type { AuditEntry, AuditLog } from '../../audit/append.ts';
import type { Outside } from '../../audit/outside.ts';
import { receiptFields } from '../../audit/reports/erasures.ts';
import type { ObjectStore } from '../../clinic/documents/object-store.ts';
import { purgeObjects } from '../../clinic/documents/uploads.ts';
import { removeMember } from '../../clinic/tenants.ts';
import { ERASING, type PatientKeys, type PatientRef, patientKeys } from '../../crypto/patient-keys.ts';
import type { SealedCharts } from '../../crypto/sealed-charts.ts';
import type { TenantSecrets } from '../../crypto/tenant-secrets.ts';
import { tombstoneRef } from '../../crypto/tombstones.ts';
import type { Clock } from '../../kernel/clock.ts';
import { ref } from '../../kernel/collection.ts';
import type { PatientAlias, TenantId, UserId } from '../../kernel/ids.ts';
import type { Reader, Store, Transaction } from '../../kernel/store.ts';
import { readHeldChart } from '../export/held.ts';
import { RequestError } from '../requests/errors.ts';
import type { Refusal } from '../requests/request.ts';
import { type Requests, requestRef } from '../requests/requests.ts';
import { ErasureError } from './errors.ts';
import { freeTimes } from './free-times.ts';
import { legalHoldRef } from './legal-holds.ts';
import { putTombstoneOutside } from './outside-tombstones.ts';
import { purgeRows, stageDestruction } from './purge.ts';
import { type ErasureRow, erasureRef } from './receipt.ts';
import { finalAtOf, type RetentionRules, refusalOf, treatedAt } from './rules.ts';

/** What erasures stand on. */
export interface ErasureParts {
  readonly store: Store;
  readonly charts: SealedCharts;
  readonly keys: PatientKeys;
  readonly secrets: TenantSecrets;
  readonly requests: Requests;
  /** Where the bytes of documents are. */
  readonly objects: ObjectStore;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly rules: RetentionRules;
  /** Where no restore of the store reaches; null when there is no such place. */
  readonly outside: Outside | null;
  /** Ends a person's connections and account, which hold name and e-mail address. Safe to repeat. */
  readonly forgetAccount: (tenant: TenantId, user: UserId) => Promise<void>;
}

/** One erasure. */
export interface Erasure {
  readonly of: PatientRef;
  readonly request: string;
}

/** Export states in which the linked export was made, or its patient did without it. */
const EXPORTED: readonly string[] = ['ready', 'expired', 'withdrawn', 'done'];

/**
 * Erases a patient whose request is approved and has cooled off, from wherever an earlier run stopped: barrier and
 * tombstone, then what the patient takes, then the keys (`logicalAt`), then every row, then the receipt. Killed anywhere
 * and run again, or run twice at once, it ends the same.
 *
 * @throws ErasureError `ERASURE_REFUSED`, `ERASURE_EARLY`; what the store, KMS or the place outside throws.
 */
export async function erasePatient(parts: ErasureParts, erasure: Erasure): Promise<ErasureRow> {
  const before = (await receiptOf(parts.store, erasure)) ?? (await begin(parts, erasure));
  if (!before.outside) await putOutside(parts, erasure);
  if (before.logicalAt === null) {
    await freeTimes(parts, erasure.of, parts.clock());
    await destroyKeys(parts, erasure);
  }
  parts.keys.flush(erasure.of.tenant, erasure.of.patient);
  await purge(parts, erasure);
  return finish(parts, erasure);
}

/**
 * Every object and row of a patient whose keys are destroyed.
 *
 * @throws ErasureError `ERASURE_UPLOAD` (retryable) while a file that was being uploaded may still leave something.
 */
export async function purge(
  parts: Pick<ErasureParts, 'store' | 'objects' | 'clock' | 'audit' | 'forgetAccount'>,
  { of, request }: Erasure,
): Promise<void> {
  const { store, audit, forgetAccount } = parts;
  const { tenant, patient } = of;
  if (!(await purgeObjects(parts, of))) throw uploading();
  await purgeRows({
    ...{ store: store.tenant(tenant), patient, keep: request },
    removeMember: async (user) => {
      await forgetAccount(tenant, user);
      await removeMember({ audit }, tenant, { user, by: 'system' });
    },
  });
}

/** Why the rules do not let a patient be erased now; null when they do. The server looks, and shows nobody anything. */
export async function refusalFor(
  parts: Pick<ErasureParts, 'store' | 'charts' | 'rules'>,
  of: PatientRef,
  now: number,
): Promise<Refusal | null> {
  const [[hold], held] = await Promise.all([
    parts.store.tenant(of.tenant).get(legalHoldRef(of.patient)),
    readHeldChart(parts, of),
  ]);
  const visits = held?.visits.map(({ appointment }) => appointment) ?? [];
  const last = treatedAt({ ...held, visits }, now);
  return refusalOf({ treatedAt: last, held: hold !== null, now }, parts.rules);
}

/** How far an erasure is; null before its first step. */
export async function receiptOf(store: Store, { of, request }: Erasure): Promise<ErasureRow | null> {
  const [row] = await store.tenant(of.tenant).get(erasureRef(request));
  return row;
}

/** The point of no return: from here on nothing reads or writes the chart but the erasure. */
async function begin(parts: ErasureParts, erasure: Erasure): Promise<ErasureRow> {
  const { of, request } = erasure;
  const now = parts.clock();
  if ((await refusalFor(parts, of, now)) !== null) throw refused();
  let barrier: (tx: Transaction) => PatientAlias = missingReceipt;
  let alias = '' as PatientAlias;
  await unlessDone(parts, erasure, () =>
    parts.requests.advance({
      ...{ of, id: request, step: { step: 'begin' }, now, audit: parts.audit },
      prepare: async (tx, { linked }) => {
        barrier = await stageBarrier(tx, { of, request, linked, now });
        return undefined;
      },
      beside: (tx) => {
        alias = barrier(tx);
      },
      entry: () => ({ ...ERASURE_ENTRY, action: 'E', operation: 'beginErasure', patient: alias }),
    }),
  );
  return (await receiptOf(parts.store, erasure)) ?? missingReceipt();
}

async function stageBarrier(
  tx: Reader,
  { of, request, linked, now }: Erasure & { linked: string | null; now: number },
): Promise<(writes: Transaction) => PatientAlias> {
  const [key, hold] = await tx.get(ref(patientKeys, of.patient), legalHoldRef(of.patient));
  if (hold !== null || key === null) throw refused();
  const [exported] = linked === null ? [null] : await tx.get(requestRef(linked));
  if (linked !== null && !EXPORTED.includes(exported?.state ?? 'done')) throw early();
  const row: ErasureRow = {
    ...{ alias: key.alias, startedAt: now, outside: false },
    ...{ logicalAt: null, purgedAt: null, finalAt: null },
  };
  return (writes) => {
    writes.put(ref(patientKeys, of.patient), { ...key, state: ERASING });
    writes.put(tombstoneRef(of.patient), { request, erasedAt: now });
    writes.create(erasureRef(request), row);
    return key.alias as PatientAlias;
  };
}

async function putOutside({ store, outside }: ErasureParts, { of, request }: Erasure): Promise<void> {
  if (outside === null) return;
  const [tombstone] = await store.tenant(of.tenant).get(tombstoneRef(of.patient));
  const { patient } = of;
  await putTombstoneOutside(outside, of.tenant, { patient, request, erasedAt: tombstone?.erasedAt ?? 0 });
  await store.tenant(of.tenant).transact(async (tx) => {
    const [row] = await tx.get(erasureRef(request));
    if (row !== null) tx.put(erasureRef(request), { ...row, outside: true });
  });
}

/** Keys, manifest, index and the event of the deletion in one transaction: there is no moment in between. */
async function destroyKeys(parts: ErasureParts, { of, request }: Erasure): Promise<void> {
  const at = erasureRef(request);
  await parts.audit.commit(of.tenant, async (tx) => {
    const [receipt] = await tx.get(at);
    const destroy = await stageDestruction(tx, of.patient);
    if (receipt === null || receipt.logicalAt !== null) return null;
    destroy(tx);
    tx.put(at, { ...receipt, logicalAt: parts.clock() });
    const patient = receipt.alias as PatientAlias;
    return { ...ERASURE_ENTRY, action: 'D', operation: 'erasePatient', patient };
  });
}

async function finish(parts: ErasureParts, erasure: Erasure): Promise<ErasureRow> {
  const { of, request } = erasure;
  const at = erasureRef(request);
  const now = parts.clock();
  const done = (await receiptOf(parts.store, erasure)) ?? missingReceipt();
  const patient = done.alias as PatientAlias;
  const finalAt = finalAtOf(now, parts.rules);
  const fields = receiptFields({ finalAt, outside: done.outside });
  const entity = { resource: 'Task', id: request, fields };
  if (done.purgedAt === null)
    await unlessDone(parts, erasure, () =>
      parts.requests.advance({
        ...{ of, id: request, step: { step: 'finish' }, now, audit: parts.audit },
        beside: (tx) => tx.put(at, { ...done, purgedAt: now, finalAt }),
        entry: { ...ERASURE_ENTRY, action: 'E', operation: 'finishErasure', patient, entity },
      }),
    );
  return (await receiptOf(parts.store, erasure)) ?? missingReceipt();
}

/** Takes a step of the request, unless another run of this erasure has taken it meanwhile. */
async function unlessDone(
  parts: ErasureParts,
  erasure: Erasure,
  step: () => Promise<unknown>,
): Promise<void> {
  try {
    await step();
  } catch (error) {
    const isLate = error instanceof RequestError && error.code === 'REQUEST_STATE';
    if (!isLate || (await receiptOf(parts.store, erasure)) === null) throw error;
  }
}

/** An act of the erasure on the patient. */
export const ERASURE_ENTRY = {
  outcome: '0',
  actor: { user: 'system', role: 'job', client: 'scheduler' },
  entity: { resource: 'Patient' },
  purposeOfUse: 'PATRQT',
  policy: 'scheduled-job',
} as const satisfies Partial<AuditEntry>;

const refused = (): ErasureError =>
  new ErasureError(
    'ERASURE_REFUSED',
    'Retention or a legal hold stands against this erasure. Refuse the request.',
  );
const early = (): ErasureError =>
  new ErasureError('ERASURE_EARLY', 'The export that goes before this erasure is not made yet.', {
    retryable: true,
  });
const uploading = (): ErasureError =>
  new ErasureError('ERASURE_UPLOAD', 'A file was still arriving. The next round takes it away.', {
    retryable: true,
  });
function missingReceipt(): never {
  throw new ErasureError('ERASURE_EARLY', 'There is no erasure of this request.');
}
