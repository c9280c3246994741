import { type AuditEntry, AuditLog } from '../../src/audit/append.ts';
import { Bookings } from '../../src/clinic/booking.ts';
import { Patients } from '../../src/clinic/patients.ts';
import type { NamedSlot } from '../../src/clinic/slot-token.ts';
import { sweepHolds } from '../../src/clinic/sweep-holds.ts';
import { setUpClinic } from '../../src/clinic/tenants.ts';
import type { VisitRequest } from '../../src/clinic/visit-work.ts';
import { VisitReader } from '../../src/clinic/visits.ts';
import { Waitlist } from '../../src/clinic/waitlist.ts';
import { IndexKeys } from '../../src/crypto/index-keys.ts';
import { DEFAULT_KEY_CACHE, KeyCache } from '../../src/crypto/key-cache.ts';
import { LocalKeyring, localKeyId } from '../../src/crypto/local-keyring.ts';
import { PatientIndex } from '../../src/crypto/patient-index.ts';
import { PatientKeys } from '../../src/crypto/patient-keys.ts';
import { SealedCharts } from '../../src/crypto/sealed-charts.ts';
import { TenantSecrets } from '../../src/crypto/tenant-secrets.ts';
import { newPatientId, randomId, type TenantId, type UserId } from '../../src/kernel/ids.ts';
import type { Store } from '../../src/kernel/store.ts';

export const ZONE = 'America/New_York';
/** A Monday, 12:00 at the clinic. */
export const NOON = Date.parse('2026-11-30T12:00:00-05:00');
export const at = (local: string): number => Date.parse(`${local}:00-05:00`);

/** A clinic of a test's own on any store: a doctor, a group nurse, two rooms, and a clock that the test turns. */
export async function openClinic(store: Store, known?: TenantId) {
  const tenant = known ?? (randomId('t') as TenantId);
  const clock = { now: NOON };
  const keyring = new LocalKeyring([{ version: 1, hex: 'ab'.repeat(32), status: 'active' }]);
  const cache = new KeyCache(DEFAULT_KEY_CACHE, Date.now);
  const options = { store, keyring, cache, clock: Date.now, tenantKeyId: async () => localKeyId(1) };
  const keys = new PatientKeys(options);
  const secrets = new TenantSecrets(options);
  const indexKeys = new IndexKeys(options);
  const charts = new SealedCharts({ store, keys });
  const audit = new AuditLog({ store, clock: Date.now, journal: () => undefined });
  const patients = new Patients({ charts, keys, index: new PatientIndex({ store, keys: indexKeys }) });
  if (known === undefined) await setUp(store, tenant);
  await secrets.ensure(tenant);
  await indexKeys.ensure(tenant);

  const newPatient = async () => {
    const of = { tenant, patient: newPatientId() };
    await keys.ensure(of);
    return of;
  };
  const entry: AuditEntry = {
    action: 'C',
    operation: 'test',
    outcome: '0',
    actor: { user: 'usr', role: 'patient', client: 'c' },
    purposeOfUse: 'PATRQT',
    policy: 'test',
  };
  /** What every request carries; its audit event is written for real. */
  const asked = (of: VisitRequest['of'], by: VisitRequest['by'] = 'patient'): VisitRequest => {
    const draft = audit.draft(tenant);
    const user = 'usr' as UserId;
    return {
      of,
      by,
      user,
      client: 'c',
      now: clock.now,
      audit: { draft, write: (tx) => draft.write(tx, entry) },
    };
  };
  const bookings = new Bookings({ store, charts, secrets });
  const waitlist = new Waitlist({ store, charts, secrets });
  const slot = (start: string, visitType = 'checkup', practitioner = 'dr'): NamedSlot => {
    return { visitType, practitioner, start: at(start), end: at(start) + 1_800_000 };
  };
  const book = (
    of: VisitRequest['of'],
    wanted: NamedSlot,
    more: { by?: VisitRequest['by']; slotId?: string; overbook?: boolean; reason?: string } = {},
  ) =>
    bookings.book({
      ...asked(of, more.by),
      slot: wanted,
      slotId: more.slotId ?? randomId('s'),
      reason: more.reason ?? null,
      ...(more.overbook === undefined ? {} : { overbook: more.overbook }),
    });
  const reads = new VisitReader({ store, charts });
  const visits = async (of: VisitRequest['of']) => (await reads.all(of))?.visits ?? [];
  const only = async (of: VisitRequest['of']) => {
    const [first] = await visits(of);
    if (first === undefined) throw new Error('There is no visit.');
    return first;
  };
  const move = (of: VisitRequest['of'], appointmentId: string, to: NamedSlot, by?: VisitRequest['by']) =>
    bookings.move({ ...asked(of, by), appointmentId, slot: to, slotId: randomId('s') });
  const cancel = async (
    of: VisitRequest['of'],
    more: { by?: VisitRequest['by']; confirm?: string; reason?: string } = {},
  ) => {
    const { id: appointmentId, appointment } = await only(of);
    const { confirm = randomId('c'), reason = null } = more;
    return bookings.cancel({ ...asked(of, more.by), appointmentId, appointment, confirm, reason });
  };
  const reader = store.tenant(tenant);
  const busy = (...resources: string[]) =>
    reader.busy(resources, { from: at('2026-12-01T00:00'), to: at('2026-12-02T00:00') });
  return {
    sweep: () => sweepHolds(tenant, { store, audit, now: clock.now }),
    ...{ store, tenant, clock, bookings, waitlist, patients, charts },
    ...{ newPatient, asked, slot, book, visits, only, move, cancel, busy },
  };
}

async function setUp(store: Store, tenant: TenantId): Promise<void> {
  const daily = { rrule: 'FREQ=DAILY', since: '2026-01-01' };
  await setUpClinic(store, tenant, {
    clinic: { name: 'C', phone: '+1', zone: ZONE, keyId: localKeyId(1), state: 'active' },
    practitioners: [
      { id: 'dr', name: 'Dr. D', availability: [{ ...daily, from: '09:00', to: '12:00' }], overbook: 1 },
      { id: 'nurse', name: 'N. N', availability: [{ ...daily, from: '09:00', to: '10:00' }], capacity: 2 },
    ],
    locations: [
      { id: 'r1', name: 'Room 1' },
      { id: 'r2', name: 'Room 2' },
    ],
    visitTypes: [
      { id: 'checkup', title: 'Checkup', minutes: 30, practitioners: ['dr'] },
      { id: 'group', title: 'Group class', minutes: 30, practitioners: ['nurse'] },
      { id: 'jab', title: 'Jab', minutes: 30, practitioners: ['dr', 'nurse'], rooms: ['r1'] },
      { id: 'surgery', title: 'Surgery', minutes: 30, practitioners: ['dr'], bookableBy: ['staff'] },
    ],
  });
}

export type TestClinic = Awaited<ReturnType<typeof openClinic>>;
