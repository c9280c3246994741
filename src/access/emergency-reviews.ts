import type { AuditEntry, AuditLog } from '../audit/append.ts';
import type { TenantSecrets } from '../crypto/tenant-secrets.ts';
import type { Clock } from '../kernel/clock.ts';
import { type Row, ref } from '../kernel/collection.ts';
import type { PatientAlias, PatientId, TenantId, UserId } from '../kernel/ids.ts';
import type { Store, Transaction } from '../kernel/store.ts';
import { type EmergencyReason, emergencyRecords, emergencyRef } from './emergency.ts';
import type { AliasOf } from './emergency-openings.ts';
import { AccessError } from './errors.ts';
import { findMember, type Role } from './members.ts';
import type { Policies } from './policy-engine.ts';
import type { Asker } from './question.ts';

/** What {@link EmergencyReviews} stands on. */
export interface EmergencyReviewsOptions {
  readonly store: Store;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly policies: Policies;
  readonly secrets: TenantSecrets;
  readonly aliasOf: AliasOf;
}

/** Who reviews, freshly signed in. */
export interface Reviewer {
  readonly tenant: TenantId;
  readonly user: UserId;
}

/** A line of the queue: codes, times and opaque names. */
export interface QueuedEmergency {
  readonly record: string;
  readonly user: string;
  /** Null once the patient is erased. */
  readonly alias: PatientAlias | null;
  readonly reason: EmergencyReason;
  /** Milliseconds since the Unix epoch, as all times here. */
  readonly openedAt: number;
  readonly expiresAt: number;
  readonly dueAt: number;
  readonly overdue: boolean;
  /** The reviewer opened it, and so may not review it. */
  readonly own: boolean;
}

/** One emergency with the clinician's own words. */
export interface EmergencyToReview extends QueuedEmergency {
  /** Null once the patient is erased: they may have told of the patient. */
  readonly words: string | null;
}

const MAX_QUEUE = 200;
/** As many as one reading of the store gives. More open at once than this, and the queue is not the problem. */
const MAX_OPEN = 1_000;
/** What a reviewer may find. `unjustified` ends access that still lasts. */
export const VERDICTS = ['justified', 'unjustified'] as const;
export type EmergencyVerdict = (typeof VERDICTS)[number];

/** The queue of emergencies that somebody else has to look at. Nobody reviews their own. */
export class EmergencyReviews {
  readonly #options: EmergencyReviewsOptions;

  constructor(options: EmergencyReviewsOptions) {
    this.#options = options;
  }

  /**
   * What waits for a review, the most overdue first, at most 200.
   *
   * @throws AccessError `EMERGENCY_REFUSED` for those who may not review.
   */
  async queue(reviewer: Reviewer): Promise<QueuedEmergency[]> {
    const { store, clock } = this.#options;
    const role = await this.#roleOf(reviewer);
    await this.#checkMayReview(reviewer, role, null);
    const open = await store
      .tenant(reviewer.tenant)
      .list(emergencyRecords, { equals: { state: 'open' }, limit: MAX_OPEN });
    const rows = open.sort((a, b) => a.row.dueAt - b.row.dueAt).slice(0, MAX_QUEUE);
    const queue = await Promise.all(
      rows.map(async ({ id, row }) => {
        const alias = await this.#aliasOf(reviewer, row);
        return queued(id, row, { reviewer, alias, now: clock() });
      }),
    );
    const entry = entryOf('emergency-queue-read', reviewer, role);
    await this.#options.audit.append(reviewer.tenant, { ...entry, action: 'R', outcome: '0' });
    return queue;
  }

  /**
   * One emergency with the reason in words, once the event of that is committed.
   *
   * @throws AccessError `EMERGENCY_REFUSED` for those who may not review it, and when it is not there.
   */
  async read(reviewer: Reviewer, record: string): Promise<EmergencyToReview> {
    const { store, secrets, audit, clock } = this.#options;
    const role = await this.#roleOf(reviewer);
    const [row] = await store.tenant(reviewer.tenant).get(ref(emergencyRecords, record));
    await this.#checkMayReview(reviewer, role, row);
    if (row === null) throw refused();
    const place = { purpose: 'emergency-reason', id: record } as const;
    const words =
      row.sealedReason.length === 0
        ? null
        : (await secrets.open(reviewer.tenant, place, row.sealedReason)).toString('utf8');
    const alias = await this.#aliasOf(reviewer, row);
    await audit.append(reviewer.tenant, {
      ...entryOf('emergency-reason-read', reviewer, role),
      action: 'R',
      outcome: '0',
      ...(alias === null ? {} : { patient: alias }),
      entity: { resource: 'EmergencyAccess', id: record, fields: ['words'] },
    });
    return { ...queued(record, row, { reviewer, alias, now: clock() }), words };
  }

