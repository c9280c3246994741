import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Principal } from '../../src/access/bearer.ts';
import type { Role } from '../../src/access/members.ts';
import { putRelationship } from '../../src/access/relationships.ts';
import { scopesFor } from '../../src/access/scopes.ts';
import { importPatient } from '../../src/clinic/import-patient.ts';
import { type PatientId, randomId, type TenantId, type UserId } from '../../src/kernel/ids.ts';
import type { Store } from '../../src/kernel/store.ts';
import { putMember } from '../doubles/members.ts';
import { type HouseOptions, openDomain } from '../mcp/house.ts';

/** A Monday, 08:00 at the clinic. Every conversation happens at this moment, so that its words never change. */
export const MONDAY = Date.parse('2026-11-23T08:00:00-05:00');
const YEAR = 365 * 86_400_000;

export const PEOPLE = {
  john: { user: 'usr_john', role: 'patient', chart: 'john-doe' },
  ana: { user: 'usr_ana', role: 'patient', chart: 'ana-ruiz' },
  frontdesk: { user: 'usr_frontdesk', role: 'frontdesk' },
  clinician: { user: 'usr_clinician', role: 'clinician', treats: 'john-doe' },
} as const satisfies Record<string, { user: string; role: Role; chart?: string; treats?: string }>;

export type Person = keyof typeof PEOPLE;

/** A clinic of a conversation's own on any store: two patients, the desk, and a clinician who treats one of them. */
export async function openPeople(
  store: Store,
  options: HouseOptions & {
    readonly now?: () => number;
    /** Changes a chart's bundle before it is sealed. */
    readonly edit?: (bundle: string) => string;
  } = {},
) {
  const { now = () => MONDAY, edit = (bundle) => bundle, ...house } = options;
  const tenant = randomId('t') as TenantId;
  const domain = await openDomain({ store, tenant, now }, house);
  const charts = new Map<string, PatientId>();
  for (const name of ['john-doe', 'ana-ruiz']) {
    const bundle = edit(readFileSync(join(import.meta.dirname, `../../emulator-data/${name}.json`), 'utf8'));
    charts.set(name, (await importPatient(bundle, { ...domain.services, tenant, by: 'test' })).patient);
  }
  const chartOf = (name: string | undefined): PatientId | null => charts.get(name ?? '') ?? null;
  for (const person of Object.values(PEOPLE)) {
    const [user, role] = [person.user as UserId, person.role];
    const treated = 'treats' in person ? chartOf(person.treats) : null;
    await putMember(store, tenant, { user, role, patient: chartOf('chart' in person ? person.chart : '') });
    if (treated === null) continue;
    const kind = 'care-team' as const;
    await store.tenant(tenant).transact(async (tx) => {
      putRelationship(tx, { user, patient: treated, kind, expiresAt: MONDAY + YEAR });
    });
  }
  /** As this person's token proves it. */
  const principal = (person: Person): Principal => ({
    user: PEOPLE[person].user as UserId,
    tenant,
    client: 'assistant',
    grant: 'grant',
    scopes: scopesFor(PEOPLE[person].role),
    expiresAt: 0,
  });
  return { ...domain, store, tenant, principal, now, chartOf };
}

export type People = Awaited<ReturnType<typeof openPeople>>;
