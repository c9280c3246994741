import { emergencyRecords } from '../../src/access/emergency.ts';
import { members } from '../../src/access/members.ts';
import { VERDICTS } from '../../src/audit/verify/report.ts';
import { COLLECTIONS } from '../../src/collections.ts';
import type { Facts } from '../../src/compliance/facts.ts';
import { LogWatch } from '../../src/compliance/scan/log.ts';
import { scanRows } from '../../src/compliance/scan/rows.ts';
import { chartValues } from '../../src/crypto/chart-values.ts';
import { localKeyId } from '../../src/crypto/local-keyring.ts';
import { patientKeys, patientKeyVersions } from '../../src/crypto/patient-keys.ts';
import { type Collection, type Columns, type Row, ref } from '../../src/kernel/collection.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';

export const TENANT = 'riverside' as TenantId;
export const NOW = Date.UTC(2026, 10, 24);
const DAY = 86_400_000;

/** A header of the sealed format and nothing behind it. */
export const sealedBytes = (version = 1): Uint8Array => {
  const bytes = Buffer.alloc(80, 0xee);
  bytes.writeUInt32BE(0xc5010000, 0);
  bytes.writeUInt32BE(version, 4);
  return bytes;
};
export const VALUE = {
  ...{
    patient: 'pat_1',
    collection: 'patients',
    document: 'd',
    compartment: 'contact',
    schema: 1,
    revision: 1,
  },
  sealed: sealedBytes(),
};
export const WRAPPED = {
  ...{ keyId: localKeyId(1), material: null, createdAt: NOW },
  wrapped: Buffer.alloc(80, 0xfe),
};
export const EMERGENCY = {
  ...{
    user: 'usr_1',
    patient: 'pat_1',
    reason: 'disaster-downtime',
    sealedReason: sealedBytes(),
    state: 'open',
  },
  ...{ openedAt: NOW, expiresAt: NOW + DAY, dueAt: NOW + 3 * DAY, reviewer: null, reviewedAt: null },
};

/** A store in which everything is as it should be, and how to put another row into it. */
export async function soundStore() {
  const store = createMemoryStore();
  const plant = <C extends Columns>(of: Collection<C>, id: string, row: Row<C>): Promise<void> =>
    store.tenant(TENANT).transact(async (tx) => tx.put(ref(of, id), row));
  await plant(patientKeys, 'pat_1', { alias: 'pa_1', current: 1, minSeal: 1, state: 'active', head: null });
  await plant(patientKeyVersions, 'pat_1_1', WRAPPED);
  await plant(chartValues, 'value_1', VALUE);
  await plant(members, 'usr_1', { role: 'clinician', patient: null });
  await plant(emergencyRecords, 'em_1', EMERGENCY);
  return { store, plant };
}
export type SoundStore = Awaited<ReturnType<typeof soundStore>>;

/** The facts of that store, and of a configuration, keys and a log that are as they should be. */
export async function factsOf({ store }: SoundStore, sample?: number): Promise<Facts> {
  const rows = await scanRows({
    ...{ store, tenant: TENANT, collections: COLLECTIONS, keyId: localKeyId(1), now: NOW },
    ...(sample !== undefined && { sample }),
  });
  const log = new LogWatch();
  return { ...SOUND, rows, log: { ...log.facts, events: 3 } };
}

const SOUND: Omit<Facts, 'rows' | 'log'> = {
  tenant: TENANT,
  at: NOW,
  config: {
    ...{ version: '1', commit: null, digest: 'd', development: false, origin: 'https://a.test' },
    ...{ store: 'postgres', kms: 'aws', usesWebIdentity: true, staticAwsKeys: [], emulators: [] },
    ...{
      checkpoints: 'bucket',
      witnesses: 1,
      journal: 'projects/a/locations/us/buckets/j',
      weakLocalKeys: [],
      redirects: ['https://a.test/cb'],
    },
    cookieKeys: { count: 1, shortest: 43, fewestDistinct: 30 },
    signingKeys: [{ kid: 'a', crv: 'P-256' }],
    ...{ withoutSecondFactor: 0, staffRoles: ['clinician'], personChartsAnHour: 80 },
    ...{ recordMs: 7 * 365.25 * DAY, backupMs: 35 * DAY, keyMaxAgeMs: 365 * DAY, databaseTls: true },
    sessions: {
      accessToken: 600,
      grant: 30 * 86_400,
      idleGrant: 14 * 86_400,
      session: 900,
      refreshGrace: 30,
    },
  },
  keys: {
    tenant: TENANT,
    at: NOW,
    wrappingKey: {
      keyId: 'k',
      facts: {
        state: 'Enabled',
        createdAt: NOW,
        deletedAt: null,
        material: 'm',
        rotation: { periodDays: 365, nextAt: null },
      },
      problem: null,
      isCurrent: true,
    },
    patients: {
      ...{ seen: 1, isPartial: false, versions: { 1: 1 }, rotating: 0 },
      ...{ oldest: NOW - DAY, newest: NOW, dueAt: null },
    },
    index: { version: 1, isRotating: false, createdAt: NOW - DAY, dueAt: null },
    jobs: [],
  },
  keyPolicy: { deniesOthers: true, forEverybody: [], deleters: [] },
  verified: {
    ...{ tenant: TENANT, origin: 'o', covered: 3, sequenced: 0, pending: 0, signedAt: null },
    verdicts: VERDICTS.map((name) => ({ name, state: 'pass', summary: 'ok', findings: [], count: 0 })),
  },
  brought: { journal: true, keyUse: true },
  access: {
    cases: { asked: 2, refusals: 1, wrong: [] },
    matrix: { now: 'm', reviewed: 'm' },
  },
  database: {
    ...{ kind: 'postgres', version: 180_004, open: [], tables: 3, changeable: [] },
    ...{ tls: { offered: true, used: true }, isLocal: false },
    role: { name: 'chartseal_app', isSuperuser: false, bypasses: false },
  },
  transport: {
    accepted: ['TLSv1.3'],
    refused: ['TLSv1.1'],
    strictTransport: 'max-age=63072000',
    certificate: { problem: null, daysLeft: 60 },
  },
  backups: { madeAt: NOW - DAY, verifiedAt: NOW - 30 * DAY },
};
