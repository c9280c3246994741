import { type AuditEntry, AuditLog, auditEvents, type Journal } from '../../src/audit/append.ts';
import type { AuditEvent } from '../../src/audit/event.ts';
import { Bookings } from '../../src/clinic/booking.ts';
import { findClinic } from '../../src/clinic/clinic.ts';
import { Patients } from '../../src/clinic/patients.ts';
import { setUpClinic } from '../../src/clinic/tenants.ts';
import { VisitReader } from '../../src/clinic/visits.ts';
import { IndexKeys } from '../../src/crypto/index-keys.ts';
import { DEFAULT_KEY_CACHE, KeyCache } from '../../src/crypto/key-cache.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import type { KmsTenantKeys } from '../../src/crypto/kms-tenant-keys.ts';
import { manifests } from '../../src/crypto/manifest.ts';
import { chartValues, type ValueName } from '../../src/crypto/open-chart.ts';
import { PatientIndex } from '../../src/crypto/patient-index.ts';
import { PatientKeys, type PatientRef, patientKeyVersions } from '../../src/crypto/patient-keys.ts';
import { SealedCharts } from '../../src/crypto/sealed-charts.ts';
import { keyVersionOf } from '../../src/crypto/sealed-value.ts';
import { TenantSecrets } from '../../src/crypto/tenant-secrets.ts';
import type { Collection, Columns } from '../../src/kernel/collection.ts';
import { newPatientId, randomId, type TenantId, type UserId } from '../../src/kernel/ids.ts';
import type { Listed, Store } from '../../src/kernel/store.ts';
import type { JobQueue } from '../../src/lifecycle/jobs/queue.ts';
import { KeyRotations } from '../../src/lifecycle/rotation/rotations.ts';

export const BY = { user: 'usr_admin', client: 'test' };
export const DAY = 86_400_000;

/** What a test's tenant stands on. */
export interface KeyHouseOptions {
  readonly store: Store;
  readonly keyring: Keyring;
  /** The wrapping key for a tenant that is made here. */
  readonly keyId: string;
  readonly admin?: KmsTenantKeys | null;
  readonly tenant?: TenantId;
  readonly clock?: () => number;
  readonly queue?: JobQueue;
  readonly cacheMs?: number;
  readonly journal?: Journal;
}

/** One process of a tenant whose keys are rotated; several over one store are several processes. */
export async function openKeyHouse(options: KeyHouseOptions) {
  const { store, keyring, clock = Date.now } = options;
  const tenant = options.tenant ?? (randomId('t') as TenantId);
  const cache = new KeyCache({ ...DEFAULT_KEY_CACHE, maxAgeMs: options.cacheMs ?? 300_000 }, Date.now);
  const tenantKeyId = async (of: TenantId) => (await findClinic(store, of)).keyId;
  const base = { store, keyring, cache, clock, tenantKeyId };
  const keys = new PatientKeys(base);
  const secrets = new TenantSecrets(base);
  const indexKeys = new IndexKeys(base);
  const index = new PatientIndex({ store, keys: indexKeys });
  const charts = new SealedCharts({ store, keys });
  const audit = new AuditLog({ store, clock, journal: options.journal ?? (() => undefined) });
  const rotations = new KeyRotations({
    ...{
      ...base,
      keys,
      charts,
      indexKeys,
      index,
      audit,
      admin: options.admin ?? null,
      epochKeys: options.admin ?? null,
    },
    rewrapper: keyring,
    ...{ maxAgeMs: 365 * DAY, queue: options.queue ?? { enqueue: async () => {} } },
  });
  if (options.tenant === undefined) {
    await setUpClinic(store, tenant, clinicOf(options.keyId));
    await secrets.ensure(tenant);
    await indexKeys.ensure(tenant);
  }
  const patients = new Patients({ charts, keys, index });
  const bookings = new Bookings({ store, charts, secrets });
  const visits = new VisitReader({ store, charts });
  const rows = store.tenant(tenant);
  return {
    ...{
      store,
      tenant,
      rows,
      keyring,
      cache,
      keys,
      secrets,
      indexKeys,
      index,
      charts,
      audit,
      rotations,
      patients,
    },
    ...{ bookings, visits },
    newPatient: (texts: Readonly<Record<string, string>> = { a: 'one' }) =>
      newChart({ keys, charts, index, tenant, audit }, texts),
    events: () => eventsOf(store, tenant),
    headers: () => headersOf(store, tenant),
    materials: async () => (await allRows(store, tenant, patientKeyVersions)).map(({ row }) => row.material),
  };
}

export type KeyHouse = Awaited<ReturnType<typeof openKeyHouse>>;

/** One doctor, every day. */
function clinicOf(keyId: string) {
  const daily = { rrule: 'FREQ=DAILY', since: '2026-01-01', from: '00:00', to: '23:30' };
  return {
    clinic: { name: 'C', phone: '+1', zone: 'America/New_York', keyId, state: 'active' },
    practitioners: [{ id: 'dr', name: 'Dr. D', availability: [daily] }],
    visitTypes: [{ id: 'checkup', title: 'Checkup', minutes: 30, practitioners: ['dr'] }],
  };
}

