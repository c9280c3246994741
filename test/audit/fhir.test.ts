import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../src/audit/append.ts';
import { type FhirAuditEvent, fhirOf } from '../../src/audit/export/fhir.ts';
import type { PatientAlias } from '../../src/kernel/ids.ts';
import { anEvent } from './an-event.ts';

const BALP = join(import.meta.dirname, '../../../shared/data/balp');
const at = { origin: 'chartseal/demo/riverside', index: 7 };
const DCM = 'http://dicom.nema.org/resources/ontology/DCM';
const patient = 'pa_1' as PatientAlias;
const none: Partial<AuditEntry> = { patient: undefined as never };

const ACTS = {
  read: {},
  search: { operation: 'findPatient', action: 'E' },
  create: { operation: 'scheduleAppointment', action: 'C', entity: { resource: 'Appointment', id: 'apt_1' } },
  update: { operation: 'rescheduleAppointment', action: 'U' },
  delete: { operation: 'patient erase', action: 'D' },
  disclosure: {
    operation: 'patient export',
    purposeOfUse: 'PUBHLTH',
    entity: { resource: 'Patient', recipient: 'Registry', recipientAddress: 'https://registry.example' },
  },
  denial: { outcome: '4', reason: 'NOT_FOUND', purposeOfUse: 'UNKNOWN' },
  emergency: { operation: 'emergencyAccess', action: 'E', purposeOfUse: 'ETREAT' },
} as const satisfies Record<string, Partial<AuditEntry>>;
const fhir = (act: Partial<AuditEntry>): FhirAuditEvent => fhirOf(anEvent({ patient, ...act }), at);

const codes = (resource: FhirAuditEvent) => ({
  type: resource.type.code,
  subtype: resource.subtype[0]?.code,
  action: resource.action,
  profile: resource.meta?.profile[0]?.split('BasicAudit.')[1] ?? null,
  agents: resource.agent.map(({ type }) => type.coding[0]?.code),
  entities: resource.entity.map(({ type, role }) => `${type.code}/${role.code}`),
});

test.each([
  ['read', ['rest', 'read', 'R', 'PatientRead', ['110152', '110153', 'IRCP'], ['1/1', '2/4']]],
  ['search', ['rest', 'search', 'E', 'PatientQuery', ['110153', '110152', 'IRCP'], ['1/1', '2/24']]],
  ['create', ['rest', 'create', 'C', 'PatientCreate', ['110153', '110152', 'AUT'], ['1/1', '2/4']]],
  ['update', ['rest', 'update', 'U', 'PatientUpdate', ['110153', '110152', 'AUT'], ['1/1', '2/4']]],
  ['delete', ['rest', 'delete', 'D', 'PatientDelete', ['110150', 'custodian', 'AUT'], ['1/1', '2/4']]],
  [
    'disclosure',
    ['110106', 'disclose', 'R', 'PrivacyDisclosure.Source', ['110153', '110152', 'IRCP'], ['1/1', '2/4']],
  ],
  ['denial', ['110113', 'operation', 'R', null, ['110153', '110152', 'IRCP'], ['1/1', '2/4']]],
  ['emergency', ['110113', '110127', 'E', null, ['110153', '110152', 'IRCP'], ['1/1', '2/4']]],
] as const)('%s has the codes of its profile', (name, [type, subtype, action, profile, agents, entities]) => {
  expect(codes(fhir(ACTS[name]))).toEqual({ type, subtype, action, profile, agents, entities });
});

describe('what every resource has (R4 AuditEvent, and BALP’s required elements)', () => {
  test.each(Object.entries(ACTS))('%s', (_name, act) => {
    for (const more of [{}, none]) {
      const resource = fhir({ ...act, ...more });
      expect(resource.id).toMatch(/^[A-Za-z0-9\-.]{1,64}$/);
      expect(resource.recorded).toMatch(/Z$/);
      expect(resource.subtype[1]?.system).toBe('urn:chartseal:operation');
      expect(resource.source.observer.identifier.value).toBe(at.origin);
      const [client, server, user] = resource.agent;
      for (const machine of [client, server]) {
        expect(machine?.who.identifier.value).toBeTruthy();
        expect(machine?.network).toMatchObject({ address: expect.stringMatching(/./), type: '5' });
        expect(machine?.requestor).toBe(false);
      }
      expect(user).toMatchObject({ requestor: true, who: { identifier: { value: 'usr_1' } } });
      expect(user).not.toHaveProperty('network');
      for (const { query, what } of resource.entity) expect([query, what].filter(Boolean)).toHaveLength(1);
    }
  });
});

test('a disclosure’s source is the observer, and the recipient has its address', () => {
  const { agent, source } = fhir(ACTS.disclosure);
  expect(agent[0]?.who).toEqual(source.observer);
  expect(agent[1]).toMatchObject({
    who: { identifier: { value: 'Registry' } },
    network: { address: 'https://registry.example' },
  });
});

test('a read in an emergency stays a read, of the purpose ETREAT', () => {
  const resource = fhir({ purposeOfUse: 'ETREAT' });
  expect(codes(resource).profile).toBe('PatientRead');
  expect(resource.purposeOfEvent?.[0]?.coding[0]?.code).toBe('ETREAT');
});

test('what failed claims no profile: profiles speak of success', () => {
  expect(fhir({ outcome: '8', reason: 'STORE_UNAVAILABLE' })).not.toHaveProperty('meta');
});

test('a query says which fields were answered, never what was asked', () => {
  const query = fhir({ ...ACTS.search, entity: { resource: 'Patient', fields: ['name'] } }).entity[1]?.query;
  expect(Buffer.from(query ?? '', 'base64').toString()).toBe('findPatient?_elements=name');
});

/** The profiles' own text, where it is at hand: each fixed DCM code of an agent is the one that we write. */
describe.runIf(existsSync(BALP))('BALP’s own text', () => {
  test.each([
    ['PatientRead', 'read'],
    ['PatientQuery', 'search'],
    ['PatientCreate', 'create'],
    ['PatientUpdate', 'update'],
  ] as const)('%s.fsh names the agents that we name', (file, name) => {
    const text = readFileSync(`${BALP}/${file}.fsh`, 'utf8');
    for (const [slice, place] of [
      ['client', 0],
      ['server', 1],
    ] as const) {
      const code = new RegExp(`agent\\[${slice}\\]\\.type = \\S*#(\\d+)`).exec(text)?.[1];
      expect(code).toBeDefined();
      expect(fhir(ACTS[name]).agent[place]?.type.coding[0]).toMatchObject({ system: DCM, code });
    }
  });
});
