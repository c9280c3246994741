import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readPatientBundle } from '../../src/clinic/fhir-import.ts';
import { searchFactsOf } from '../../src/clinic/search-facts-of.ts';
import { buildHouse, TENANT } from '../mcp/house.ts';

const JOHN_DOE = readFileSync(join(import.meta.dirname, '../../emulator-data/john-doe.json'), 'utf8');

describe('a patient who was imported', () => {
  let house: Awaited<ReturnType<typeof buildHouse>>;
  beforeAll(async () => {
    house = await buildHouse(JOHN_DOE, () => Date.UTC(2026, 10, 24));
  });

  test.each([
    ['record number and birth date', { mrn: 'rv-4471902', birthDate: '1968-04-12' }],
    ['name and birth date', { name: { family: 'DOE', given: 'john' }, birthDate: '1968-04-12' }],
    ['telephone and e-mail', { phone: '(617) 555-0142', email: 'John@Example.com' }],
    [
      'surname and birth year, with the record number',
      { surname: 'Doe', birthYear: '1968', mrn: 'RV-4471902' },
    ],
  ])('is found by %s', async (_name, identifiers) => {
    expect(await house.index.find(TENANT, identifiers)).toEqual([house.patient]);
  });

  test('is not found when one of the two is wrong, nor by one alone', async () => {
    expect(await house.index.find(TENANT, { mrn: 'RV-4471902', birthDate: '1968-04-13' })).toEqual([]);
    await expect(house.index.find(TENANT, { mrn: 'RV-4471902' })).rejects.toMatchObject({ code: 'INPUT' });
  });
});

test('a fact that has nothing to search by is left out and keeps no chart out', () => {
  const { chart } = readPatientBundle(JOHN_DOE);
  const facts = searchFactsOf({
    ...chart,
    contact: {
      ...chart.contact,
      telecom: [{ system: 'phone', value: 'ask the daughter' }, { system: 'email' }],
    },
  });
  expect(facts).toMatchObject({ phones: [], emails: [], mrns: ['RV-4471902'], birthDate: '1968-04-12' });
});
