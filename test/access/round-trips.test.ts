import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { putRelationship } from '../../src/access/relationships.ts';
import type { UserId } from '../../src/kernel/ids.ts';
import { callTool } from '../../src/mcp/call-tool.ts';
import { getPatient } from '../../src/mcp/tools/get-patient.ts';
import { putMember } from '../doubles/members.ts';
import { buildHouse, principalOf, TENANT } from '../mcp/house.ts';

const JOHN_DOE = readFileSync(join(import.meta.dirname, '../../emulator-data/john-doe.json'), 'utf8');
const NOW = Date.parse('2026-11-24T09:00:00-05:00');
const CLINICIAN = 'usr_clinician' as UserId;

/** What the store is asked between a verified token and the commit of the audit event. */
describe('round trips of a warm getPatient', () => {
  let house: Awaited<ReturnType<typeof buildHouse>>;
  beforeAll(async () => {
    house = await buildHouse(JOHN_DOE, () => NOW);
    await putMember(house.store, TENANT, { user: CLINICIAN, role: 'clinician', patient: null });
    await house.store.tenant(TENANT).transact(async (tx) => {
      const pair = { user: CLINICIAN, patient: house.patient };
      putRelationship(tx, { ...pair, kind: 'care-team', expiresAt: NOW + 1 });
    });
  });
  const ask = async (user: UserId | null, args: object) => {
    const scopes = ['patient/Patient.rs', 'patient/*.rs', 'user/Patient.rs', 'user/*.rs'];
    const principal = { ...principalOf(scopes), ...(user === null ? {} : { user }) };
    const answer = await callTool(getPatient, args, { principal, services: house.services });
    expect(answer.isError).toBeUndefined();
  };
  const tripsOf = async (act: () => Promise<void>): Promise<string[]> => {
    const trips: string[] = [];
    const stop = house.store.watch((trip) => trips.push(trip));
    await act();
    stop();
    return trips;
  };

  test('two for one’s own chart: the facts, and the chart; then the audit event', async () => {
    const read = () => ask(null, { sections: ['demographics', 'medications'] });
    await read();
    expect(await tripsOf(read)).toEqual(['get', 'get', 'transact']);
  });

  test('two for a chart that a handle names, once it was opened within the hour', async () => {
    const read = () => ask(CLINICIAN, { sections: ['medications'], patient: house.patient });
    await read();
    expect(await tripsOf(read)).toEqual(['get', 'get', 'transact']);
  });

  test('the first opening of somebody else’s chart within the hour costs two more, to count it', async () => {
    const other = 'usr_other' as UserId;
    await putMember(house.store, TENANT, { user: other, role: 'frontdesk', patient: null });
    const read = () => ask(other, { sections: ['demographics'], patient: house.patient });
    expect(await tripsOf(read)).toEqual(['get', 'get', 'transact', 'get', 'transact']);
  });
});
