import type { ChartAction } from '../access/actions.ts';
import { AccessError, notFound } from '../access/errors.ts';
import type { FactReader } from '../access/facts.ts';
import type { Role } from '../access/members.ts';
import { decide } from '../access/policy.ts';
import type { Policies } from '../access/policy-engine.ts';
import type { Relationship } from '../access/relationships.ts';
import { scopesFor } from '../access/scopes.ts';
import type { AuditEntry, AuditLog } from '../audit/append.ts';
import type { Patients } from '../clinic/patients.ts';
import type { PatientRef } from '../crypto/patient-keys.ts';
import type { Clock } from '../kernel/clock.ts';
import type { PatientAlias, TenantId, UserId } from '../kernel/ids.ts';

/** Who is at the page, freshly signed in. */
export interface Person {
  readonly tenant: TenantId;
  readonly user: UserId;
}

/** What a decision needs. */
export interface PermitParts {
  readonly facts: FactReader;
  readonly policies: Policies;
  readonly patients: Patients;
  readonly audit: AuditLog;
  readonly clock: Clock;
}

/** One permitted act of a person on one chart, with what its event says. */
export interface Permit {
  readonly of: PatientRef;
  readonly alias: PatientAlias;
  readonly role: Role;
  readonly relationship: Relationship;
  readonly entry: (
    operation: string,
    details: Pick<AuditEntry, 'action'> & Partial<AuditEntry>,
  ) => AuditEntry;
}

/**
 * Decides about an act on a page of ours as a tool's call is decided. Nobody stands between the person and this page, so all that their role may grant to
 * an app is granted. A refusal is an event.
 *
 * @throws AccessError `NOT_FOUND` for every chart that the policies do not open.
 */
export async function permit(
  parts: PermitParts,
  person: Person,
  /** `client` is the page as the audit log names it. */
  asked: { patient: string; actions: readonly ChartAction[]; client: string },
): Promise<Permit> {
  const { facts, policies, clock } = parts;
  const { client } = asked;
  const caller = { ...person, client };
  const known = await facts.gather(caller, { asked: asked.patient, aboutChart: true, now: clock() });
  const role = known.member?.role ?? 'none';
  try {
    const principal = { ...caller, grant: '', expiresAt: 0, scopes: role === 'none' ? [] : scopesFor(role) };
    const engine = await policies.engine();
    const decision = decide({ actions: asked.actions }, { principal, facts: known, engine });
    if (decision.patient === null || role === 'none') throw notFound();
    const of = { tenant: person.tenant, patient: decision.patient };
    const alias = await parts.patients.aliasOf(of);
    if (alias === null) throw notFound();
    const act = { outcome: '0', purposeOfUse: decision.purposeOfUse, policy: decision.policy } as const;
    const actor = { user: person.user, role, client };
    const entry: Permit['entry'] = (operation, details) => ({
      ...act,
      operation,
      actor,
      patient: alias,
      ...details,
    });
    return { of, alias, role, relationship: decision.relationship, entry };
  } catch (error) {
    if (error instanceof AccessError) await recordRefusal(parts, person, { role, client, code: error.code });
    throw error;
  }
}

function recordRefusal(
  { audit }: PermitParts,
  { tenant, user }: Person,
  { role, client, code }: { role: string; client: string; code: string },
): Promise<void> {
  return audit.append(tenant, {
    action: 'E',
    operation: client,
    outcome: '4',
    reason: code,
    actor: { user, role, client },
    purposeOfUse: 'UNKNOWN',
    policy: 'deny-by-default',
  });
}
