import { getApps, initializeApp } from 'firebase-admin/app';
import { getFunctions } from 'firebase-admin/functions';
import type { JobQueue } from '../../lifecycle/jobs/queue.ts';
import { within } from '../deadline.ts';

/** Calls that are under way at once. */
const AT_ONCE = 8;
const DEADLINE_MS = 10_000;
/** How long a task may run before Cloud Tasks takes it for lost: the function's own limit. */
const DISPATCH_SECONDS = 120;
const APP = 'chartseal-tasks';

/** Cloud Tasks in front of a function made by `onTaskDispatched`; retries and rates are that function's. */
export function cloudTasks(options: { projectId: string; region: string; functionName: string }): JobQueue {
  const { projectId, region, functionName } = options;
  const app = getApps().find(({ name }) => name === APP) ?? initializeApp({ projectId }, APP);
  const queue = getFunctions(app).taskQueue(`locations/${region}/functions/${functionName}`);
  return {
    enqueue: async (tasks) => {
      for (let at = 0; at < tasks.length; at += AT_ONCE)
        await Promise.all(
          tasks
            .slice(at, at + AT_ONCE)
            .map((task) =>
              within(DEADLINE_MS, queue.enqueue({ ...task }, { dispatchDeadlineSeconds: DISPATCH_SECONDS })),
            ),
        );
    },
  };
}
