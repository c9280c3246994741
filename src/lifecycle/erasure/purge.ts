import { consentRef, consents } from '../../access/consents.ts';
import { emergencyGrants, emergencyRecords } from '../../access/emergency.ts';
import { members } from '../../access/members.ts';
import { relationships } from '../../access/relationships.ts';
import { documentUploads } from '../../clinic/documents/uploads.ts';
import { idempotency } from '../../clinic/idempotency.ts';
import { chartValues, manifests } from '../../crypto/open-chart.ts';
import { indexEntries, indexRecords } from '../../crypto/patient-index.ts';
import { patientKeys, patientKeyVersions } from '../../crypto/patient-keys.ts';
import { type Collection, type Columns, type Row, ref } from '../../kernel/collection.ts';
import type { PatientId, UserId } from '../../kernel/ids.ts';
import type { Reader, TenantStore, Transaction } from '../../kernel/store.ts';
import { cardKeys, cards } from '../../payments/card-vault.ts';
import { exportChunks, exports } from '../export/sealed-files.ts';
import { privacyRequests, type RequestState } from '../requests/request.ts';
import { legalHolds } from './legal-holds.ts';

/** Rows that one transaction takes away: small, for they are read whole, and may be of half a MiB each. */
const PAGE = 50;
/** The rest goes with the rows. */
const MAX_VERSIONS = 100;

const BEGUN: readonly string[] = ['erasing', 'done'] satisfies RequestState[];

type OfPatient = Collection<Columns & { patient: 'text' }>;

/** Everything that lies under a patient's handle in a column. A new collection of this kind belongs here. */
const BY_PATIENT: readonly OfPatient[] = [
  chartValues,
  documentUploads,
  idempotency,
  exports,
  exportChunks,
  relationships,
  emergencyGrants,
  indexEntries,
  cardKeys,
  cards,
] as unknown as readonly OfPatient[];

/** What no destroyed key of the patient makes unreadable: it goes in the same moment as the keys. */
const AT_ONCE = [indexEntries, cards, cardKeys] as unknown as readonly OfPatient[];

/** Everything whose row has the patient's handle as its id. */
const BY_ID: readonly Collection[] = [manifests, indexRecords, legalHolds];

/** Where nothing of an erased patient is left; a test holds every collection that names patients against it. */
export const PURGED: readonly Collection[] = [
  ...BY_PATIENT,
  ...BY_ID,
  ...[patientKeys, patientKeyVersions, consents, privacyRequests, members, emergencyRecords],
];

/**
 * Puts into `tx` what makes a chart unreadable for good: its keys and manifest, and what stands under other keys (search
 * index, payment cards). Returns how to write it, for after the caller's own reads.
 */
export async function stageDestruction(
  tx: Reader,
  patient: PatientId,
): Promise<(writes: Transaction) => void> {
  const [[key], ...listed] = await Promise.all([
    tx.get(ref(patientKeys, patient)),
    ...AT_ONCE.map((of) => tx.list(of, { equals: { patient }, limit: PAGE })),
  ]);
  // One more than there is: a rotation may have been about to make it.
  const versions = key === null ? 0 : Math.min(key.current + 1, MAX_VERSIONS);
  return (writes) => {
    writes.delete(ref(patientKeys, patient));
    for (let version = 1; version <= versions; version += 1)
      writes.delete(ref(patientKeyVersions, `${patient}_${version}`));
    for (const [index, of] of AT_ONCE.entries())
      for (const { id } of listed[index] ?? []) writes.delete(ref(of, id));
    for (const of of BY_ID) writes.delete(ref(of, patient));
  };
}

/** Whose rows go. */
export interface PurgeRequest {
  readonly store: TenantStore;
  readonly patient: PatientId;
  /** The request of the erasure itself. */
  readonly keep: string;
  /** Ends the account of a person whose own chart it was, and their membership, with its event. */
  readonly removeMember: (user: UserId) => Promise<void>;
}

/**
 * Deletes every row that is left of a patient whose keys are destroyed, page by page. Safe to repeat and to kill.
 */
export async function purgeRows(asked: PurgeRequest): Promise<void> {
  const { store, patient } = asked;
  for (const of of BY_PATIENT) await deleteAll(store, of, { patient } as Partial<Row<OfPatient['columns']>>);
  await store.transact(async (tx) => {
    const destroy = await stageDestruction(tx, patient);
    destroy(tx);
    tx.delete(consentRef(patient));
  });
  await dropKeyVersions(store, patient);
  await blankReasons(store, patient);
  await dropRequests(asked);
  await detachMembers(asked);
}

async function deleteAll<C extends Columns>(
  store: TenantStore,
  of: Collection<C>,
  equals: Partial<Row<C>>,
): Promise<void> {
  for (;;) {
    const page = await store.list(of, { equals, limit: PAGE });
    if (page.length === 0) return;
    await store.transact(async (tx) => {
      for (const { id } of page) tx.delete(ref(of, id));
    });
  }
}

/** Listed outside the transaction, so that nobody else's keys are locked. */
async function dropKeyVersions(store: TenantStore, patient: PatientId): Promise<void> {
  for (;;) {
    const page = await store.list(patientKeyVersions, { after: `${patient}_`, limit: PAGE });
    const own = page.filter(({ id }) => id.startsWith(`${patient}_`));
    if (own.length === 0) return;
    await store.transact(async (tx) => {
      for (const { id } of own) tx.delete(ref(patientKeyVersions, id));
    });
  }
}

/** A review of emergency access goes on without the words, which the tenant's key still opens. */
async function blankReasons(store: TenantStore, patient: PatientId): Promise<void> {
  const rows = await store.list(emergencyRecords, { equals: { patient }, limit: 1_000 });
  for (const { id } of rows)
    await store.transact(async (tx) => {
      const [row] = await tx.get(ref(emergencyRecords, id));
      if (row !== null) tx.put(ref(emergencyRecords, id), { ...row, sealedReason: new Uint8Array() });
    });
}

/**
 * What else was asked about the chart goes with it; the erasure's own request is the receipt's. One that a restore put back
 * to where it had not begun goes too.
 */
async function dropRequests({ store, patient, keep }: PurgeRequest): Promise<void> {
  const rows = await store.list(privacyRequests, { equals: { patient }, limit: 1_000 });
  const drop = rows.filter(({ id, row }) => id !== keep || !BEGUN.includes(row.state)).map(({ id }) => id);
  for (let from = 0; from < drop.length; from += PAGE)
    await store.transact(async (tx) => {
      for (const id of drop.slice(from, from + PAGE)) tx.delete(ref(privacyRequests, id));
    });
}

/** A patient is a member no longer; somebody who is more than a patient stays one, without a chart. */
async function detachMembers({ store, patient, removeMember }: PurgeRequest): Promise<void> {
  const rows = await store.list(members, { equals: { patient }, limit: PAGE });
  for (const { id, row } of rows)
    if (row.role === 'patient') await removeMember(id as UserId);
    else await store.transact(async (tx) => tx.put(ref(members, id), { ...row, patient: null }));
}
