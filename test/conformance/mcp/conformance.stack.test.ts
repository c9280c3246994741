import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Mount, mountMcp } from '../../conversations/mount.ts';
import { openPeople } from '../../conversations/people.ts';
import { createMemoryStore } from '../../doubles/memory-store.ts';
import { conformanceServer } from './server.ts';

const BIN = join(import.meta.dirname, '../../../node_modules/.bin');
const expectedFailures = (revision: string) => join(import.meta.dirname, `expected-failures-${revision}.yml`);

/** The suite of the protocol's own project against our endpoint. It cannot send a token, so the mount adds one. */
describe('@modelcontextprotocol/conformance', () => {
  let mount: Mount;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'chartseal-conformance-'));
    const people = await openPeople(createMemoryStore());
    mount = await mountMcp(people, { serverFor: conformanceServer, bearerOf: 'john' });
  });
  afterAll(async () => {
    await mount.close();
    rmSync(folder, { recursive: true });
  });
  /** Exit code and everything said. Its results go into a folder of our own. */
  const run = (...args: string[]) =>
    new Promise<{ code: number; said: string }>((resolve) => {
      const all = ['server', '--url', mount.address.href, ...args];
      execFile(join(BIN, 'conformance'), all, { cwd: folder, timeout: 120_000 }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), said: out + err }),
      );
    });

  test.each([
    ['2026-07-28', 50],
    ['2025-11-25', 33],
  ])('what %s requires is done, but for what is listed with its reason', async (revision, scenarios) => {
    const { code, said } = await run(
      ...['--requirements', revision, '--expected-failures', expectedFailures(revision)],
    );
    expect(said).toContain(`Running requirements ${revision} (${scenarios} scenarios)`);
    expect(code, said).toBe(0);
  });

  test('a scenario that fails and is not listed would be seen', async () => {
    const listed = expectedFailures('2026-07-28');
    const scenario = ['--scenario', 'resources-subscribe', '--spec-version', '2025-11-25'];
    const { code } = await run(...scenario, '--expected-failures', listed);
    expect(code).toBe(1);
  });
});

test('every expected failure has its reason above it, and there are no more than these', () => {
  const lines = readFileSync(expectedFailures('2025-11-25'), 'utf8').split('\n');
  const entries = lines.flatMap((line, index) => (line.startsWith('  - ') ? [index] : []));
  expect(entries).toHaveLength(10);
  for (const index of entries) expect(lines[index - 1], lines[index]).toMatch(/^ {2}(?:# .{20}|- )/);
  expect(readFileSync(expectedFailures('2026-07-28'), 'utf8')).toMatch(/^server: \[\]$/m);
});
