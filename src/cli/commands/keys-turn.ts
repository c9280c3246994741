import { parseTenantId } from '../../kernel/ids.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { composeHere } from '../here.ts';
import { finishJobs, JOB_OPTIONS, startOf } from '../key-jobs.ts';
import { out } from '../terminal.ts';

const { tenant: tenantOption, detach } = JOB_OPTIONS;

/** No further step begins; what was done stays. */
export const keysPause: Command = {
  usage: 'JOB [--tenant T]',
  summary: 'let a job stop after the steps that are under way',
  options: { tenant: tenantOption },
  run: async ({ values, positionals: [id, ...more], json }) => {
    if (id === undefined || more.length > 0) throw new UsageError('Name one job: chartseal keys pause JOB');
    const tenant = parseTenantId(values['tenant'] ?? 'riverside');
    const { composed } = await composeHere();
    try {
      await composed.rotations.jobs.pause(tenant, id, startOf({}).by);
      out(json ? JSON.stringify({ tenant, job: id, state: 'paused' }) : `${id} is paused.`);
      return EXIT.ok;
    } finally {
      await composed.close();
    }
  },
};

/** Goes on with a paused job, or with one whose worker is gone. */
export const keysResume: Command = {
  usage: 'JOB [--tenant T] [--detach]',
  summary: 'go on with a job that was paused or left, where it stopped',
  options: { tenant: tenantOption, detach },
  run: async ({ values, positionals: [id, ...more], json }) => {
    if (id === undefined || more.length > 0) throw new UsageError('Name one job: chartseal keys resume JOB');
    const tenant = parseTenantId(values['tenant'] ?? 'riverside');
    const { composed } = await composeHere();
    try {
      const { jobs } = composed.rotations;
      if ((await jobs.find(tenant, id)).state === 'paused') await jobs.resume(tenant, id, startOf({}).by);
      return await finishJobs(composed, tenant, { ids: [id], values, json });
    } finally {
      await composed.close();
    }
  },
};
