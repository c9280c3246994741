import type { PatientId } from '../kernel/ids.ts';
import { ACTIONS, type Action, type ChartAction, type ClinicAction, isChartAction } from './actions.ts';
import type { Principal } from './bearer.ts';
import { AccessError, notFound } from './errors.ts';
import type { ChartFacts, Facts } from './facts.ts';
import type { Role } from './members.ts';
import type { PolicyEngine } from './policy-engine.ts';
import type { Purpose } from './purposes.ts';
import type { Asker, Question } from './question.ts';
import type { Relationship } from './relationships.ts';
import { meaningsOf, type Scope, scopeOf } from './scopes.ts';

/** What a tool does, and so what must be permitted before it may run: all of it. */
export interface Requirement {
  readonly actions: readonly Action[];
}

/** A permit: which policies gave it, whose chart it opens, what stands between, and why. */
export interface Decision {
  /** Names of policies, joined by a space when the actions have several. */
  readonly policy: string;
  readonly purposeOfUse: Purpose;
  /** Null when the call is about the clinic. */
  readonly patient: PatientId | null;
  readonly relationship: Relationship;
  /** True when nothing but emergency access opens the chart. */
  readonly emergency: boolean;
}

/** The scopes by which people of this role allow a tool's actions; null when no scope of theirs can. */
export function scopesNeeded({ actions }: Requirement, role: Role): Scope[] | null {
  const needed = actions.flatMap((action) => ACTIONS[action].needs ?? []);
  const scopes = [...new Set(needed)].map((meaning) => scopeOf(meaning, role));
  return scopes.includes(null) ? null : scopes.filter((scope) => scope !== null);
}

/** Whether the call is about one chart. */
export const isAboutChart = ({ actions }: Requirement): boolean => actions.some(isChartAction);

/**
 * Decides without I/O: tenant and actor come from the token, role, relationship, consent and emergency from the
 * store, the purpose from the server, and the model's arguments only narrow. Deny by default.
 *
 * @throws AccessError `SCOPE_MISSING` naming all that lack beside those held (the same for every chart),
 *   `NOT_FOUND` for every chart that the policies do not open.
 */
export function decide(
  requirement: Requirement,
  { principal, facts, engine }: { principal: Principal; facts: Facts; engine: PolicyEngine },
): Decision {
  const { member, chart } = facts;
  if (member === null) throw notFound();
  checkScopes(requirement, principal, member.role);
  if (isAboutChart(requirement) && chart === null) throw notFound();
  const granted = meaningsOf(principal.scopes, member.role);
  const asker: Asker = { user: principal.user, tenant: principal.tenant, role: member.role, granted };
  const verdicts = requirement.actions.map((action) => engine.ask(questionOf(action, asker, chart)));
  if (verdicts.length === 0 || verdicts.some(({ permit }) => !permit)) throw notFound();
  const about = isAboutChart(requirement) ? chart : null;
  return {
    policy: [...new Set(verdicts.flatMap(({ policies }) => policies))].join(' '),
    purposeOfUse: about === null ? 'HOPERAT' : purposeOf(member.role, about),
    patient: about?.patient ?? null,
    relationship: about?.relationship ?? 'none',
    emergency: about !== null && purposeOf(member.role, about) === 'ETREAT',
  };
}

function checkScopes(requirement: Requirement, { scopes }: Principal, role: Role): void {
  const needed = scopesNeeded(requirement, role);
  if (needed === null) throw notFound();
  const missing = needed.filter((scope) => !scopes.includes(scope));
  if (missing.length === 0) return;
  throw new AccessError('SCOPE_MISSING', 'You have not granted this yet. Sign in again to allow it.', [
    ...new Set([...scopes, ...missing]),
  ]);
}

/** The question for one action; what is about the clinic is asked about the token's own. */
function questionOf(action: Action, asker: Asker, chart: ChartFacts | null): Question {
  const { tenant } = asker;
  if (!isChartAction(action) || chart === null)
    return { kind: 'clinic', action: action as ClinicAction, asker, tenant, purpose: 'HOPERAT' };
  const { patient, relationship, consent, emergency } = chart;
  const purpose = asker.role === 'none' ? 'HOPERAT' : purposeOf(asker.role, chart);
  const sensitivity = action === 'read-sensitive' ? 'sensitive' : 'normal';
  return {
    kind: 'chart',
    action: action as ChartAction,
    asker,
    tenant,
    patient,
    sensitivity,
    relationship,
    consent,
    purpose,
    emergency,
  };
}

/** What access by this role to this chart is for. An emergency counts only where nothing else opens the chart. */
export function purposeOf(
  role: Role,
  chart: Pick<ChartFacts, 'relationship' | 'consent' | 'emergency'>,
): Purpose {
  if (role === 'patient' || role === 'proxy') return chart.relationship === 'proxy' ? 'FAMRQT' : 'PATRQT';
  if (role !== 'clinician') return 'HOPERAT';
  const refused = ['refused', 'withdrawn'].includes(chart.consent.treatment);
  const treats = chart.relationship === 'care-team' && !refused;
  return chart.emergency && !treats ? 'ETREAT' : 'TREAT';
}
