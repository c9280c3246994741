import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from './run.ts';

const ROOT = join(import.meta.dirname, '../..');
const CASES = readFileSync(join(ROOT, 'src/access/cases.md'), 'utf8');

describe('chartseal policy', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'chartseal-policy-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const policy = (...args: string[]) => run(folder, ['policy', ...args]);
  const pageWith = (text: string): string => {
    const file = join(folder, 'cases.md');
    writeFileSync(file, text);
    return file;
  };

  test('test answers yes for the table of the project', async () => {
    const { code, out } = await policy('test');
    expect(code).toBe(0);
    expect(out).toMatch(/^(\d{3}) of \1 cases are answered as the table says\.\n$/);
  });

  test('test exits 1 on a mismatch, and names the line, the case and what was answered', async () => {
    const changed = CASES.replace('| refuse | never-across-tenants', '| permit | never-across-tenants');
    const line =
      changed.split('\n').findIndex((text) => text.includes('| permit | never-across-tenants')) + 1;
    const file = pageWith(changed);
    const people = await policy('test', file);
    expect(people.code).toBe(1);
    expect(people.out).toContain(`line ${line}: patient | read-clinical | other`);
    expect(people.out).toContain('answered: refuse by never-across-tenants');
    const programs = await policy('test', file, '--json');
    expect(programs.code).toBe(1);
    expect(JSON.parse(programs.out)).toMatchObject({
      failed: [{ line, answered: { permit: false, policies: ['never-across-tenants'] } }],
    });
  });

  test('a file that is not there, or holds no table, is not a yes', async () => {
    expect((await policy('test', join(folder, 'nowhere.md'))).code).toBe(2);
    expect((await policy('test', pageWith('# Nothing here'))).code).toBe(1);
  });

  test('matrix prints the page of the docs, and cells for programs', async () => {
    const page = await policy('matrix');
    expect([page.code, page.out]).toEqual([0, readFileSync(join(ROOT, 'docs/access-matrix.md'), 'utf8')]);
    const cells = JSON.parse((await policy('matrix', '--json')).out) as Record<string, unknown>[];
    expect(cells[0]).toEqual({
      tool: 'whoAmI',
      actions: ['see-clinic'],
      role: 'patient',
      standing: null,
      policy: 'member-sees-clinic',
    });
  });
});
