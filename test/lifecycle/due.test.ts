import { expect, test } from 'vitest';
import { patientKeyVersions } from '../../src/crypto/patient-keys.ts';
import type { JobTask } from '../../src/lifecycle/jobs/queue.ts';
import { workJob } from '../../src/lifecycle/jobs/worker.ts';
import { dueOf, rotationRound, stalledJobs, startDue } from '../../src/lifecycle/rotation/due.ts';
import { keyStatus } from '../../src/lifecycle/rotation/survey.ts';
import { startKms } from '../crypto/kms.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { allRows, BY, DAY, openKeyHouse } from './key-house.ts';

async function openAt(start: number) {
  const clock = { now: start };
  const kms = await startKms();
  const handed: JobTask[] = [];
  const house = await openKeyHouse({
    ...{
      store: createMemoryStore(),
      keyring: kms.keyring(),
      keyId: await kms.createKey(),
      clock: () => clock.now,
    },
    queue: { enqueue: async (tasks) => void handed.push(...tasks) },
  });
  const finish = async (ids: readonly string[]) => {
    for (const id of ids) await workJob(house.rotations.jobs, house.tenant, id);
  };
  return { clock, house, handed, finish, kms };
}
const START = Date.parse('2026-01-01T00:00:00Z');

test('nothing is due before a key is as old as it may be; then its whole month is renewed at once', async () => {
  const { clock, house, finish } = await openAt(START);
  const { rotations, tenant } = house;
  await house.newPatient();
  clock.now = START + 20 * DAY;
  await house.newPatient();
  clock.now = START + 100 * DAY;
  await house.newPatient();
  expect(await dueOf(rotations, tenant)).toEqual({ patients: START + 365 * DAY, index: START + 365 * DAY });
  clock.now = START + 365 * DAY - 1;
  expect(await startDue(rotations, tenant)).toEqual([]);
  clock.now += 1;
  const started = await startDue(rotations, tenant);
  expect(started).toHaveLength(2);
  expect(await startDue(rotations, tenant), 'they are under way').toEqual([]);
  await finish(started);
  const versions = (await allRows(house.store, tenant, patientKeyVersions)).map(({ id }) => id.at(-1));
  expect(versions.sort()).toEqual(['1', '2', '2']);
  expect(await dueOf(rotations, tenant)).toEqual({
    patients: START + 465 * DAY,
    index: START + 730 * DAY,
  });
  expect(await startDue(rotations, tenant)).toEqual([]);
});

test('a KMS key that has rotated is followed by a rewrap', async () => {
  const { house, finish, kms } = await openAt(START);
  const { rotations, tenant } = house;
  await house.newPatient();
  expect(await startDue(rotations, tenant)).toEqual([]);
  await kms.rotate(await rotations.options.tenantKeyId(tenant));
  expect((await keyStatus(rotations, tenant)).wrappingKey).toMatchObject({ problem: null, isCurrent: false });
  const started = await startDue(rotations, tenant);
  expect(started).toHaveLength(1);
  await finish(started);
  expect(await startDue(rotations, tenant)).toEqual([]);
  expect((await keyStatus(rotations, tenant)).wrappingKey.isCurrent).toBe(true);
});

test('a job whose tasks were lost is handed out again, a paused one is not', async () => {
  const { clock, house, handed } = await openAt(START);
  const { rotations, tenant } = house;
  await house.newPatient();
  const id = await rotations.reencrypt(tenant, { by: BY, before: START + 1 });
  expect(handed.splice(0)).toHaveLength(1);
  await rotationRound(rotations, [tenant], (error) => {
    throw error;
  });
  expect(handed).toEqual([]);
  clock.now += 11 * 60_000;
  await rotationRound(rotations, [tenant], (error) => {
    throw error;
  });
  expect(handed.splice(0)).toEqual([{ tenant, job: id, round: 0, phase: 0, part: 0 }]);
  await rotations.jobs.pause(tenant, id, BY);
  clock.now += 11 * 60_000;
  expect(await stalledJobs(rotations, tenant)).toEqual([]);
});

test('one tenant’s disabled key is told of, and keeps no other tenant waiting', async () => {
  const { house, kms } = await openAt(START);
  const { rotations, tenant } = house;
  const faults: unknown[] = [];
  await kms.disable(await rotations.options.tenantKeyId(tenant));
  await rotationRound(rotations, [tenant], (error) => void faults.push(error));
  expect(faults).toEqual([expect.objectContaining({ code: 'KEY_DISABLED' })]);
  expect((await keyStatus(rotations, tenant)).wrappingKey).toMatchObject({
    problem: 'KEY_DISABLED',
    isCurrent: null,
  });
});
