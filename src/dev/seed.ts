import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { members } from '../access/members.ts';
import { putRelationship } from '../access/relationships.ts';
import { importPatient } from '../clinic/import-patient.ts';
import { addMember, setUpClinic } from '../clinic/tenants.ts';
import type { Composed } from '../compose.ts';
import type { Config } from '../config.ts';
import { localKeyId } from '../crypto/local-keyring.ts';
import { systemClock } from '../kernel/clock.ts';
import { ref } from '../kernel/collection.ts';
import { type PatientId, parseTenantId, parseUserId, type TenantId } from '../kernel/ids.ts';
import { createAccounts } from './auth/accounts.ts';
import { DEMO_CLINICS } from './clinics.ts';
import { DEMO_PASSWORD, DEMO_PEOPLE, type DemoPerson } from './people.ts';

/** A year: a relationship without an end is none. */
const RELATED_MS = 365 * 86_400_000;
const DATA = join(import.meta.dirname, '../../emulator-data');

/** Puts the synthetic clinics, people and charts in place. What is there already stays as it is. */
export async function seed(config: Config, composed: Composed): Promise<void> {
  for (const demo of DEMO_CLINICS) {
    const tenant = parseTenantId(demo.tenant);
    const { name, phone, zone } = demo;
    const keyId = await tenantKey(config, composed, tenant);
    await setUpClinic(composed.store, tenant, {
      ...demo,
      clinic: { name, phone, zone, keyId, state: 'active' },
    });
    await composed.secrets.ensure(tenant);
    await composed.indexKeys.ensure(tenant);
  }
  const charts = new Map<string, PatientId>();
  for (const person of bySelfFirst(DEMO_PEOPLE)) await seedMember(composed, person, charts);
  if (config.firebase.authEmulatorUrl === null) return;
  await createAccounts({
    emulatorUrl: config.firebase.authEmulatorUrl,
    projectId: config.projectId,
    accounts: DEMO_PEOPLE.map(({ uid, email, tenant }) => ({
      userId: uid,
      email,
      tenant,
      password: DEMO_PASSWORD,
    })),
  });
}

/** Whoever has a chart of their own comes before those who act for, or treat, them. */
const bySelfFirst = (people: readonly DemoPerson[]): DemoPerson[] => [
  ...people.filter(({ chart }) => chart !== undefined),
  ...people.filter(({ chart }) => chart === undefined),
];

/** @param charts the charts that are in place, by tenant and bundle; takes those that are met here. */
async function seedMember(
  composed: Composed,
  person: DemoPerson,
  charts: Map<string, PatientId>,
): Promise<void> {
  const tenant = parseTenantId(person.tenant);
  const user = parseUserId(person.uid);
  const [existing] = await composed.store.tenant(tenant).get(ref(members, user));
  if (existing !== null) {
    if (person.chart !== undefined) charts.set(`${tenant}/${person.chart}`, existing.patient as PatientId);
    return;
  }
  const chart = async (name: string): Promise<PatientId> => {
    const patient = charts.get(`${tenant}/${name}`) ?? (await chartOf(composed, tenant, name));
    charts.set(`${tenant}/${name}`, patient);
    return patient;
  };
  const patient = person.chart === undefined ? null : await chart(person.chart);
  const related = [
    ...(person.actsFor ?? []).map((name) => ({ name, kind: 'proxy' as const })),
    ...(person.treats ?? []).map((name) => ({ name, kind: 'care-team' as const })),
  ];
  const expiresAt = systemClock() + RELATED_MS;
  for (const { name, kind } of related) {
    const pair = { user, patient: await chart(name) };
    await composed.store.tenant(tenant).transact(async (tx) => {
      putRelationship(tx, { ...pair, kind, expiresAt });
    });
  }
  await addMember(composed.services, tenant, { user, role: person.role, patient, by: 'local-stack' });
}

async function chartOf(composed: Composed, tenant: TenantId, name: string): Promise<PatientId> {
  const bundle = await readFile(join(DATA, `${name}.json`), 'utf8');
  const { patients, audit } = composed.services;
  return (await importPatient(bundle, { tenant, patients, audit, by: 'local-stack' })).patient;
}

function tenantKey({ kms }: Config, { admin }: Composed, tenant: TenantId): Promise<string> | string {
  if (kms.kind === 'local') return localKeyId(kms.keys.at(-1)?.version ?? 1);
  return admin?.wrappingKey(tenant) ?? '';
}