  /**
   * Closes a review, with its event in the same transaction.
   *
   * @throws AccessError `EMERGENCY_REFUSED` for those who may not review it, and when it was reviewed already.
   */
  async review(reviewer: Reviewer, given: { record: string; verdict: EmergencyVerdict }): Promise<void> {
    const { store, audit, clock } = this.#options;
    const role = await this.#roleOf(reviewer);
    const at = ref(emergencyRecords, given.record);
    const [seen] = await store.tenant(reviewer.tenant).get(at);
    await this.#checkMayReview(reviewer, role, seen);
    const alias = seen === null ? null : await this.#aliasOf(reviewer, seen);
    const draft = audit.draft(reviewer.tenant);
    try {
      await store.tenant(reviewer.tenant).transact(
        async (tx) => {
          const [row] = await tx.get(at);
          if (row === null || row.state !== 'open' || row.user !== seen?.user) throw refused();
          if (given.verdict === 'unjustified') await endAccess(tx, row, given.record);
          tx.put(at, { ...row, state: given.verdict, reviewer: reviewer.user, reviewedAt: clock() });
          draft.write(tx, {
            ...entryOf('emergency-reviewed', reviewer, role),
            outcome: '0',
            ...(alias === null ? {} : { patient: alias }),
            entity: {
              resource: 'EmergencyAccess',
              id: given.record,
              fields: [`verdict.${given.verdict}`],
            },
          });
        },
        { proof: draft.proof },
      );
      draft.confirm();
    } catch (error) {
      draft.abandon();
      if (error instanceof AccessError) await this.#recordRefusal(reviewer, role);
      throw error;
    }
  }

  #aliasOf({ tenant }: Reviewer, { patient }: Row<typeof emergencyRecords.columns>) {
    return this.#options.aliasOf({ tenant, patient: patient as PatientId });
  }

  async #roleOf({ tenant, user }: Reviewer): Promise<Role | 'none'> {
    return (await findMember(this.#options.store, tenant, user))?.role ?? 'none';
  }

  /** A record that is not there is asked about too, as one that somebody else opened. */
  async #checkMayReview(
    reviewer: Reviewer,
    role: Role | 'none',
    row: Row<typeof emergencyRecords.columns> | null,
  ): Promise<void> {
    const asker: Asker = { ...reviewer, role, granted: [] };
    const actor: Asker = {
      user: (row?.user ?? 'somebody-else') as UserId,
      tenant: reviewer.tenant,
      role: row?.user === reviewer.user ? role : 'clinician',
      granted: [],
    };
    const engine = await this.#options.policies.engine();
    const { permit } = engine.ask({
      kind: 'clinic',
      action: 'review-emergency',
      asker,
      tenant: reviewer.tenant,
      purpose: 'HOPERAT',
      actor,
    });
    if (permit) return;
    await this.#recordRefusal(reviewer, role);
    throw refused();
  }

  async #recordRefusal(reviewer: Reviewer, role: Role | 'none'): Promise<void> {
    await this.#options.audit.append(reviewer.tenant, {
      ...entryOf('emergency-review', reviewer, role),
      outcome: '4',
      reason: 'EMERGENCY_REFUSED',
      policy: 'deny-by-default',
    });
  }
}

/** Only the access that this record opened: a later one has a review of its own. */
async function endAccess(
  tx: Transaction,
  { user, patient }: Row<typeof emergencyRecords.columns>,
  record: string,
): Promise<void> {
  const at = emergencyRef({ user: user as UserId, patient: patient as PatientId });
  const [grant] = await tx.get(at);
  if (grant?.record === record) tx.delete(at);
}

function queued(
  record: string,
  row: Row<typeof emergencyRecords.columns>,
  { reviewer, alias, now }: { reviewer: Reviewer; alias: PatientAlias | null; now: number },
): QueuedEmergency {
  const { user, openedAt, expiresAt, dueAt } = row;
  const reason = row.reason as EmergencyReason;
  const own = user === reviewer.user;
  return { record, user, alias, reason, openedAt, expiresAt, dueAt, overdue: dueAt <= now, own };
}

const entryOf = (operation: string, { user }: Reviewer, role: string): Omit<AuditEntry, 'outcome'> => ({
  action: 'E',
  operation,
  actor: { user, role, client: 'emergency-page' },
  entity: { resource: 'EmergencyAccess' },
  purposeOfUse: 'HOPERAT',
  policy: 'oversight-reviews-emergencies',
});

const refused = (): AccessError =>
  new AccessError('EMERGENCY_REFUSED', 'There is nothing here for this account to review.');
