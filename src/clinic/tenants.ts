import { members } from '../access/members.ts';
import { ref } from '../kernel/collection.ts';
import { type PatientId, SYSTEM_TENANT, type TenantId, type UserId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { type Clinic, practitioners, tenants, visitTypes, type WeeklyHours } from './clinic.ts';

/** What a clinic offers, as its administrator writes it. No PHI. */
export interface ClinicSetup {
  readonly clinic: Clinic;
  readonly practitioners: readonly {
    readonly id: string;
    readonly name: string;
    readonly hours: readonly WeeklyHours[];
  }[];
  readonly visitTypes: readonly {
    readonly id: string;
    readonly title: string;
    readonly minutes: number;
    readonly leadMinutes: number;
    readonly preparation: string | null;
    readonly practitioners: readonly string[];
  }[];
}

/** Writes a clinic's registry entry and what it offers. Safe to repeat; replaces what was there. */
export async function setUpClinic(store: Store, tenant: TenantId, setup: ClinicSetup): Promise<void> {
  await store.tenant(SYSTEM_TENANT).transact(async (tx) => tx.put(ref(tenants, tenant), setup.clinic));
  await store.tenant(tenant).transact(async (tx) => {
    for (const { id, name, hours } of setup.practitioners) {
      tx.put(ref(practitioners, id), { name, version: 1, hours: hours.map((span) => ({ ...span })) });
    }
    for (const { id, ...row } of setup.visitTypes) {
      tx.put(ref(visitTypes, id), { ...row, practitioners: [...row.practitioners] });
    }
  });
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

/** Makes a person a member of a clinic, with a chart of their own or none. */
export async function putMember(
  store: Store,
  tenant: TenantId,
  member: { user: UserId; role: string; patient: PatientId | null },
): Promise<void> {
  const { user, role, patient } = member;
  await store.tenant(tenant).transact(async (tx) => tx.put(ref(members, user), { role, patient }));
}
