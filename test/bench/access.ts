import { NO_CONSENT } from '../../src/access/consents.ts';
import type { Facts } from '../../src/access/facts.ts';
import { decide, type Requirement } from '../../src/access/policy.ts';
import { loadPolicyEngine, type PolicyEngine } from '../../src/access/policy-engine.ts';
import { newPatientId, type PatientId, type TenantId, type UserId } from '../../src/kernel/ids.ts';
import type { Bench, BenchOptions, Measured } from './bench.ts';

const principal = {
  user: 'usr_clinician' as UserId,
  tenant: 'riverside' as TenantId,
  client: 'client-1',
  grant: 'grant-1',
  scopes: ['user/Patient.rs', 'user/*.rs', 'user/Appointment.crus'],
  expiresAt: 0,
};
const REQUIREMENT: Requirement = { actions: ['read-clinical'] };
/** The tool with the most actions: each is a question of its own. */
const SUMMARY: Requirement = {
  actions: ['summarise-chart', 'read-demographics', 'read-clinical', 'see-schedule'],
};

/** What a decision costs once the policies are loaded, what loading them costs, and what its time tells. */
export const ACCESS_BENCHES: readonly Bench[] = [
  // First, so that it is the process's first load, Cedar's program included.
  { name: 'access-policies-load', unit: 'us', target: 500_000, measure: load },
  {
    name: 'access-decision-p50',
    unit: 'us',
    target: 400,
    measure: (options) => decision(options, REQUIREMENT),
  },
  {
    name: 'access-decision-summary',
    unit: 'us',
    target: 1_200,
    measure: (options) => decision(options, SUMMARY),
  },
  { name: 'access-refusal-timing', unit: 'us', target: 1.1, measure: refusals },
];

const factsFor = (patient: PatientId, relationship: 'care-team' | 'none'): Facts => ({
  member: { role: 'clinician', ownChart: null },
  chart: { patient, relationship, consent: NO_CONSENT, emergency: false },
});

async function decision({ quick }: BenchOptions, requirement: Requirement): Promise<Measured> {
  const engine = await loadPolicyEngine();
  const facts = factsFor(newPatientId(), 'care-team');
  const times = timed(quick ? 500 : 5_000, () => decide(requirement, { principal, facts, engine }));
  return { value: median(times), floor: null };
}

async function load(): Promise<Measured> {
  const start = performance.now();
  await loadPolicyEngine();
  return { value: (performance.now() - start) * 1_000, floor: null };
}

/**
 * Refusing a chart that somebody else treats, against refusing a handle that does not exist: the facts of both are
 * the same, so their medians may differ by noise alone. The larger of the two stands over the smaller.
 */
async function refusals({ quick }: BenchOptions): Promise<Measured> {
  const engine = await loadPolicyEngine();
  const [forbidden, unknown] = [newPatientId(), newPatientId()];
  const times = { forbidden: [] as number[], unknown: [] as number[] };
  for (let round = 0; round < (quick ? 10 : 60); round += 1) {
    times.forbidden.push(...timed(100, () => refuse(engine, forbidden)));
    times.unknown.push(...timed(100, () => refuse(engine, unknown)));
  }
  const [a, b] = [median(times.forbidden), median(times.unknown)];
  return { value: Math.max(a, b), floor: Math.min(a, b) };
}

function refuse(engine: PolicyEngine, patient: PatientId): void {
  try {
    decide(REQUIREMENT, { principal, facts: factsFor(patient, 'none'), engine });
  } catch {
    return;
  }
  throw new Error('It was permitted.');
}

/** Microseconds of each of `count` calls. */
function timed(count: number, act: () => unknown): number[] {
  return Array.from({ length: count }, () => {
    const start = performance.now();
    act();
    return (performance.now() - start) * 1_000;
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
