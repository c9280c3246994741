import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type ClockJob, startJobs } from '../../src/dev/jobs.ts';
import { ChartsealError } from '../../src/kernel/errors.ts';
import type { TenantId } from '../../src/kernel/ids.ts';

const tenants = async () => ['riverside' as TenantId];
const jobOf = (run: ClockJob['run'], everyMs = 1): ClockJob => ({ name: 'test', everyMs, run });

describe('jobs that the clock starts', () => {
  test('a run that fails is told of by its code, and the job runs again', async () => {
    const faults: unknown[] = [];
    let runs = 0;
    const end = startJobs(
      [
        jobOf(async () => {
          runs += 1;
          if (runs === 1) throw new ChartsealError('TEST_CODE', 'Try again.');
          if (runs === 2) throw new Error('a value that nobody may see');
        }),
      ],
      { tenants, onFault: ({ code }) => faults.push(code) },
    );
    while (runs < 3) await sleep(2);
    await end();
    expect(faults).toEqual(['TEST_CODE', 'JOB_TEST']);
  });

  test('one job that hangs holds up no other, and the end waits for it', async () => {
    const steps: string[] = [];
    const end = startJobs(
      [
        jobOf(async ({ signal }) => {
          while (!signal.aborted) await sleep(1);
          await sleep(10);
          steps.push('hanging one ended');
        }),
        jobOf(async () => steps.push('quick one ran'), 60_000),
      ],
      { tenants, onFault: () => undefined },
    );
    await sleep(20);
    await end();
    expect(steps).toEqual(['quick one ran', 'hanging one ended']);
  });

  test('without a list of tenants nothing runs, and it is told of', async () => {
    const faults: string[] = [];
    let ran = false;
    const end = startJobs(
      [
        jobOf(async () => {
          ran = true;
        }, 60_000),
      ],
      {
        tenants: () => Promise.reject(new ChartsealError('STORE_UNAVAILABLE', 'Try again.')),
        onFault: ({ code }) => faults.push(code),
      },
    );
    await sleep(5);
    await end();
    expect([ran, faults]).toEqual([false, ['STORE_UNAVAILABLE']]);
  });
});
