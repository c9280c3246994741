import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { importPatient } from '../../../src/clinic/import-patient.ts';
import type { PatientId } from '../../../src/kernel/ids.ts';
import { TENANT } from '../../mcp/house.ts';
import { type Answer, expectRefused, type House, openHouse } from './house.ts';

const LIMITS = { person: { slowAfter: 2, stopAfter: 4 }, client: { slowAfter: 5, stopAfter: 7 } };
const BUNDLE = (index: number) =>
  JSON.stringify({
    resourceType: 'Bundle',
    type: 'collection',
    entry: [
      {
        resource: {
          resourceType: 'Patient',
          name: [{ family: `Synthetic${index}`, given: ['Sam'] }],
          birthDate: '1980-01-01',
        },
      },
    ],
  });

/** A front desk may ask for any chart of its clinic, so only the count stands between it and all of them. */
describe('attempts to open unusually many charts without being counted', () => {
  let at: House;
  let charts: PatientId[];
  beforeEach(async () => {
    at = await openHouse({ limits: LIMITS });
    charts = [];
    for (let index = 0; index < 8; index += 1) {
      const { services } = at;
      charts.push((await importPatient(BUNDLE(index), { ...services, tenant: TENANT, by: 'test' })).patient);
    }
  });
  afterEach(() => at.close());
  const isOpen = ({ json }: Answer) => json.result?.structuredContent !== undefined;
  const read = (user: string, patient: PatientId | undefined, claims: object = {}, tool = 'getPatient') => {
    const args =
      tool === 'getPatient'
        ? { sections: ['demographics'], patient }
        : { visitType: 'general-visit', patient };
    return at.call(user, tool, args, { claims });
  };
  const opened = (answers: readonly Answer[]) => answers.filter(isOpen).length;

  test('one after the other: the fifth is stopped, with an event, and nothing else is written', async () => {
    for (const patient of charts.slice(0, 4)) expect(isOpen(await read('usr_frontdesk', patient))).toBe(true);
    expectRefused(await at.watch(() => read('usr_frontdesk', charts[4])), 'CHART_LIMIT');
  });

  test('by a new client, a new connection and a new token each time', async () => {
    const answers: Answer[] = [];
    for (const [index, patient] of charts.entries())
      answers.push(
        await read('usr_frontdesk', patient, { client_id: `client-${index}`, grant_id: `g${index}` }),
      );
    expect(opened(answers)).toBe(LIMITS.person.stopAfter);
  });

  test('all at once', async () => {
    const answers = await Promise.all(charts.map((patient) => read('usr_frontdesk', patient)));
    expect(opened(answers)).toBe(LIMITS.person.stopAfter);
  });

  test('by one client with many people', async () => {
    const answers: Answer[] = [];
    for (const [index, patient] of charts.entries()) {
      const user = `usr_desk${Math.floor(index / 2)}`;
      await at.join(user, 'frontdesk');
      answers.push(await read(user, patient, { client_id: 'shared' }));
    }
    expect(opened(answers)).toBe(LIMITS.client.stopAfter);
  });

  test('by another tool each time', async () => {
    const answers: Answer[] = [];
    for (const [index, patient] of charts.entries())
      answers.push(
        await read('usr_frontdesk', patient, {}, index % 2 === 0 ? 'getPatient' : 'scheduleAppointment'),
      );
    expect(opened(answers)).toBe(LIMITS.person.stopAfter);
  });

  test('by searching: what a search opens counts too', async () => {
    const answers: Answer[] = [];
    for (let index = 0; index < 8; index += 1)
      answers.push(
        await at.call('usr_frontdesk', 'findPatient', {
          familyName: `Synthetic${index}`,
          givenName: 'Sam',
          birthDate: '1980-01-01',
        }),
      );
    expect(opened(answers)).toBe(LIMITS.person.stopAfter);
  });

  test('by refused calls in between, which neither count nor reset', async () => {
    for (const patient of charts.slice(0, 4)) {
      await read('usr_frontdesk', patient);
      await read('usr_frontdesk', 'pat_doesnotexist0000000000' as PatientId, { scope: '' });
    }
    expectRefused(await at.watch(() => read('usr_frontdesk', charts[5])), 'CHART_LIMIT');
  });

  test('a handle that does not exist is stopped in the same words as one that does', async () => {
    for (const patient of charts.slice(0, 4)) await read('usr_frontdesk', patient);
    const real = await read('usr_frontdesk', charts[5]);
    const unknown = await read('usr_frontdesk', 'pat_doesnotexist0000000000' as PatientId);
    expect(unknown.json).toEqual(real.json);
  });
});
