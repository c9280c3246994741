import type { AuditEntry, AuditLog } from '../audit/append.ts';
import { REVIEW_MS } from '../audit/reports/emergency.ts';
import type { TenantSecrets } from '../crypto/tenant-secrets.ts';
import type { Clock } from '../kernel/clock.ts';
import { ref } from '../kernel/collection.ts';
import type { PatientAlias, PatientId, TenantId, UserId } from '../kernel/ids.ts';
import type { Store, Transaction } from '../kernel/store.ts';
import type { OnAlert } from './alerts.ts';
import { NO_CONSENT } from './consents.ts';
import { type EmergencyMinutes, type EmergencyReason, emergencyRecords, emergencyRef } from './emergency.ts';
import { AccessError } from './errors.ts';
import { findMember, type Role } from './members.ts';
import type { Policies } from './policy-engine.ts';

/** How the audit log names a patient; null when there is no such chart, or no more. */
export type AliasOf = (of: { tenant: TenantId; patient: PatientId }) => Promise<PatientAlias | null>;

/** What {@link EmergencyOpenings} stands on. */
export interface EmergencyOpeningsOptions {
  readonly store: Store;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly policies: Policies;
  readonly secrets: TenantSecrets;
  readonly onAlert: OnAlert;
  readonly aliasOf: AliasOf;
}

/** A clinician's request, freshly signed in. */
export interface EmergencyRequest {
  readonly tenant: TenantId;
  readonly user: UserId;
  /** Null when nobody is found by what was typed. */
  readonly patient: PatientId | null;
  readonly reason: EmergencyReason;
  /** In the clinician's own words. */
  readonly words: string;
  readonly minutes: EmergencyMinutes;
  /** Made from the sign-in: the same sign-in opens one chart, once. */
  readonly record: string;
}

/** An opening that is committed. */
export interface EmergencyOpening {
  readonly patient: PatientId;
  readonly expiresAt: number;
}

const MINUTE_MS = 60_000;
const OPERATION = 'emergency-opened';

/**
 * "Breaking the glass": opens one chart to one clinician for at most an hour. Reads no chart itself; later reads are
 * marked by their purpose of use, and somebody else reviews it.
 */
export class EmergencyOpenings {
  readonly #options: EmergencyOpeningsOptions;

  constructor(options: EmergencyOpeningsOptions) {
    this.#options = options;
  }

  /**
   * Opens the chart, with its record and its audit event in one transaction.
   *
   * @throws AccessError `NOT_FOUND` when the policies refuse or there is no such chart, `EMERGENCY_REFUSED` when this
   *   sign-in was used already. Each refusal is an event.
   */
  async open(request: EmergencyRequest): Promise<EmergencyOpening> {
    const role = (await findMember(this.#options.store, request.tenant, request.user))?.role ?? 'none';
    try {
      const patient = await this.#permitted(request, role);
      return await this.#commit({ ...request, ...patient }, role);
    } catch (error) {
      if (error instanceof AccessError) await this.#recordRefusal(request, role, error);
      throw error;
    }
  }

  async #permitted(
    { tenant, user, patient }: EmergencyRequest,
    role: Role | 'none',
  ): Promise<{ patient: PatientId; alias: PatientAlias }> {
    const { policies, aliasOf } = this.#options;
    if (patient === null) throw noSuchChart();
    const engine = await policies.engine();
    const { permit } = engine.ask({
      kind: 'chart',
      action: 'open-emergency',
      asker: { user, tenant, role, granted: [] },
      tenant,
      patient,
      sensitivity: 'normal',
      relationship: 'none',
      consent: NO_CONSENT,
      purpose: 'ETREAT',
      emergency: false,
    });
    const alias = permit ? await aliasOf({ tenant, patient }) : null;
    if (alias === null) throw noSuchChart();
    return { patient, alias };
  }

  async #commit(
    request: EmergencyRequest & { patient: PatientId; alias: PatientAlias },
    role: string,
  ): Promise<EmergencyOpening> {
    const { store, audit, clock, secrets } = this.#options;
    const { tenant, record, words } = request;
    const place = { purpose: 'emergency-reason', id: record } as const;
    const sealedReason = await secrets.seal(tenant, place, Buffer.from(words, 'utf8'));
    const draft = audit.draft(tenant);
    try {
      const expiresAt = await store.tenant(tenant).transact(
        async (tx) => {
          const [used] = await tx.get(ref(emergencyRecords, record));
          if (used !== null) throw usedUp();
          const until = writeOpening(tx, request, { sealedReason, now: clock() });
          draft.write(tx, { ...entryOf(request, role), outcome: '0', patient: request.alias });
          return until;
        },
        { proof: draft.proof },
      );
      draft.confirm();
      this.#options.onAlert({ kind: OPERATION, tenant, user: request.user, about: record });
      return { patient: request.patient, expiresAt };
    } catch (error) {
      draft.abandon();
      throw error;
    }
  }

  async #recordRefusal(request: EmergencyRequest, role: string, error: AccessError): Promise<void> {
    const entry: AuditEntry = {
      ...entryOf(request, role),
      outcome: '4',
      reason: error.code,
      policy: 'deny-by-default',
    };
    await this.#options.audit.append(request.tenant, entry);
  }
}

/** @returns when access ends. */
function writeOpening(
  tx: Transaction,
  request: EmergencyRequest & { patient: PatientId },
  { sealedReason, now }: { sealedReason: Uint8Array; now: number },
): number {
  const { user, patient, reason, record } = request;
  const expiresAt = now + request.minutes * MINUTE_MS;
  tx.create(ref(emergencyRecords, record), {
    user,
    patient,
    reason,
    sealedReason,
    openedAt: now,
    expiresAt,
    dueAt: now + REVIEW_MS,
    state: 'open',
    reviewer: null,
    reviewedAt: null,
  });
  tx.put(emergencyRef({ user, patient }), { user, patient, record, expiresAt });
  return expiresAt;
}

/** The code of the reason is a name from a list, not a value. */
const entryOf = ({ user, record, reason, minutes }: EmergencyRequest, role: string) =>
  ({
    action: 'E',
    operation: OPERATION,
    actor: { user, role, client: 'emergency-page' },
    entity: { resource: 'Patient', id: record, fields: [`minutes.${minutes}`, `reason.${reason}`] },
    purposeOfUse: 'ETREAT',
    policy: 'clinician-opens-emergency',
  }) as const;

const noSuchChart = (): AccessError =>
  new AccessError('NOT_FOUND', 'No such patient can be opened by this account. Check what you typed.');

const usedUp = (): AccessError =>
  new AccessError('EMERGENCY_REFUSED', 'This sign-in has opened a chart already. Sign in again for another.');
