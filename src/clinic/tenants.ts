import { members, type Role } from '../access/members.ts';
import type { AuditLog } from '../audit/append.ts';
import { type JsonValue, ref } from '../kernel/collection.ts';
import { type PatientId, SYSTEM_TENANT, type TenantId, type UserId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { type Absence, type AvailabilityRule, checkAvailability } from './availability.ts';
import {
  type Booker,
  type Clinic,
  clinicCalendar,
  locations,
  practitioners,
  tenants,
  type VisitType,
  visitTypes,
} from './clinic.ts';
import { parseDate } from './clinic-time.ts';
import { ClinicError } from './errors.ts';

/** A practitioner as an administrator writes them down. */
export interface PractitionerSetup {
  readonly id: string;
  readonly name: string;
  readonly availability: readonly AvailabilityRule[];
  readonly absences?: readonly Absence[];
  /** 1 when left out. */
  readonly capacity?: number;
  /** 0 when left out. */
  readonly overbook?: number;
}

/** A visit type as an administrator writes it down; what is left out has the value of {@link VISIT_TYPE_DEFAULTS}. */
export type VisitTypeSetup = Pick<VisitType, 'id' | 'title' | 'minutes' | 'practitioners'> &
  Partial<VisitType>;

/** What a clinic offers, as its administrator writes it. No PHI. */
export interface ClinicSetup {
  readonly clinic: Clinic;
  readonly practitioners: readonly PractitionerSetup[];
  readonly visitTypes: readonly VisitTypeSetup[];
  readonly locations?: readonly { readonly id: string; readonly name: string; readonly address?: string }[];
  /** `YYYY-MM-DD` */
  readonly holidays?: readonly string[];
}

/** Booked an hour ahead or more, moved alone a day ahead or more, by anyone, in no room, without buffers. */
export const VISIT_TYPE_DEFAULTS = {
  bufferBefore: 0,
  bufferAfter: 0,
  leadMinutes: 60,
  noticeMinutes: 1_440,
  preparation: null,
  telehealth: false,
  location: null,
  bookableBy: ['patient', 'staff'] as readonly Booker[],
  rooms: [] as readonly string[],
} as const;

const GRAIN_MINUTES = 5;
const MAX_MINUTES = 720;
const MAX_CAPACITY = 20;
const CALENDAR = ref(clinicCalendar, 'calendar');

/**
 * Writes a clinic's registry entry and what it offers. Safe to repeat; replaces what was there.
 *
 * @throws ClinicError `SCHEDULE_INVALID` naming what is wrong; then nothing was written.
 */
export async function setUpClinic(store: Store, tenant: TenantId, setup: ClinicSetup): Promise<void> {
  const types = setup.visitTypes.map((type) => ({ ...VISIT_TYPE_DEFAULTS, ...type }));
  for (const type of types) checkVisitType(type);
  for (const person of setup.practitioners) checkPractitioner(person);
  for (const holiday of setup.holidays ?? []) parseDate(holiday);
  await store.tenant(SYSTEM_TENANT).transact(async (tx) => tx.put(ref(tenants, tenant), setup.clinic));
  await store.tenant(tenant).transact(async (tx) => {
    for (const person of setup.practitioners) tx.put(ref(practitioners, person.id), practitionerRow(person));
    for (const { id, name, address = null } of setup.locations ?? [])
      tx.put(ref(locations, id), { name, address });
    for (const { id, bookableBy, rooms, practitioners: by, ...row } of types)
      tx.put(ref(visitTypes, id), {
        ...row,
        bookableBy: [...bookableBy],
        rooms: [...rooms],
        practitioners: [...by],
      });
    tx.put(CALENDAR, { holidays: [...(setup.holidays ?? [])] });
  });
}

function practitionerRow({
  name,
  availability,
  absences = [],
  capacity = 1,
  overbook = 0,
}: PractitionerSetup) {
  return {
    name,
    version: 1,
    capacity,
    overbook,
    availability: plain(availability),
    absences: plain(absences),
  };
}

const plain = (list: readonly object[]): JsonValue => list.map((item) => ({ ...item }));

function checkVisitType({ id, minutes, bufferBefore, bufferAfter }: VisitType): void {
  const total = bufferBefore + minutes + bufferAfter;
  const sound = [minutes, bufferBefore, bufferAfter].every((part) => part >= 0 && part % GRAIN_MINUTES === 0);
  if (sound && minutes > 0 && total <= MAX_MINUTES) return;
  throw new ClinicError(
    'SCHEDULE_INVALID',
    `Visit type ${id}: minutes and buffers are multiples of ${GRAIN_MINUTES}, at most ${MAX_MINUTES} together.`,
  );
}

function checkPractitioner({
  id,
  availability,
  absences = [],
  capacity = 1,
  overbook = 0,
}: PractitionerSetup): void {
  if (!(capacity >= 1 && overbook >= 0 && capacity + overbook <= MAX_CAPACITY))
    throw new ClinicError('SCHEDULE_INVALID', `Practitioner ${id}: 1 to ${MAX_CAPACITY} places in all.`);
  checkAvailability(availability, absences);
}

const PAGE = 200;

/** Every tenant that is set up, and the system tenant, which has an audit log too. */
export async function listTenants(store: Store): Promise<TenantId[]> {
  const found: TenantId[] = [SYSTEM_TENANT];
  for (let after: string | undefined; ; ) {
    const page = await store
      .tenant(SYSTEM_TENANT)
      .list(tenants, { limit: PAGE, ...(after === undefined ? {} : { after }) });
    found.push(...page.map(({ id }) => id as TenantId));
    after = page.at(-1)?.id;
    if (page.length < PAGE) return found;
  }
}

/** Makes a person a member of a clinic, with a chart of their own or none, and with the event of it. */
export async function addMember(
  parts: { readonly store: Store; readonly audit: AuditLog },
  tenant: TenantId,
  member: { user: UserId; role: Role; patient: PatientId | null; by: string },
): Promise<void> {
  const { user, role, patient, by } = member;
  await parts.audit.commit(tenant, async (tx) => {
    tx.put(ref(members, user), { role, patient });
    return {
      action: 'C',
      operation: 'member-added',
      outcome: '0',
      actor: { user: by, role: 'admin', client: 'chartseal' },
      entity: { resource: 'Person', id: user, fields: [`role.${role}`] },
      purposeOfUse: 'HOPERAT',
      policy: 'operator-registry',
    };
  });
}

/** Ends a membership, with its event in the same transaction. No event when there is none. */
export async function removeMember(
  parts: { readonly audit: AuditLog },
  tenant: TenantId,
  { user, by }: { user: UserId; by: string },
): Promise<void> {
  await parts.audit.commit(tenant, async (tx) => {
    const [member] = await tx.get(ref(members, user));
    if (member === null) return null;
    tx.delete(ref(members, user));
    return {
      action: 'D',
      operation: 'member-removed',
      outcome: '0',
      actor: { user: by, role: 'job', client: 'scheduler' },
      entity: { resource: 'Person', id: user, fields: [`role.${member.role}`] },
      purposeOfUse: 'HOPERAT',
      policy: 'operator-registry',
    };
  });
}
