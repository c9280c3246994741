import { setTimeout as sleep } from 'node:timers/promises';
import { ChartsealError } from '../../kernel/errors.ts';
import type { TenantId } from '../../kernel/ids.ts';
import { LifecycleError } from '../errors.ts';
import { closePhase, openParts } from './finish.ts';
import type { PartAt } from './job.ts';
import type { Jobs, JobView } from './jobs.ts';
import type { JobTask } from './queue.ts';
import { runStep, type StepOutcome } from './step.ts';

/** Parts that one process works on at once. */
const PARALLEL = 4;
/**
 * Failures in a row before a worker gives up; the job stays where it is. Their waits outlast the minute or more for
 * which Firestore keeps the rows of a process that died in a transaction.
 */
const MAX_FAILURES = 12;
const FIRST_WAIT_MS = 500;
const MOST_WAIT_MS = 15_000;

/** How a process works a job. */
export interface WorkOptions {
  readonly parallel?: number;
  /** Stops between two steps. */
  readonly signal?: AbortSignal;
  /** Told after each step. */
  readonly onStep?: () => Promise<void> | void;
}

/**
 * Works a job until it has ended, is paused, or the signal says so. Safe beside other workers of the same job.
 *
 * @throws LifecycleError `JOB_STALLED` (retryable) when steps fail again and again: with what KMS or the store said.
 */
export async function workJob(
  jobs: Jobs,
  tenant: TenantId,
  id: string,
  options: WorkOptions = {},
): Promise<JobView> {
  const { parallel = PARALLEL, signal } = options;
  const store = jobs.house.store.tenant(tenant);
  while (signal?.aborted !== true) {
    const seen = await patiently(signal, () => openParts(store, id));
    if (seen?.job?.state !== 'running') break;
    const { parts } = seen;
    if (parts.length === 0) {
      await patiently(signal, () => closePhase(jobs.house, tenant, id));
      continue;
    }
    const queue = parts.values();
    const atOnce = Math.min(parallel, parts.length);
    const lane = async (): Promise<void> => {
      for (const part of queue) await workPart(jobs, { tenant, ...part }, { ...options, parallel: atOnce });
    };
    const lanes = await Promise.allSettled(Array.from({ length: atOnce }, lane));
    const failed = lanes.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
  return jobs.find(tenant, id);
}

async function workPart(
  jobs: Jobs,
  { tenant, ...part }: JobTask,
  options: WorkOptions & { parallel: number },
): Promise<void> {
  const { signal, onStep, parallel } = options;
  while (signal?.aborted !== true) {
    const outcome = await patiently(signal, () => runStep(jobs.house, tenant, part, { parallel }));
    if (outcome !== undefined) await onStep?.();
    if (outcome !== 'more') return;
  }
}

/** Does what may fail for a while, with growing waits; undefined when the signal ended it. */
async function patiently<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T | undefined> {
  for (let failures = 1; signal?.aborted !== true; failures += 1) {
    try {
      return await work();
    } catch (error) {
      if (!mayPass(error) || failures === MAX_FAILURES) throw stalled(error);
      await sleep(Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures), undefined, { signal }).catch(
        () => {},
      );
    }
  }
  return undefined;
}

const mayPass = (error: unknown): boolean => error instanceof ChartsealError && error.retryable;

function stalled(cause: unknown): unknown {
  if (!(cause instanceof ChartsealError)) return cause;
  return new LifecycleError(
    'JOB_STALLED',
    `The job waits where it is, and nothing is lost: ${cause.message} (${cause.code})`,
    { retryable: true, cause },
  );
}

/** A task's share of time: well below what a function and its queue allow. */
const TASK_MS = 45_000;

/**
 * What a queue's task does: steps of one part for a while, and then a task for what is left of it, or for the next
 * phase's parts. What fails is thrown, so that the queue tries again later.
 */
export async function runTask(jobs: Jobs, task: JobTask): Promise<StepOutcome> {
  const { tenant, ...at } = task;
  const end = performance.now() + TASK_MS;
  let outcome: StepOutcome = 'more';
  while (outcome === 'more' && performance.now() < end) {
    const { parts } = await openParts(jobs.house.store.tenant(tenant), at.job);
    outcome = await runStep(jobs.house, tenant, at as PartAt, { parallel: Math.max(1, parts.length) });
  }
  if (outcome === 'more') await jobs.house.queue.enqueue([task]);
  else await jobs.handOut(tenant, at.job, at);
  return outcome;
}
