import { collection, type Row, ref } from '../kernel/collection.ts';
import { SYSTEM_TENANT, type TenantId } from '../kernel/ids.ts';
import type { Reader, Store } from '../kernel/store.ts';
import type { WorkingTime } from './availability.ts';
import { ClinicError } from './errors.ts';

/** The registry of tenants, in the system tenant; id = tenant. */
export const tenants = collection('tenants', {
  name: 'text',
  phone: 'text',
  /** IANA zone of the clinic's wall clock. */
  zone: 'text',
  /** The wrapping key: a KMS key ARN or a local key id. */
  keyId: 'text',
  state: 'text',
});

/** What can be booked (FHIR HealthcareService). Minutes are multiples of five. */
export const visitTypes = collection('visitTypes', {
  title: 'text',
  minutes: 'integer',
  /** Kept free before and after, for the practitioner and the room. */
  bufferBefore: 'integer',
  bufferAfter: 'integer',
  /** How long before its start a visit can still be booked. */
  leadMinutes: 'integer',
  /** How long before its start a patient can still move or cancel it alone. */
  noticeMinutes: 'integer',
  preparation: 'text?',
  telehealth: 'boolean',
  /** Id of the location where it takes place when it needs no room. */
  location: 'text?',
  /** `patient`, `staff`: who may book it. */
  bookableBy: 'json',
  /** Ids of the practitioners who offer it. */
  practitioners: 'json',
  /** Ids of locations of which one must be free too; empty when it needs none. */
  rooms: 'json',
});

/** Who is visited and when, in clinic-local time. `version` grows with each change. */
export const practitioners = collection('practitioners', {
  name: 'text',
  version: 'integer',
  /** How many visits they see at once. */
  capacity: 'integer',
  /** How many more staff may add by an explicit overbooking. */
  overbook: 'integer',
  availability: 'json',
  absences: 'json',
});

/** Sites and rooms (FHIR Location). */
export const locations = collection('locations', { name: 'text', address: 'text?' });

/** One row, `calendar`: the days on which the whole clinic is closed, as `YYYY-MM-DD`. */
export const clinicCalendar = collection('clinicCalendar', { holidays: 'json' });

/** A clinic's name, telephone, zone and wrapping key. */
export type Clinic = Row<typeof tenants.columns>;

/** Who asks for a visit: the patient or who stands in for them, or the clinic's staff. */
export type Booker = 'patient' | 'staff';

/** A visit type and its id. */
export type VisitType = Omit<Row<typeof visitTypes.columns>, 'bookableBy' | 'practitioners' | 'rooms'> & {
  readonly id: string;
  readonly bookableBy: readonly Booker[];
  readonly practitioners: readonly string[];
  readonly rooms: readonly string[];
};

/** A practitioner with availability, at one version of it. */
export type Practitioner = Omit<Row<typeof practitioners.columns>, 'availability' | 'absences'> &
  WorkingTime & { readonly id: string };

/** A site or room and its id. */
export type Location = Row<typeof locations.columns> & { readonly id: string };

const MAX_VISIT_TYPES = 200;
const CALENDAR = ref(clinicCalendar, 'calendar');

/** @throws ClinicError `CLINIC_MISSING` when the tenant is not set up. */
export async function findClinic(store: Store, tenant: TenantId): Promise<Clinic> {
  const [row] = await store.tenant(SYSTEM_TENANT).get(ref(tenants, tenant));
  if (row === null)
    throw new ClinicError('CLINIC_MISSING', 'This clinic is not set up. Run "chartseal tenant create".');
  return row;
}

/** All visit types of a clinic, by id. */
export async function listVisitTypes(store: Store, tenant: TenantId): Promise<VisitType[]> {
  const rows = await store.tenant(tenant).list(visitTypes, { limit: MAX_VISIT_TYPES });
  return rows.map(({ id, row }) => visitTypeOf(id, row));
}

/** A visit type, and the days on which the clinic is closed. */
export interface Offer {
  readonly visitType: VisitType;
  readonly holidays: readonly string[];
}

/** @throws ClinicError `VISIT_TYPE_UNKNOWN`. */
export async function findOffer(reader: Reader, id: string): Promise<Offer> {
  const [row, calendar] = await reader.get(ref(visitTypes, id), CALENDAR);
  if (row === null) {
    throw new ClinicError(
      'VISIT_TYPE_UNKNOWN',
      'There is no such visit type. Use an id from listVisitTypes.',
    );
  }
  return { visitType: visitTypeOf(id, row), holidays: (calendar?.holidays ?? []) as readonly string[] };
}

/** The practitioners of these ids; unknown ids are left out. */
export async function findPractitioners(reader: Reader, ids: readonly string[]): Promise<Practitioner[]> {
  const rows = await reader.get(...ids.map((id) => ref(practitioners, id)));
  return rows.flatMap((row, index) => (row === null ? [] : [practitionerOf(ids[index] ?? '', row)]));
}

/** The names of these locations; unknown ids are left out. */
export async function findLocations(reader: Reader, ids: readonly string[]): Promise<Location[]> {
  if (ids.length === 0) return [];
  const rows = await reader.get(...ids.map((id) => ref(locations, id)));
  return rows.flatMap((row, index) => (row === null ? [] : [{ id: ids[index] ?? '', ...row }]));
}

function visitTypeOf(id: string, row: Row<typeof visitTypes.columns>): VisitType {
  return {
    ...row,
    id,
    bookableBy: row.bookableBy as readonly Booker[],
    practitioners: row.practitioners as readonly string[],
    rooms: row.rooms as readonly string[],
  };
}

function practitionerOf(id: string, row: Row<typeof practitioners.columns>): Practitioner {
  return {
    ...row,
    id,
    availability: row.availability as unknown as WorkingTime['availability'],
    absences: row.absences as unknown as WorkingTime['absences'],
  };
}
