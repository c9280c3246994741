import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CallToolResult } from '@modelcontextprotocol/server';
import type { Principal } from '../../src/access/bearer.ts';
import { type ConsentTopic, recordConsent } from '../../src/access/consents.ts';
import type { Role } from '../../src/access/members.ts';
import { putRelationship, type RelationshipKind } from '../../src/access/relationships.ts';
import { importPatient } from '../../src/clinic/import-patient.ts';
import type { PatientId, TenantId, UserId } from '../../src/kernel/ids.ts';
import { callTool } from '../../src/mcp/call-tool.ts';
import { TOOLS } from '../../src/mcp/catalog.ts';
import { putMember } from '../doubles/members.ts';
import { buildHouse, TENANT } from '../mcp/house.ts';

const bundle = (name: string) =>
  readFileSync(join(import.meta.dirname, `../../emulator-data/${name}.json`), 'utf8');
/** When these tests happen; a Tuesday morning before the clinic opens. */
export const NOW = Date.parse('2026-11-24T08:00:00-05:00');
const EVERYTHING = [
  'patient/Patient.rs',
  'patient/*.rs',
  'patient/Appointment.crus',
  'user/Patient.rs',
  'user/*.rs',
  'user/Appointment.crus',
];

/** A clinic with people of every role, John's and a child's chart, and a clock that a test may move. */
export async function openClinic(options: Parameters<typeof buildHouse>[2] = {}) {
  const time = { now: NOW };
  const house = await buildHouse(bundle('john-doe'), () => time.now, options);
  const { services, store } = house;
  const child = (await importPatient(bundle('leo-park'), { ...services, tenant: TENANT, by: 'test' }))
    .patient;
  const enrol = (user: string, role: Role, patient: PatientId | null = null, tenant: TenantId = TENANT) =>
    putMember(store, tenant, { user: user as UserId, role, patient });
  for (const role of ['proxy', 'clinician', 'frontdesk', 'auditor', 'admin'] as const)
    await enrol(`usr_${role}`, role);
  const relate = (user: string, patient: PatientId, kind: RelationshipKind, expiresAt = NOW + 86_400_000) =>
    store
      .tenant(TENANT)
      .transact(async (tx) => putRelationship(tx, { user: user as UserId, patient, kind, expiresAt }));
  const say = (patient: PatientId, topic: ConsentTopic, state: 'granted' | 'refused' | 'withdrawn') =>
    store.tenant(TENANT).transact((tx) => recordConsent(tx, { patient, topic, state, now: time.now }));
  const principal = (user: string, change: Partial<Principal> = {}): Principal => ({
    user: user as UserId,
    tenant: TENANT,
    client: 'client-1',
    grant: 'g',
    scopes: EVERYTHING,
    expiresAt: 0,
    ...change,
  });
  const call = (user: string, name: string, args: unknown, change: Partial<Principal> = {}) => {
    const tool = TOOLS.find((one) => one.name === name);
    if (tool === undefined) throw new Error('no such tool');
    return callTool(tool, args, { principal: principal(user, change), services });
  };
  return { ...house, john: house.patient, child, time, join: enrol, relate, say, principal, call };
}

export const codeOf = (result: CallToolResult): unknown =>
  result.isError === true
    ? (result._meta?.['chartseal/error'] as { code?: string } | undefined)?.code
    : 'released';

/** What a tool released; empty after a refusal. */
export const outputOf = (result: CallToolResult): Record<string, unknown> =>
  (result.structuredContent ?? {}) as Record<string, unknown>;
