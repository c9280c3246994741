import { beforeAll, describe, expect, test } from 'vitest';
import type { PatientId } from '../../src/kernel/ids.ts';
import { TENANT } from '../mcp/house.ts';
import { openClinic } from './people.ts';

const ROUNDS = 400;

/** Shape is compared in the attacks; here the work and the time. */
describe('unknown and forbidden cannot be told apart', () => {
  let clinic: Awaited<ReturnType<typeof openClinic>>;
  beforeAll(async () => {
    clinic = await openClinic();
  });
  const refuse = (patient: string) =>
    clinic.call('usr_clinician', 'getPatient', { sections: ['conditions'], patient });
  const tripsOf = async (patient: string): Promise<string[]> => {
    const trips: string[] = [];
    const stop = clinic.store.watch((trip) => trips.push(trip));
    await refuse(patient);
    stop();
    return trips;
  };

  test('by what the store is asked: the same round trips, one after the other', async () => {
    const forbidden = await tripsOf(clinic.john);
    expect(forbidden).toEqual(['get', 'transact']);
    expect(await tripsOf('pat_doesnotexist0000000000')).toEqual(forbidden);
  });

  test('by a consent, an emergency that is over or another’s relationship: the same round trips', async () => {
    await clinic.say(clinic.child, 'treatment', 'refused');
    await clinic.relate('usr_proxy', clinic.child, 'proxy');
    expect(await tripsOf(clinic.child)).toEqual(['get', 'transact']);
  });

  test('by time, within noise: half of the forbidden are faster than the median of the unknown', async () => {
    const time = async (patient: string): Promise<number> => {
      const start = performance.now();
      await refuse(patient);
      return performance.now() - start;
    };
    const unknown: PatientId = 'pat_doesnotexist0000000000' as PatientId;
    for (let round = 0; round < 50; round += 1) await time(round % 2 === 0 ? clinic.john : unknown);
    const times = { forbidden: [] as number[], unknown: [] as number[] };
    for (let round = 0; round < ROUNDS; round += 1) {
      times.forbidden.push(await time(clinic.john));
      times.unknown.push(await time(unknown));
    }
    const middle = times.unknown.toSorted((a, b) => a - b)[ROUNDS / 2] ?? 0;
    const faster = times.forbidden.filter((one) => one < middle).length / ROUNDS;
    // For 400 fair coins 0.35 to 0.65 is six standard deviations.
    expect(faster).toBeGreaterThan(0.35);
    expect(faster).toBeLessThan(0.65);
    expect(clinic.store.rows.get(TENANT)?.size).toBeGreaterThan(ROUNDS);
  });
});
