import type { PatientId, TenantId, UserId } from '../kernel/ids.ts';
import type { Verdict } from './policy-engine.ts';
import type { ChartQuestion } from './question.ts';

/** Far more than there are ways to ask; a bound all the same. */
const MAX_KEPT = 4_096;
const HERE = 'here' as TenantId;
const ELSEWHERE = 'elsewhere' as TenantId;
const SOMEBODY = 'usr_somebody' as UserId;
const SOME_CHART = 'pat_somechart' as PatientId;

/**
 * What the policies said of each way in which a chart can be asked for. Facts are never kept: they are gathered anew for
 * every call and are the key. Which person, chart and tenant it is cannot matter: policies that name one are not loaded,
 * and what is kept was asked about nobody in particular, so a verdict can not depend on more than its key.
 */
export class Verdicts {
  readonly #ask: (question: ChartQuestion) => Verdict;
  readonly #kept = new Map<string, Verdict>();

  constructor(ask: (question: ChartQuestion) => Verdict) {
    this.#ask = ask;
  }

  /** @throws AccessError `POLICY_UNAVAILABLE`; then nothing is kept. */
  of(question: ChartQuestion): Verdict {
    const { action, asker, sensitivity, relationship, consent, purpose, emergency } = question;
    const granted = [...asker.granted].sort();
    const isHere = asker.tenant === question.tenant;
    const { proxy, sensitive, treatment } = consent;
    const key = [
      ...[action, asker.role, isHere, sensitivity, relationship, purpose, emergency],
      ...[proxy, sensitive, treatment, ...granted],
    ].join();
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const verdict = this.#ask({
      ...question,
      asker: { user: SOMEBODY, tenant: HERE, role: asker.role, granted },
      tenant: isHere ? HERE : ELSEWHERE,
      patient: SOME_CHART,
    });
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(key, verdict);
    return verdict;
  }
}

/** Policies decide by words and by whether two things are the same, never by which one it is. `json` is Cedar's own form. */
export const namesNobody = (json: unknown): boolean =>
  !/"type":"Chartseal::(?:Member|Chart|Clinic|Tenant)"/.test(JSON.stringify(json));
