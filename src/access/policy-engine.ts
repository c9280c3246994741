import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CedarValueJson, EntityJson } from '@cedar-policy/cedar-wasm/nodejs';
import { ACTIONS } from './actions.ts';
import { AccessError } from './errors.ts';
import { type Asker, checkQuestion, type Question } from './question.ts';
import { namesNobody, Verdicts } from './verdicts.ts';

/** Where the policies are: beside this file, and beside the bundle once this is bundled. */
export const POLICIES = join(import.meta.dirname, 'policies');

/**
 * Every policy by name. What is loaded must be these and no others: a forbid that went missing would permit more,
 * so then nothing is permitted at all.
 */
export const POLICY_NAMES = [
  'admin-manages-keys',
  'admin-reviews-privacy-requests',
  'auditor-reads-audit',
  'clinical-not-granted',
  'clinician-care-team',
  'clinician-emergency',
  'clinician-opens-emergency',
  'demographics-not-granted',
  'destruction-needs-two-people',
  'frontdesk-desk-work',
  'member-sees-clinic',
  'never-across-tenants',
  'oversight-opens-no-chart',
  'oversight-reviews-emergencies',
  'patient-own-chart',
  'proxy-acts-for',
  'proxy-consent-refused',
  'reviewer-is-never-the-actor',
  'schedule-not-granted',
  'sensitive-needs-consent',
  'staff-find-patients',
  'treatment-consent-refused',
] as const;

/** What the policies say: permit or not, and by which of them. No name and no permit means that none permits it. */
export interface Verdict {
  readonly permit: boolean;
  readonly policies: readonly string[];
}

type Cedar = typeof import('@cedar-policy/cedar-wasm/nodejs');

/** The loaded policies. */
export interface PolicyEngine {
  ask(question: Question): Verdict;
}

let loaded = 0;

/**
 * Loads Cedar and the policies of a folder. Takes 100 to 300 ms: call it once.
 *
 * @throws AccessError `POLICY_UNAVAILABLE` when a policy is missing, unknown, named twice or not readable.
 */
export async function loadPolicyEngine(folder: string = POLICIES): Promise<PolicyEngine> {
  try {
    const cedar = await import('@cedar-policy/cedar-wasm/nodejs');
    const policies = await readPolicies(cedar, folder);
    const names = [...policies.keys()].sort();
    if (names.join() !== POLICY_NAMES.join()) throw unavailable();
    loaded += 1;
    const preparsedPolicySetId = `chartseal-${loaded}`;
    const staticPolicies = Object.fromEntries(policies);
    if (cedar.preparsePolicySet(preparsedPolicySetId, { staticPolicies }).type !== 'success')
      throw unavailable();
    const asked = (question: Question): Verdict => ask(cedar, preparsedPolicySetId, question);
    const verdicts = new Verdicts(asked);
    return {
      ask: (question) => {
        checkQuestion(question);
        return question.kind === 'chart' ? verdicts.of(question) : asked(question);
      },
    };
  } catch (cause) {
    throw cause instanceof AccessError ? cause : unavailable(cause);
  }
}

/** The text of each policy by its `@id`. */
export async function readPolicies(cedar: Cedar, folder: string): Promise<Map<string, string>> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.cedar')).sort();
  const policies = new Map<string, string>();
  for (const file of files) {
    const parts = cedar.policySetTextToParts(await readFile(join(folder, file), 'utf8'));
    if (parts.type !== 'success') throw unavailable();
    for (const text of parts.policies) {
      const parsed = cedar.policyToJson(text);
      const name = parsed.type === 'success' ? parsed.json.annotations?.['id'] : undefined;
      if (name === undefined || policies.has(name) || parsed.type !== 'success' || !namesNobody(parsed.json))
        throw unavailable();
      policies.set(name, text);
    }
  }
  return policies;
}

/** A policy that cannot be evaluated is skipped by Cedar; a forbid among them would then not forbid. So: refuse. */
function ask(cedar: Cedar, preparsedPolicySetId: string, question: Question): Verdict {
  const { asker, purpose } = question;
  const resource =
    question.kind === 'chart'
      ? { type: 'Chartseal::Chart', id: question.patient }
      : { type: 'Chartseal::Clinic', id: question.tenant };
  const answer = cedar.statefulIsAuthorized({
    principal: memberUid(asker),
    action: { type: 'Chartseal::Action', id: ACTIONS[question.action].cedar },
    resource,
    context: { purpose, ...contextOf(question) },
    preparsedPolicySetId,
    entities: [
      ...membersOf(question).map(memberEntity),
      {
        uid: resource,
        attrs: {
          tenant: tenantOf(question.tenant),
          ...(question.kind === 'chart' ? { sensitivity: question.sensitivity } : {}),
        },
        parents: [],
      },
    ],
  });
  if (answer.type !== 'success' || answer.response.diagnostics.errors.length > 0) throw unavailable();
  const { decision, diagnostics } = answer.response;
  return { permit: decision === 'allow', policies: [...diagnostics.reason].sort() };
}

function contextOf(question: Question): Record<string, CedarValueJson> {
  if (question.kind === 'clinic') {
    const { actor, approver } = question;
    return {
      ...(actor === undefined ? {} : { actor: { __entity: memberUid(actor) } }),
      ...(approver === undefined ? {} : { approver: { __entity: memberUid(approver) } }),
    };
  }
  if (question.action === 'open-emergency') return {};
  const { relationship, consent, emergency } = question;
  return { relationship, consent: { ...consent }, emergency };
}

/** One entity for each person: Cedar takes no two of one name. */
function membersOf(question: Question): Asker[] {
  const others = question.kind === 'clinic' ? [question.actor, question.approver] : [];
  const people = [question.asker, ...others].filter((one) => one !== undefined);
  return [...new Map(people.reverse().map((one) => [one.user, one])).values()];
}

const memberEntity = (asker: Asker): EntityJson => ({
  uid: memberUid(asker),
  attrs: { tenant: tenantOf(asker.tenant), role: asker.role, granted: [...asker.granted] },
  parents: [],
});

const memberUid = ({ user }: Asker) => ({ type: 'Chartseal::Member', id: user });
const tenantOf = (id: string) => ({ __entity: { type: 'Chartseal::Tenant', id } });

const unavailable = (cause?: unknown): AccessError =>
  new AccessError('POLICY_UNAVAILABLE', 'Access cannot be decided right now, so nothing is open.', [], {
    cause,
  });

/** The policies, loaded at their first use and then kept. A load that failed is tried again by the next call. */
export class Policies {
  readonly #folder: string;
  #engine: Promise<PolicyEngine> | null = null;

  constructor(folder: string = POLICIES) {
    this.#folder = folder;
  }

  /** @throws AccessError `POLICY_UNAVAILABLE`. */
  engine(): Promise<PolicyEngine> {
    this.#engine ??= loadPolicyEngine(this.#folder).catch((error: unknown) => {
      this.#engine = null;
      throw error;
    });
    return this.#engine;
  }
}
