import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { accessMatrix, EXAMPLES, matrixPage } from '../../src/mcp/access-matrix.ts';
import { TOOLS } from '../../src/mcp/catalog.ts';
import { POLICIES_LOADED } from '../mcp/house.ts';

const PAGE = join(import.meta.dirname, '../../docs/access-matrix.md');

/** A change here is a change of who sees what: do it on purpose, and regenerate the page. */
test('the page says what the policies say', async () => {
  expect(matrixPage(accessMatrix(await POLICIES_LOADED.engine()))).toBe(readFileSync(PAGE, 'utf8'));
});

test('every tool is in the matrix, with all that its input can make it need', async () => {
  const cells = accessMatrix(await POLICIES_LOADED.engine());
  expect(new Set(cells.map(({ tool }) => tool))).toEqual(new Set(TOOLS.map(({ name }) => name)));
  for (const { name, requirementFor } of TOOLS)
    expect([name, EXAMPLES[name] !== undefined]).toEqual([name, requirementFor !== undefined]);
});

test('auditors and admins have no cell about a chart, and nobody but patients, proxies and staff has one', async () => {
  const cells = accessMatrix(await POLICIES_LOADED.engine());
  const open = cells.filter(({ standing, policy }) => standing !== null && policy !== null);
  expect(new Set(open.map(({ role }) => role))).toEqual(
    new Set(['patient', 'proxy', 'clinician', 'frontdesk']),
  );
});
