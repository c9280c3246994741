import type { PatientId } from '../kernel/ids.ts';
import type { Principal } from './bearer.ts';
import { AccessError, notFound } from './errors.ts';
import type { Member } from './members.ts';
import { missingScopes, type Scope } from './scopes.ts';

/** What a tool needs before it may run. */
export interface Requirement {
  readonly scopes: readonly Scope[];
  /** `own-chart`: the call is about one patient, who must be the caller. `clinic`: about no patient. */
  readonly about: 'own-chart' | 'clinic';
}

/** A permit: which policy gave it, whose chart it opens, and why. */
export interface Decision {
  readonly policy: string;
  readonly purposeOfUse: 'PATRQT' | 'HOPERAT';
  readonly patient: PatientId | null;
}

/**
 * Decides without I/O: tenant and actor come from the token, role and relationship from the store, and the
 * model's arguments only narrow. Deny by default.
 *
 * @param asked the `patient` argument, or null when it was left out and means "self".
 * @throws AccessError `SCOPE_MISSING` naming all that lack, `NOT_FOUND` for every chart that is not the caller's.
 */
export function decide(
  requirement: Requirement,
  caller: { principal: Principal; member: Member | null; asked: string | null },
): Decision {
  const { principal, member, asked } = caller;
  const missing = missingScopes(principal.scopes, requirement.scopes);
  if (missing.length > 0) {
    throw new AccessError('SCOPE_MISSING', 'You have not granted this yet. Sign in again to allow it.', [
      ...new Set([...principal.scopes, ...missing]),
    ]);
  }
  if (member === null) throw notFound();
  if (requirement.about === 'clinic')
    return { policy: 'member-sees-clinic', purposeOfUse: 'HOPERAT', patient: null };
  if (member.role !== 'patient' || member.ownChart === null) throw notFound();
  if (asked !== null && asked !== member.ownChart) throw notFound();
  return { policy: 'patient-own-chart', purposeOfUse: 'PATRQT', patient: member.ownChart };
}
