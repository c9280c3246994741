import { collection, type Row, ref } from '../kernel/collection.ts';
import { type PatientId, parsePatientId, type TenantId, type UserId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';

/** Roles in a clinic. */
export const ROLES = ['patient', 'proxy', 'clinician', 'frontdesk', 'auditor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Roles that see other people's charts or change what protects them: a password alone does not open these. */
export const STAFF_ROLES: readonly string[] = ['clinician', 'frontdesk', 'auditor', 'admin'] satisfies Role[];

/** Who belongs to a tenant, id = Firebase uid. Names and e-mail addresses stay in Firebase Auth. */
export const members = collection('members', { role: 'text', patient: 'text?' });

/** A person in a clinic, and the chart that is their own. */
export interface Member {
  readonly role: Role;
  readonly ownChart: PatientId | null;
}

/** Null when the person does not belong to the tenant. */
export async function findMember(store: Store, tenant: TenantId, user: UserId): Promise<Member | null> {
  const [row] = await store.tenant(tenant).get(ref(members, user));
  return row === null ? null : memberOf(row);
}

/** Null for a role that this version does not know: such a person may do nothing. */
export function memberOf(row: Row<typeof members.columns>): Member | null {
  const role = ROLES.find((name) => name === row.role);
  if (role === undefined) return null;
  return { role, ownChart: row.patient === null ? null : parsePatientId(row.patient) };
}
