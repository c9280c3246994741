import type { TenantId } from '../../kernel/ids.ts';
import type { PartAt } from './job.ts';

/** One thing to do, as a queue carries it. */
export interface JobTask extends PartAt {
  readonly tenant: TenantId;
}

/**
 * Where the parts of a job are handed out: Cloud Tasks on Firebase. A task may come twice, late, or not at all: what
 * is lost the clock hands out again.
 */
export interface JobQueue {
  /** @throws whatever keeps the queue from taking them; some of them may be there then. */
  enqueue(tasks: readonly JobTask[]): Promise<void>;
}

/** For a process that works its jobs itself. */
export const noQueue: JobQueue = { enqueue: async () => {} };
