import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Principal } from '../../src/access/bearer.ts';
import { CONSENT_STATES, CONSENT_TOPICS } from '../../src/access/consents.ts';
import { AccessError } from '../../src/access/errors.ts';
import type { ChartFacts } from '../../src/access/facts.ts';
import { ROLES, type Role } from '../../src/access/members.ts';
import { decide } from '../../src/access/policy.ts';
import { PURPOSES } from '../../src/access/purposes.ts';
import type { ChartQuestion } from '../../src/access/question.ts';
import { RELATIONSHIPS } from '../../src/access/relationships.ts';
import { SCOPES } from '../../src/access/scopes.ts';
import type { PatientId, TenantId, UserId } from '../../src/kernel/ids.ts';
import { POLICIES_LOADED } from '../mcp/house.ts';

/** The rules read a second time, without Cedar and without a line of `src/access` but its words. */
const CHART_ACTIONS = [
  'read-demographics',
  'read-clinical',
  'read-sensitive',
  'see-schedule',
  'book',
  'set-visit-status',
  'summarise-chart',
  'see-access',
  'request-privacy',
  'keep-cards',
] as const;
type ChartAction = (typeof CHART_ACTIONS)[number];
const SCOPE_OF: Record<ChartAction, string> = {
  'read-demographics': 'Patient.rs',
  'read-clinical': '*.rs',
  'read-sensitive': '*.rs',
  'see-schedule': 'Appointment.crus',
  book: 'Appointment.crus',
  'set-visit-status': 'Appointment.crus',
  'summarise-chart': '*.rs',
  'see-access': 'Patient.rs',
  'request-privacy': 'Patient.rs',
  'keep-cards': 'Patient.rs',
};
/** Whose these are; everything else is anybody's as the rules below say. */
const STAFFS: readonly ChartAction[] = ['set-visit-status', 'summarise-chart'];
const PEOPLES: readonly ChartAction[] = ['see-access', 'request-privacy', 'keep-cards'];
interface Situation {
  readonly role: Role;
  readonly action: ChartAction;
  readonly scopes: readonly string[];
  readonly facts: ChartFacts;
}

function mayOpen({ role, action, scopes, facts }: Situation): boolean {
  const people = role === 'patient' || role === 'proxy';
  const { relationship, consent, emergency } = facts;
  const no = (state: string) => state === 'refused' || state === 'withdrawn';
  if (role === 'auditor' || role === 'admin') return false;
  if ((people ? STAFFS : PEOPLES).includes(action)) return false;
  const clinical = ['read-clinical', 'read-sensitive', 'summarise-chart'].includes(action);
  if (role === 'frontdesk' && clinical) return false;
  if (!scopes.includes(`${people ? 'patient' : 'user'}/${SCOPE_OF[action]}`)) return false;
  if (action === 'read-sensitive' && consent.sensitive !== 'granted') return false;
  if (people) return relationship === 'self' || (relationship === 'proxy' && !no(consent.proxy));
  if (relationship === 'proxy' && no(consent.proxy)) return false;
  if (role === 'frontdesk') return true;
  if (relationship === 'care-team' && !no(consent.treatment)) return true;
  return emergency && !['book', 'read-sensitive', 'set-visit-status'].includes(action);
}

const consent = fc.record({
  proxy: fc.constantFrom(...CONSENT_STATES),
  sensitive: fc.constantFrom(...CONSENT_STATES),
  treatment: fc.constantFrom(...CONSENT_STATES),
});
const scopes = fc.subarray([...Object.keys(SCOPES), 'openid', 'system/*.*', 'patient/*.*']);
const facts = fc.record({
  patient: fc.constantFrom('pat_john' as PatientId, 'pat_x' as PatientId),
  relationship: fc.constantFrom(...RELATIONSHIPS),
  consent,
  emergency: fc.boolean(),
});

describe('the policies beside an independent reading of the table', () => {
  test('no combination of role, scopes, relationship and consent opens a chart that the reading forbids, and none that it permits stays shut', async () => {
    const engine = await POLICIES_LOADED.engine();
    let opened = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...ROLES),
        fc.subarray([...CHART_ACTIONS], { minLength: 1, maxLength: 3 }),
        scopes,
        fc.option(facts),
        (role, actions, held, found) => {
          const principal: Principal = {
            user: 'usr_a' as UserId,
            tenant: 'riverside' as TenantId,
            client: 'c',
            grant: 'g',
            scopes: held,
            expiresAt: 0,
          };
          const member = { role, ownChart: found?.relationship === 'self' ? found.patient : null };
          const act = () => decide({ actions }, { principal, facts: { member, chart: found }, engine });
          const legal =
            found !== null &&
            actions.every((action) => mayOpen({ role, action, scopes: held, facts: found }));
          if (legal) {
            expect(act().patient).toBe(found.patient);
            opened += 1;
          } else expect(act).toThrow(AccessError);
        },
      ),
      { numRuns: 3_000 },
    );
    expect(opened).toBeGreaterThan(15);
  });

  test('whatever else holds, nothing opens across clinics, nor for a purpose that is not the role’s own', async () => {
    const engine = await POLICIES_LOADED.engine();
    const OWN_PURPOSES: Record<Role, readonly string[]> = {
      patient: ['PATRQT', 'FAMRQT'],
      proxy: ['PATRQT', 'FAMRQT'],
      clinician: ['TREAT', 'ETREAT'],
      frontdesk: ['HOPERAT'],
      auditor: [],
      admin: [],
    };
    let opened = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...ROLES),
        fc.constantFrom(...CHART_ACTIONS),
        fc.constantFrom(...PURPOSES),
        facts,
        fc.constantFrom('riverside' as TenantId, 'lakeside' as TenantId),
        (role, action, purpose, found, tenant) => {
          const granted = ['demographics', 'clinical', 'schedule'] as const;
          const question: ChartQuestion = {
            kind: 'chart',
            action,
            asker: { user: 'usr_a' as UserId, tenant: 'riverside' as TenantId, role, granted },
            tenant,
            purpose,
            sensitivity: action === 'read-sensitive' ? 'sensitive' : 'normal',
            ...found,
          };
          const { permit } = engine.ask(question);
          if (!permit) return;
          opened += 1;
          expect(tenant).toBe('riverside');
          expect(OWN_PURPOSES[role]).toContain(purpose);
          if (purpose === 'ETREAT') expect(found.emergency).toBe(true);
        },
      ),
      { numRuns: 3_000 },
    );
    expect(opened).toBeGreaterThan(15);
  });

  test('every consent topic matters to somebody', () => {
    const base: Situation = {
      role: 'clinician',
      action: 'read-sensitive',
      scopes: ['user/*.rs'],
      facts: {
        patient: 'p' as PatientId,
        relationship: 'care-team',
        consent: { proxy: 'none', sensitive: 'granted', treatment: 'none' },
        emergency: false,
      },
    };
    expect(CONSENT_TOPICS).toEqual(['proxy', 'sensitive', 'treatment']);
    expect(mayOpen(base)).toBe(true);
    const without = (topic: string, over: Partial<ChartFacts> = {}) => ({
      ...base.facts,
      ...over,
      consent: { ...base.facts.consent, [topic]: 'withdrawn' },
    });
    expect(mayOpen({ ...base, facts: without('treatment') })).toBe(false);
    expect(mayOpen({ ...base, facts: without('sensitive') })).toBe(false);
  });
});
