import type { AuditEntry } from '../../audit/append.ts';
import type { JobKind } from './kind.ts';

/** What became of a job; each is an event in the transaction in which it happened. */
export type JobMoment = 'started' | 'progress' | 'paused' | 'resumed' | 'drained' | 'ended' | 'incomplete';

/** Who caused it: a person's id, or `system` for the clock. */
export interface JobActor {
  readonly user: string;
  readonly client: string;
}

/** What every worker is in the log. */
export const WORKER: JobActor = { user: 'system', client: 'scheduler' };

/** An event on a job: names and numbers, no item. */
export function jobEntry(
  kind: Pick<JobKind, 'operation'>,
  job: string,
  what: { moment: JobMoment; phase?: string; counts: Readonly<Record<string, number>>; by?: JobActor },
): AuditEntry {
  const { user, client } = what.by ?? WORKER;
  return {
    action: 'E',
    operation: kind.operation,
    outcome: '0',
    actor: { user, role: user === 'system' ? 'job' : 'admin', client },
    entity: {
      resource: 'Task',
      id: job,
      fields: [what.moment, ...(what.phase === undefined ? [] : [what.phase])],
      counts: what.counts,
    },
    purposeOfUse: 'HOPERAT',
    policy: 'key-lifecycle',
  };
}
