import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readCases, runCases } from '../../src/access/cases.ts';
import { POLICY_NAMES } from '../../src/access/policy-engine.ts';
import { POLICIES_LOADED } from '../mcp/house.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../src/access/cases.md'), 'utf8');

test('every row of the table is answered as it says', async () => {
  const results = runCases(readCases(PAGE), await POLICIES_LOADED.engine());
  expect(results.length).toBeGreaterThanOrEqual(200);
  expect(results.filter(({ ok }) => !ok).map(({ line, text }) => `${line}: ${text}`)).toEqual([]);
});

test('every policy decides at least one row', () => {
  const named = new Set(readCases(PAGE).flatMap(({ expected }) => expected.policies));
  expect([...named].sort()).toEqual([...POLICY_NAMES]);
});

test.each([
  [
    'permit for refuse',
    (page: string) =>
      page.replace('| refuse | sensitive-needs-consent', '| permit | sensitive-needs-consent'),
  ],
  [
    'another policy',
    (page: string) => page.replace('| permit | patient-own-chart', '| permit | proxy-acts-for'),
  ],
  [
    'deny by default for a forbid',
    (page: string) => page.replace('| refuse | never-across-tenants', '| refuse | -'),
  ],
])('a row that says %s is found', async (_name, change) => {
  const changed = change(PAGE);
  expect(changed).not.toBe(PAGE);
  const results = runCases(readCases(changed), await POLICIES_LOADED.engine());
  expect(results.filter(({ ok }) => !ok)).toHaveLength(1);
});

test.each([
  ['a role that is none', 'surgeon'],
  ['a line with too few cells', 'patient | book'],
])('%s is refused with its line, not skipped', (_name, cells) => {
  const page = PAGE.replace(/\| patient {3}\| read-demographics {1}\|/, `| ${cells} | read-demographics |`);
  expect(() => readCases(page)).toThrow(/Line \d+/);
});

test('a page without a table is no success', () => {
  expect(() => readCases('# Nothing')).toThrow(/no case table/);
});
