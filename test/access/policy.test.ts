import { describe, expect, test } from 'vitest';
import type { Principal } from '../../src/access/bearer.ts';
import { NO_CONSENT } from '../../src/access/consents.ts';
import type { AccessError } from '../../src/access/errors.ts';
import type { ChartFacts } from '../../src/access/facts.ts';
import type { Role } from '../../src/access/members.ts';
import { decide, type Requirement, scopesNeeded } from '../../src/access/policy.ts';
import { RESOURCE_SCOPES } from '../../src/access/scopes.ts';
import type { PatientId, TenantId, UserId } from '../../src/kernel/ids.ts';
import { POLICIES_LOADED } from '../mcp/house.ts';

const JOHN = 'pat_john' as PatientId;
const engine = await POLICIES_LOADED.engine();
const DEMOGRAPHICS: Requirement = { actions: ['read-demographics'] };
const principal = (scopes: readonly string[]): Principal => ({
  user: 'usr_john' as UserId,
  tenant: 'riverside' as TenantId,
  client: 'c',
  grant: 'g',
  scopes,
  expiresAt: 0,
});
const chart = (change: Partial<ChartFacts> = {}): ChartFacts => ({
  patient: JOHN,
  relationship: 'self',
  consent: NO_CONSENT,
  emergency: false,
  ...change,
});
const decideFor = (
  role: Role | null,
  facts: ChartFacts | null,
  { requirement = DEMOGRAPHICS, scopes = RESOURCE_SCOPES as readonly string[] } = {},
) =>
  decide(requirement, {
    principal: principal(scopes),
    facts: { member: role === null ? null : { role, ownChart: null }, chart: facts },
    engine,
  });
const refusal = (act: () => unknown): AccessError => {
  try {
    act();
  } catch (error) {
    return error as AccessError;
  }
  throw new Error('It was allowed.');
};

describe('decide', () => {
  test('a patient opens the own chart', () => {
    expect(decideFor('patient', chart())).toEqual({
      policy: 'patient-own-chart',
      purposeOfUse: 'PATRQT',
      patient: JOHN,
      relationship: 'self',
      emergency: false,
    });
  });

  test('a parent acts for a child, for the family’s purpose', () => {
    const decision = decideFor('proxy', chart({ relationship: 'proxy' }));
    expect(decision).toMatchObject({ policy: 'proxy-acts-for', purposeOfUse: 'FAMRQT' });
  });

  test('a clinician of the care team treats', () => {
    const decision = decideFor('clinician', chart({ relationship: 'care-team' }));
    expect(decision).toMatchObject({
      policy: 'clinician-care-team',
      purposeOfUse: 'TREAT',
      emergency: false,
    });
  });

  test('an emergency is marked as one only where nothing else opens the chart', () => {
    const stranger = decideFor('clinician', chart({ relationship: 'none', emergency: true }));
    expect(stranger).toMatchObject({
      policy: 'clinician-emergency',
      purposeOfUse: 'ETREAT',
      emergency: true,
    });
    const treating = decideFor('clinician', chart({ relationship: 'care-team', emergency: true }));
    expect(treating).toMatchObject({ purposeOfUse: 'TREAT', emergency: false });
  });

  test('unknown and forbidden charts are refused with the very same error', () => {
    const refusals = [
      refusal(() => decideFor('patient', chart({ relationship: 'none' }))),
      refusal(() => decideFor('patient', null)),
      refusal(() => decideFor(null, chart())),
      refusal(() => decideFor('clinician', chart({ relationship: 'none' }))),
      refusal(() => decideFor('auditor', chart())),
      refusal(() => decideFor('admin', chart())),
      refusal(() =>
        decideFor('frontdesk', chart({ relationship: 'none' }), {
          requirement: { actions: ['read-clinical'] },
        }),
      ),
    ];
    for (const { code, message, scopes } of refusals) {
      expect({ code, message, scopes }).toEqual({
        code: 'NOT_FOUND',
        message: refusals[0]?.message,
        scopes: [],
      });
    }
  });

  test('missing scopes are named all at once, beside those that are held', () => {
    const requirement: Requirement = { actions: ['read-demographics', 'book'] };
    const patient = refusal(() => decideFor('patient', chart(), { requirement, scopes: ['patient/*.rs'] }));
    expect(patient.code).toBe('SCOPE_MISSING');
    expect(patient.scopes).toEqual(['patient/*.rs', 'patient/Patient.rs', 'patient/Appointment.crus']);
    const staff = refusal(() =>
      decideFor('frontdesk', chart({ relationship: 'none' }), { requirement, scopes: ['offline_access'] }),
    );
    expect(staff.scopes).toEqual(['offline_access', 'user/Patient.rs', 'user/Appointment.crus']);
  });

  test('a patient’s scope opens nothing in a clinician’s hands, nor a clinician’s in a patient’s', () => {
    const staff = ['user/Patient.rs', 'user/*.rs', 'user/Appointment.crus'];
    const own = ['patient/Patient.rs', 'patient/*.rs', 'patient/Appointment.crus'];
    expect(refusal(() => decideFor('patient', chart(), { scopes: staff })).code).toBe('SCOPE_MISSING');
    const treated = chart({ relationship: 'care-team' });
    expect(refusal(() => decideFor('clinician', treated, { scopes: own })).code).toBe('SCOPE_MISSING');
  });

  test('a missing scope is the same answer for a chart that one holds and one that does not exist', () => {
    const held = refusal(() => decideFor('patient', chart(), { scopes: [] }));
    const unknown = refusal(() => decideFor('patient', null, { scopes: [] }));
    expect({ ...unknown, message: unknown.message }).toEqual({ ...held, message: held.message });
  });

  test('every action of a tool must be permitted', () => {
    const requirement: Requirement = { actions: ['read-demographics', 'read-clinical'] };
    expect(() => decideFor('frontdesk', chart({ relationship: 'none' }))).not.toThrow();
    expect(() => decideFor('frontdesk', chart({ relationship: 'none' }), { requirement })).toThrow();
  });

  test('a tool that names no action is refused', () => {
    expect(() => decideFor('patient', chart(), { requirement: { actions: [] } })).toThrow();
  });

  test('no scope of an auditor or an admin leads to a chart, so none is asked for', () => {
    for (const role of ['auditor', 'admin'] as const) expect(scopesNeeded(DEMOGRAPHICS, role)).toBeNull();
  });
});
