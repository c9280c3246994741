import { findMember, type Role } from '../access/members.ts';
import type { Policies } from '../access/policy-engine.ts';
import type { Asker, ClinicQuestion } from '../access/question.ts';
import type { AuditEntry } from '../audit/append.ts';
import type { PatientAlias, PatientId, UserId } from '../kernel/ids.ts';
import { type ErasureParts, receiptOf, refusalFor } from '../lifecycle/erasure/erase.ts';
import type { ErasureRow } from '../lifecycle/erasure/receipt.ts';
import { RequestError, unknownRequest } from '../lifecycle/requests/errors.ts';
import {
  privacyRequests,
  type Refusal,
  type RequestRow,
  type RequestView,
} from '../lifecycle/requests/request.ts';
import { requestRef } from '../lifecycle/requests/requests.ts';
import type { Step } from '../lifecycle/requests/rules.ts';
import { viewOf } from '../lifecycle/requests/rules.ts';
import type { Person } from '../oauth/page-permit.ts';
import { PrivacyError } from './errors.ts';
import { CLIENT } from './frame.ts';

/** What reviews stand on. */
export type ReviewParts = ErasureParts & { readonly policies: Policies };

/** A line of the queue: codes, times and opaque names. */
export interface QueuedRequest {
  readonly view: RequestView;
  /** Null once the patient is erased. */
  readonly alias: PatientAlias | null;
  readonly overdue: boolean;
  /** The reviewer asked for it, or has approved it: somebody else goes on. */
  readonly own: boolean;
  /** One of the two who approve an erasure has done so. */
  readonly approvedOnce: boolean;
}

/** One request with what a reviewer decides by. */
export interface RequestToReview extends QueuedRequest {
  /** What the person wrote; null when nothing. */
  readonly words: string | null;
  /** Why the rules do not let the patient be erased now. */
  readonly against: Refusal | null;
  readonly receipt: ErasureRow | null;
}

const MAX_QUEUE = 200;
const QUEUED = ['review', 'cooling'] as const;

/** The queue of requests that the clinic answers. Nobody answers their own, and nobody erases alone. */
export class RequestReviews {
  readonly #parts: ReviewParts;

  constructor(parts: ReviewParts) {
    this.#parts = parts;
  }

