import type { AuditLog } from '../../audit/append.ts';
import type { Clock } from '../../kernel/clock.ts';
import { ref } from '../../kernel/collection.ts';
import { randomId, type TenantId } from '../../kernel/ids.ts';
import type { Store, Transaction } from '../../kernel/store.ts';
import { LifecycleError } from '../errors.ts';
import { type JobActor, jobEntry } from './events.ts';
import { closePhase, openParts } from './finish.ts';
import {
  isOpen,
  type JobRow,
  type JobSpec,
  type JobState,
  jobFaults,
  jobSlots,
  jobs,
  newParts,
  type PartAt,
  type PartRow,
  partRef,
  partsOf,
  rangesFor,
} from './job.ts';
import type { JobKind } from './kind.ts';
import type { JobQueue } from './queue.ts';

/** What jobs stand on. */
export interface JobHouse {
  readonly store: Store;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly queue: JobQueue;
  /** @throws LifecycleError `JOB_UNKNOWN` for a kind that this version does not know. */
  kindOf(name: string): JobKind;
}

/** A job as people see it. */
export interface JobView {
  readonly id: string;
  readonly kind: string;
  readonly state: JobState;
  readonly phase: string;
  readonly round: number;
  readonly seen: number;
  readonly changed: number;
  readonly left: number;
  readonly aside: number;
  readonly rate: number;
  readonly startedBy: string;
  readonly createdAt: number;
  readonly changedAt: number;
  readonly finishedAt: number | null;
  /** The audit log's size at the proof that nothing is left; null without one. */
  readonly drainedAt: number | null;
}

/** How a job is started. */
export interface JobStart {
  readonly kind: JobKind;
  readonly spec: JobSpec;
  /** Items a second; 0 unless given: as fast as the workers can. */
  readonly rate?: number;
  readonly by: JobActor;
  /** Cut into sixteen parts even when the tenant is small. */
  readonly isWide?: boolean;
}

const MAX_RATE = 10_000;
/** A tenant with as many rows is worth sixteen workers. */
const WIDE = 1_000;
const LISTED = 50;

/** Starts, pauses, resumes and shows jobs. `step.ts` takes their steps. */
export class Jobs {
  readonly house: JobHouse;

  constructor(house: JobHouse) {
    this.house = house;
  }

