import { noQueue } from '../lifecycle/jobs/queue.ts';
import { workJob } from '../lifecycle/jobs/worker.ts';
import { rotationRound, stalledJobs } from '../lifecycle/rotation/due.ts';
import type { KeyRotations } from '../lifecycle/rotation/rotations.ts';
import type { JobRound } from './jobs.ts';

/** A job that another command works on moves more often than that. */
const LEFT_MS = 20_000;

/**
 * Starts due rotations, and takes up the jobs on which nobody works: in this process, or through the queue where there
 * is one.
 */
export async function rotationTurn(
  rotations: KeyRotations,
  { tenants, signal, onFault }: JobRound,
): Promise<void> {
  await rotationRound(rotations, tenants, onFault);
  const { jobs } = rotations;
  for (const tenant of tenants)
    for (const { id } of await stalledJobs(rotations, tenant, LEFT_MS)) {
      if (signal.aborted) return;
      if (jobs.house.queue === noQueue) await workJob(jobs, tenant, id, { signal }).catch(onFault);
      else await jobs.handOut(tenant, id).catch(onFault);
    }
}