  /** What waits for an answer, the most overdue first, and erasures that can still be stopped. */
  async queue(reviewer: Person): Promise<QueuedRequest[]> {
    const { store, audit } = this.#parts;
    const entry = await this.#mayReview(reviewer, null);
    const listed = await Promise.all(
      QUEUED.map((state) =>
        store.tenant(reviewer.tenant).list(privacyRequests, { equals: { state }, limit: MAX_QUEUE }),
      ),
    );
    const queue = await Promise.all(listed.flat().map(({ id, row }) => this.#queued(reviewer, id, row)));
    await audit.append(reviewer.tenant, entry('readPrivacyQueue', { action: 'R' }));
    return queue.sort((a, b) => a.view.askedAt - b.view.askedAt);
  }

  /** One request with the words of whoever asked, once the event of that is committed. */
  async read(reviewer: Person, id: string): Promise<RequestToReview> {
    const { store, requests, audit, clock } = this.#parts;
    const row = await this.#rowOf(reviewer, id);
    const entry = await this.#mayReview(reviewer, row);
    const of = { tenant: reviewer.tenant, patient: row.patient as PatientId };
    const queued = await this.#queued(reviewer, id, row);
    const erases = row.kind === 'erasure' && (row.state === 'review' || row.state === 'cooling');
    const [words, against, receipt] = await Promise.all([
      row.hasWords ? requests.words(of, id) : null,
      erases ? refusalFor(this.#parts, of, clock()) : null,
      receiptOf(store, { of, request: id }),
    ]);
    const fields = words === null ? {} : { fields: ['words'] };
    await audit.append(
      reviewer.tenant,
      entry('readPrivacyRequest', {
        action: 'R',
        ...(queued.alias === null ? {} : { patient: queued.alias }),
        entity: { resource: 'Task', id, ...fields },
      }),
    );
    return { ...queued, words, against, receipt };
  }

  /**
   * Approves: a correction is made, or an erasure goes to the second person, and then into its cooling-off.
   *
   * @throws PrivacyError `NOT_YOURS`; RequestError `REQUEST_STATE` when the rules stand against an erasure.
   */
  async approve(reviewer: Person, id: string): Promise<RequestView> {
    const { clock } = this.#parts;
    const row = await this.#rowOf(reviewer, id);
    const entry = await this.#mayReview(reviewer, row);
    if (row.kind === 'erasure') {
      const of = { tenant: reviewer.tenant, patient: row.patient as PatientId };
      if ((await refusalFor(this.#parts, of, clock())) !== null) throw standsAgainst();
      if (row.reviewer !== null) await this.#mayErase(reviewer, row.reviewer as UserId);
    }
    return this.#advance(reviewer, { id, row, entry, step: { step: 'approve', by: reviewer.user } });
  }

  /** A refusal with its reason is an answer. @throws PrivacyError `NOT_YOURS`; RequestError `REQUEST_STATE`. */
  async refuse(reviewer: Person, id: string, reason: Refusal): Promise<RequestView> {
    const row = await this.#rowOf(reviewer, id);
    const entry = await this.#mayReview(reviewer, row);
    return this.#advance(reviewer, { id, row, entry, step: { step: 'refuse', by: reviewer.user, reason } });
  }

  async #advance(
    { tenant }: Person,
    { id, row, entry, step }: { id: string; row: RequestRow; entry: EntryOf; step: Step },
  ): Promise<RequestView> {
    const { requests, audit, keys, clock } = this.#parts;
    const of = { tenant, patient: row.patient as PatientId };
    const alias = await keys.aliasOf(of);
    const said = step.step === 'refuse' ? `refuse.${step.reason}` : step.step;
    return requests.advance({
      ...{ of, id, step, audit, now: clock() },
      prepare: async (_tx, before) => {
        // What was decided about is what is changed.
        if (before.reviewer !== row.reviewer || before.state !== row.state) throw unknownRequest();
        return undefined;
      },
      entry: entry('reviewPrivacyRequest', {
        action: 'U',
        ...(alias === null ? {} : { patient: alias }),
        entity: { resource: 'Task', id, fields: [`${row.kind}.${said}`] },
      }),
    });
  }

  async #rowOf({ tenant }: Person, id: string): Promise<RequestRow> {
    const [row] = await this.#parts.store.tenant(tenant).get(requestRef(id));
    if (row === null) throw unknownRequest();
    return row;
  }

  async #queued(reviewer: Person, id: string, row: RequestRow): Promise<QueuedRequest> {
    const now = this.#parts.clock();
    const view = viewOf(id, row, now);
    return {
      view,
      alias: await this.#parts.keys.aliasOf({ tenant: reviewer.tenant, patient: row.patient as PatientId }),
      overdue: view.answerBy !== null && view.answerBy <= now,
      own: row.asker === reviewer.user || (row.state === 'review' && row.reviewer === reviewer.user),
      approvedOnce: row.state === 'review' && row.reviewer !== null,
    };
  }

  /** Null asks about the queue as a whole: about a request of somebody else. */
  async #mayReview(reviewer: Person, row: RequestRow | null): Promise<EntryOf> {
    const role = await this.#roleOf(reviewer, reviewer.user);
    const actor: Asker = {
      user: (row?.asker ?? 'somebody-else') as UserId,
      tenant: reviewer.tenant,
      role: row?.asker === reviewer.user ? role : 'patient',
      granted: [],
    };
    return this.#ask(reviewer, role, { action: 'review-privacy', actor });
  }

  /** The second person; `first` must be another of the same standing, now. */
  async #mayErase(reviewer: Person, first: UserId): Promise<void> {
    const role = await this.#roleOf(reviewer, reviewer.user);
    const approver: Asker = {
      user: first,
      tenant: reviewer.tenant,
      role: await this.#roleOf(reviewer, first),
      granted: [],
    };
    await this.#ask(reviewer, role, { action: 'erase-patient', approver });
  }

  async #ask(
    reviewer: Person,
    role: Role | 'none',
    question: Pick<ClinicQuestion, 'action'> & Partial<ClinicQuestion>,
  ): Promise<EntryOf> {
    const engine = await this.#parts.policies.engine();
    const { tenant, user } = reviewer;
    const asker: Asker = { tenant, user, role, granted: [] };
    const { permit, policies } = engine.ask({
      ...question,
      kind: 'clinic',
      asker,
      tenant,
      purpose: 'HOPERAT',
    });
    const act = {
      actor: { user, role, client: CLIENT },
      purposeOfUse: 'HOPERAT',
      entity: { resource: 'Task' },
    };
    if (permit)
      return (operation, details) => ({
        ...act,
        operation,
        outcome: '0',
        policy: policies.join(' '),
        ...details,
      });
    const refusal = {
      action: 'E',
      operation: 'reviewPrivacyRequest',
      outcome: '4',
      reason: 'NOT_YOURS',
    } as const;
    await this.#parts.audit.append(tenant, {
      ...act,
      ...refusal,
      policy: policies.join(' ') || 'deny-by-default',
    });
    throw new PrivacyError('NOT_YOURS', 'There is nothing here for this account to review.');
  }

  async #roleOf({ tenant }: Person, user: UserId): Promise<Role | 'none'> {
    return (await findMember(this.#parts.store, tenant, user))?.role ?? 'none';
  }
}

type EntryOf = (operation: string, details: Pick<AuditEntry, 'action'> & Partial<AuditEntry>) => AuditEntry;

const standsAgainst = (): RequestError =>
  new RequestError(
    'REQUEST_STATE',
    'Retention or a legal hold stands against this erasure. Refuse it with that reason.',
  );