  /** @throws LifecycleError `JOB_OPEN` when one of its kind is running or paused. */
  async start(tenant: TenantId, { kind, spec, rate = 0, by, isWide }: JobStart): Promise<string> {
    if (!Number.isInteger(rate) || rate < 0 || rate > MAX_RATE)
      throw new LifecycleError('JOB_STATE', `A rate is 1 to ${MAX_RATE} items a second, or 0 for no limit.`);
    const id = randomId('job');
    const now = this.house.clock();
    const wide = isWide ?? (await this.#isLarge(tenant, kind));
    const rows = newParts(rangesFor(kind.phases[0]?.spread ?? null, wide), now, id);
    const job: JobRow = {
      ...{
        kind: kind.name,
        state: 'running',
        spec,
        rate,
        round: 0,
        phase: 0,
        isWide: wide,
        parts: rows.length,
      },
      ...{ seen: 0, changed: 0, left: 0, oldest: null, startedBy: by.user, createdAt: now, changedAt: now },
      ...{ finishedAt: null, drainedAt: null },
    };
    await this.#write(tenant, { id, moment: 'started', by }, async (tx) => {
      const [slot] = await tx.get(ref(jobSlots, kind.name));
      const [before] = slot === null ? [null] : await tx.get(ref(jobs, slot.job));
      if (isOpen(before)) throw openJob(slot?.job ?? '', before.state);
      return () => {
        tx.create(ref(jobs, id), job);
        tx.put(ref(jobSlots, kind.name), { job: id, oldest: slot?.oldest ?? null });
        for (const [n, at] of partsOf(id, job).entries()) tx.create(partRef(at), rows[n] as PartRow);
        return kind;
      };
    });
    await this.handOut(tenant, id);
    return id;
  }

  /** No further step begins; the one under way ends. @throws LifecycleError `JOB_UNKNOWN`, `JOB_STATE`. */
  pause(tenant: TenantId, id: string, by: JobActor): Promise<void> {
    return this.#turn(tenant, id, { from: 'running', to: 'paused', moment: 'paused', by });
  }

  /** @throws LifecycleError `JOB_UNKNOWN`, `JOB_STATE`. */
  async resume(tenant: TenantId, id: string, by: JobActor): Promise<void> {
    await this.#turn(tenant, id, { from: 'paused', to: 'running', moment: 'resumed', by });
    await this.handOut(tenant, id);
  }

  /**
   * Puts every open part of a running job into the queue; a part that is there already does no harm. With `unless`
   * only when the job has left that phase behind.
   */
  async handOut(tenant: TenantId, id: string, unless?: PartAt): Promise<void> {
    const closed = await closePhase(this.house, tenant, id);
    const { job, parts } = await openParts(this.house.store.tenant(tenant), id);
    if (
      closed === 'open' &&
      unless !== undefined &&
      job?.phase === unless.phase &&
      job.round === unless.round
    )
      return;
    if (parts.length > 0) await this.house.queue.enqueue(parts.map((part) => ({ tenant, ...part })));
  }

  /** @throws LifecycleError `JOB_UNKNOWN`. */
  async find(tenant: TenantId, id: string): Promise<JobView> {
    const [job] = await this.house.store.tenant(tenant).get(ref(jobs, id));
    if (job === null) throw unknownJob();
    return this.#view(tenant, id, job);
  }

  /** The last job of each kind, and any other that is not ended. */
  async list(tenant: TenantId): Promise<JobView[]> {
    const store = this.house.store.tenant(tenant);
    const slots = await store.list(jobSlots, { limit: LISTED });
    if (slots.length === 0) return [];
    const rows = await store.get(...slots.map(({ row }) => ref(jobs, row.job)));
    const found = slots.flatMap(({ row: { job: id } }, at) => {
      const job = rows[at] ?? null;
      return job === null ? [] : [this.#view(tenant, id, job)];
    });
    return Promise.all(found);
  }

  /** The items that were set aside, with the code that stopped each. */
  async faults(tenant: TenantId, id: string): Promise<{ item: string; code: string; at: number }[]> {
    const listed = await this.house.store
      .tenant(tenant)
      .list(jobFaults, { equals: { job: id }, limit: 1_000 });
    return listed.map(({ row: { item, code, at } }) => ({ item, code, at }));
  }

  async #view(tenant: TenantId, id: string, job: JobRow): Promise<JobView> {
    const kind = this.house.kindOf(job.kind);
    const [rows, aside] = await Promise.all([
      isOpen(job) ? this.house.store.tenant(tenant).get(...partsOf(id, job).map(partRef)) : [],
      this.faults(tenant, id),
    ]);
    const sum = (of: 'seen' | 'changed' | 'left') =>
      job[of] + (rows as (PartRow | null)[]).reduce((total, part) => total + (part?.[of] ?? 0), 0);
    return {
      ...{ id, kind: job.kind, state: job.state as JobState, round: job.round, rate: job.rate },
      ...{ phase: kind.phases[job.phase]?.name ?? '', seen: sum('seen'), changed: sum('changed') },
      ...{ left: sum('left'), aside: aside.length, startedBy: job.startedBy, createdAt: job.createdAt },
      ...{ changedAt: lastChange(job, rows), finishedAt: job.finishedAt, drainedAt: job.drainedAt },
    };
  }

  #turn(
    tenant: TenantId,
    id: string,
    turn: { from: JobState; to: JobState; moment: 'paused' | 'resumed'; by: JobActor },
  ): Promise<void> {
    return this.#write(tenant, { id, ...turn }, async (tx) => {
      const [job] = await tx.get(ref(jobs, id));
      if (job === null) throw unknownJob();
      if (job.state !== turn.from)
        throw new LifecycleError(
          'JOB_STATE',
          `The job is ${job.state}, not ${turn.from}. Nothing was changed.`,
        );
      return () => {
        tx.put(ref(jobs, id), { ...job, state: turn.to, changedAt: this.house.clock() });
        return this.house.kindOf(job.kind);
      };
    });
  }

  /** `work` reads, then answers with what writes; the event is in the same transaction. */
  async #write(
    tenant: TenantId,
    event: { id: string; moment: 'started' | 'paused' | 'resumed'; by: JobActor },
    work: (tx: Transaction) => Promise<() => JobKind>,
  ): Promise<void> {
    const draft = this.house.audit.draft(tenant);
    const { id, moment, by } = event;
    try {
      await this.house.store.tenant(tenant).transact(
        async (tx) => {
          const kind = (await work(tx))();
          draft.write(tx, jobEntry(kind, id, { moment, by, counts: {} }));
        },
        { proof: draft.proof },
      );
    } catch (error) {
      draft.abandon();
      throw error;
    }
    draft.confirm();
  }

  async #isLarge(tenant: TenantId, kind: JobKind): Promise<boolean> {
    const many = kind.phases.find(({ spread }) => spread !== null);
    if (many === undefined) return false;
    return (await this.house.store.tenant(tenant).list(many.of, { limit: WIDE })).length === WIDE;
  }
}

const lastChange = (job: JobRow, parts: readonly (PartRow | null)[]): number =>
  Math.max(job.changedAt, ...parts.map((part) => part?.changedAt ?? 0));

const unknownJob = (): LifecycleError =>
  new LifecycleError('JOB_UNKNOWN', 'There is no such job here. "chartseal keys status" lists them.');

const openJob = (id: string, state: string): LifecycleError =>
  new LifecycleError(
    'JOB_OPEN',
    `The job ${id} of this kind is ${state}. Let it end, or go on with "chartseal keys resume ${id}".`,
  );
