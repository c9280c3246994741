import { hash } from 'node:crypto';
import { type Check, type Outcome, STATES, type State } from './check.ts';
import { CHECKS } from './checks/all.ts';
import { CONTROLS, CORRECTIONS, type Control } from './controls/registry.ts';
import type { Facts } from './facts.ts';

/** A check and what it found. */
export interface Checked extends Outcome, Omit<Check, 'run'> {
  /** SHA-256 of the evidence’s JSON, hex. */
  readonly evidenceSha256: string;
  readonly controls: readonly string[];
}

/** A control and what follows from its checks. */
export interface Controlled extends Control {
  readonly state: State;
}

/** The whole report. It says what was seen, and judges no organisation. */
export interface ComplianceReport {
  readonly format: 'chartseal-compliance-report/1';
  readonly tenant: string;
  readonly at: string;
  readonly version: string;
  readonly commit: string | null;
  readonly configSha256: string;
  readonly isSample: boolean;
  readonly rows: number;
  readonly summary: Readonly<Record<'checks' | 'controls', Readonly<Record<State, number>>>>;
  readonly checks: readonly Checked[];
  readonly controls: readonly Controlled[];
  readonly corrections: readonly string[];
}

/** Judges the facts. Pure. */
export function assess(facts: Facts): ComplianceReport {
  const checks = CHECKS.map((check) => checked(check, facts));
  const states = new Map(checks.map(({ id, state }) => [id, state]));
  const controls = CONTROLS.map((control) => ({ ...control, state: stateOf(control, states) }));
  return {
    format: 'chartseal-compliance-report/1',
    tenant: facts.tenant,
    at: new Date(facts.at).toISOString(),
    version: facts.config.version,
    commit: facts.config.commit,
    configSha256: facts.config.digest,
    isSample: facts.rows.isPartial,
    rows: facts.rows.seen,
    summary: { checks: tally(checks), controls: tally(controls) },
    ...{ checks, controls, corrections: CORRECTIONS },
  };
}

function checked({ run, ...check }: Check, facts: Facts): Checked {
  const outcome = run(facts);
  const controls = CONTROLS.filter((one) => one.checks.includes(check.id));
  return {
    ...check,
    ...outcome,
    evidenceSha256: hash('sha256', JSON.stringify(outcome.evidence), 'hex'),
    controls: controls.map(({ framework, id }) => `${framework} ${id}`),
  };
}

/** Satisfied only when every check is. */
function stateOf({ checks }: Control, states: ReadonlyMap<string, State>): State {
  const found = checks.map((id) => states.get(id) ?? 'not-assessable');
  if (found.includes('not-satisfied')) return 'not-satisfied';
  return found.length === 0 || found.includes('not-assessable') ? 'not-assessable' : 'satisfied';
}

const tally = (of: readonly { readonly state: State }[]): Record<State, number> =>
  Object.fromEntries(
    STATES.map((state) => [state, of.filter((one) => one.state === state).length]),
  ) as Record<State, number>;