export const ENTRY: AuditEntry = {
  action: 'U',
  operation: 'test',
  outcome: '0',
  actor: { user: 'usr', role: 'patient', client: 'c' },
  purposeOfUse: 'PATRQT',
  policy: 'test',
};

export const nameOf = (document: string): ValueName => ({
  collection: 'charts',
  document,
  compartment: 'clinical',
});

interface Parts {
  readonly keys: PatientKeys;
  readonly charts: SealedCharts;
  readonly index: PatientIndex;
  readonly tenant: TenantId;
  readonly audit: AuditLog;
}

async function newChart(parts: Parts, texts: Readonly<Record<string, string>>): Promise<PatientRef> {
  const of = { tenant: parts.tenant, patient: newPatientId() };
  await parts.keys.ensure(of);
  const open = await parts.index.open(of.tenant);
  const draft = parts.audit.draft(of.tenant);
  await parts.charts.transact(
    of,
    async (chart, tx) => {
      for (const [document, text] of Object.entries(texts))
        await chart.seal(nameOf(document), Buffer.from(text), 1);
      const listed = await open.stage(tx, of.patient, factsOf(of));
      const written = await chart.save(tx);
      listed.write(tx);
      draft.write(tx, { ...ENTRY, action: 'C', patient: chart.alias, written });
    },
    { proof: draft.proof },
  );
  draft.confirm();
  return of;
}

/** Everyone has a number of their own. */
export const factsOf = ({ patient }: Pick<PatientRef, 'patient'>) => ({
  names: [{ family: 'Doe', given: 'Jo' }],
  birthDate: '1980-01-02',
  mrns: [patient.slice(4)],
  emails: [],
  phones: [],
});

/** Reads a value, changes it and writes it back, with its event: what a lost update would show in. */
export async function update(
  { charts, audit }: Pick<KeyHouse, 'charts' | 'audit'>,
  of: PatientRef,
  { document, change }: { document: string; change: (text: string) => string },
): Promise<void> {
  const draft = audit.draft(of.tenant);
  try {
    await charts.transact(
      of,
      async (chart, tx) => {
        const [text] = await chart.read([nameOf(document)]);
        await chart.seal(nameOf(document), Buffer.from(change(text?.toString() ?? '')), 1);
        draft.write(tx, { ...ENTRY, patient: chart.alias, written: await chart.save(tx) });
      },
      { proof: draft.proof },
    );
    draft.confirm();
  } catch (error) {
    draft.abandon();
    throw error;
  }
}

export async function textOf(
  { charts }: Pick<KeyHouse, 'charts'>,
  of: PatientRef,
  document: string,
): Promise<string | null> {
  const found = await charts.read(of, [nameOf(document)]);
  return found?.values[0]?.toString() ?? null;
}

/** Books half an hour with the doctor; `slotId` is the request's key. */
export async function book(
  { bookings, audit }: Pick<KeyHouse, 'bookings' | 'audit'>,
  of: PatientRef,
  { start, slotId = randomId('s') }: { start: number; slotId?: string },
) {
  const draft = audit.draft(of.tenant);
  try {
    const booked = await bookings.book({
      ...{ of, by: 'patient', user: 'usr' as UserId, client: 'c', now: Date.now(), slotId, reason: null },
      slot: { visitType: 'checkup', practitioner: 'dr', start, end: start + 1_800_000 },
      audit: {
        draft,
        write: (tx, { alias, written }) => draft.write(tx, { ...ENTRY, patient: alias, written }),
      },
    });
    if (booked.outcome === 'done') draft.confirm();
    else draft.abandon();
    return booked;
  } catch (error) {
    draft.abandon();
    throw error;
  }
}

export async function allRows<C extends Columns>(
  store: Store,
  tenant: TenantId,
  of: Collection<C>,
): Promise<Listed<C>[]> {
  const all: Listed<C>[] = [];
  for (let after: string | undefined; ; ) {
    const page = await store.tenant(tenant).list(of, { limit: 500, ...(after !== undefined && { after }) });
    all.push(...page);
    after = page.at(-1)?.id;
    if (page.length < 500) return all;
  }
}

const eventsOf = async (store: Store, tenant: TenantId): Promise<AuditEvent[]> =>
  (await allRows(store, tenant, auditEvents)).map(
    ({ row }) => JSON.parse(Buffer.from(row.leaf).toString()) as AuditEvent,
  );

/** The key versions that sealed rows name: `patient` → versions, over values and manifests. */
async function headersOf(store: Store, tenant: TenantId): Promise<Map<string, Set<number>>> {
  const found = new Map<string, Set<number>>();
  const add = (patient: string, sealed: Uint8Array) => {
    const versions = found.get(patient) ?? new Set<number>();
    found.set(patient, versions.add(keyVersionOf(sealed)));
  };
  for (const { row } of await allRows(store, tenant, chartValues)) add(row.patient, row.sealed);
  for (const { id, row } of await allRows(store, tenant, manifests)) add(id, row.sealed);
  return found;
}
