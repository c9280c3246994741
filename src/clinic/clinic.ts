import { collection, type Row, ref } from '../kernel/collection.ts';
import { SYSTEM_TENANT, type TenantId } from '../kernel/ids.ts';
import type { Reader, Store } from '../kernel/store.ts';
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

/** What can be booked. */
export const visitTypes = collection('visitTypes', {
  title: 'text',
  minutes: 'integer',
  /** How long before its start a visit can still be booked. */
  leadMinutes: 'integer',
  preparation: 'text?',
  /** Ids of the practitioners who offer it. */
  practitioners: 'json',
});

/** Who is visited, and the weekly hours in clinic-local time. `version` grows with each change. */
export const practitioners = collection('practitioners', {
  name: 'text',
  version: 'integer',
  hours: 'json',
});

/** A clinic's name, telephone, zone and wrapping key. */
export type Clinic = Row<typeof tenants.columns>;

/** A visit type and its id. */
export interface VisitType {
  readonly id: string;
  readonly title: string;
  readonly minutes: number;
  readonly leadMinutes: number;
  readonly preparation: string | null;
  readonly practitioners: readonly string[];
}

/** Hours on one weekday, clinic-local `HH:MM`, end excluded. 1 is Monday, 7 Sunday. */
export interface WeeklyHours {
  readonly weekday: number;
  readonly from: string;
  readonly to: string;
}

/** A practitioner with hours, at one version of them. */
export interface Practitioner {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly hours: readonly WeeklyHours[];
}

const MAX_VISIT_TYPES = 200;

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
  return rows.map(({ id, row }) => ({ id, ...row, practitioners: row.practitioners as readonly string[] }));
}

/** @throws ClinicError `VISIT_TYPE_UNKNOWN`. */
export async function findVisitType(reader: Reader, id: string): Promise<VisitType> {
  const [row] = await reader.get(ref(visitTypes, id));
  if (row === null) {
    throw new ClinicError(
      'VISIT_TYPE_UNKNOWN',
      'There is no such visit type. Use an id from listVisitTypes.',
    );
  }
  return { id, ...row, practitioners: row.practitioners as readonly string[] };
}

/** The practitioners of these ids; unknown ids are left out. */
export async function findPractitioners(reader: Reader, ids: readonly string[]): Promise<Practitioner[]> {
  const rows = await reader.get(...ids.map((id) => ref(practitioners, id)));
  return rows.flatMap((row, index) => {
    const id = ids[index];
    return row === null || id === undefined
      ? []
      : [{ id, ...row, hours: row.hours as unknown as WeeklyHours[] }];
  });
}
