import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Principal } from '../../src/access/bearer.ts';
import type { AccessError } from '../../src/access/errors.ts';
import { type Member, ROLES } from '../../src/access/members.ts';
import { decide, type Requirement } from '../../src/access/policy.ts';
import type { PatientId, TenantId, UserId } from '../../src/kernel/ids.ts';

const JOHN = 'pat_john' as PatientId;
const ALL = ['patient/Patient.rs', 'patient/*.rs', 'patient/Appointment.crus'] as const;
const chart: Requirement = { scopes: ['patient/Patient.rs'], about: 'own-chart' };
const principal = (scopes: readonly string[]): Principal => ({
  user: 'usr_john' as UserId,
  tenant: 'riverside' as TenantId,
  client: 'c',
  grant: 'g',
  scopes,
  expiresAt: 0,
});
const john: Member = { role: 'patient', ownChart: JOHN };
const refusal = (act: () => unknown): AccessError => {
  try {
    act();
  } catch (error) {
    return error as AccessError;
  }
  throw new Error('It was allowed.');
};

describe('decide', () => {
  test('a patient opens the own chart, named or left out', () => {
    for (const asked of [null, JOHN]) {
      const decision = decide(chart, { principal: principal(ALL), member: john, asked });
      expect(decision).toEqual({ policy: 'patient-own-chart', purposeOfUse: 'PATRQT', patient: JOHN });
    }
  });

  test('unknown and forbidden charts are refused with the very same error', () => {
    const cases: [Member | null, string | null][] = [
      [john, 'pat_other'],
      [john, 'not even an id ✗'],
      [null, null],
      [{ role: 'patient', ownChart: null }, null],
      ...ROLES.filter((role) => role !== 'patient').map((role): [Member, string] => [
        { role, ownChart: JOHN },
        JOHN,
      ]),
    ];
    const refusals = cases.map(([member, asked]) =>
      refusal(() => decide(chart, { principal: principal(ALL), member, asked })),
    );
    for (const { code, message } of refusals) {
      expect({ code, message }).toEqual({ code: 'NOT_FOUND', message: refusals[0]?.message });
    }
  });

  test('missing scopes are named all at once, beside those that are held', () => {
    const both: Requirement = {
      scopes: ['patient/Patient.rs', 'patient/Appointment.crus'],
      about: 'own-chart',
    };
    const error = refusal(() =>
      decide(both, { principal: principal(['patient/*.rs']), member: john, asked: null }),
    );
    expect(error.code).toBe('SCOPE_MISSING');
    expect(error.scopes).toEqual(['patient/*.rs', 'patient/Patient.rs', 'patient/Appointment.crus']);
  });

  test('no combination but the own chart of a patient with every scope opens a chart', () => {
    fc.assert(
      fc.property(
        fc.subarray([...ALL, 'offline_access', 'openid']),
        fc.option(
          fc.record({
            role: fc.constantFrom(...ROLES),
            ownChart: fc.option(fc.constantFrom(JOHN, 'pat_x' as PatientId)),
          }),
        ),
        fc.option(fc.oneof(fc.constantFrom(JOHN, 'pat_x'), fc.string())),
        fc.subarray([...ALL]),
        (scopes, member, asked, needed) => {
          const requirement: Requirement = { scopes: needed, about: 'own-chart' };
          const legal =
            needed.every((scope) => scopes.includes(scope)) &&
            member?.role === 'patient' &&
            member.ownChart !== null &&
            (asked === null || asked === member.ownChart);
          const act = () => decide(requirement, { principal: principal(scopes), member, asked });
          if (legal) expect(act().patient).toBe(member.ownChart);
          else expect(act).toThrow();
        },
      ),
    );
  });
});
