import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startStack } from '../../src/dev/stack.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { openPostgresStore } from '../../src/storage/postgres/open-store.ts';
import { startTestStack, type TestStack } from '../e2e/stack.ts';
import { destroyTenant } from '../lifecycle/backup/house.ts';
import { run } from './run.ts';

const LAKESIDE = 'lakeside' as TenantId;

describe('chartseal backup and restore, on the local stack', () => {
  let at: TestStack;
  let folder: string;
  beforeAll(async () => {
    at = await startTestStack(startStack, { store: 'postgres' });
    folder = join(at.dataDir, 'backup');
  }, 120_000);
  afterAll(async () => at?.close());
  const chartseal = (...words: string[]) => run(at.dataDir, [...words, '--tenant', LAKESIDE]);
  const json = async (...words: string[]) => {
    const { code, out, err } = await chartseal(...words, '--json');
    return { code, err, said: JSON.parse(out) as Record<string, unknown> };
  };

  test('backup writes three sets and says so, for people and for programs', async () => {
    const made = await json('backup', folder);
    expect(made.code, made.err).toBe(0);
    expect(made.said).toMatchObject({ tenant: 'lakeside', rows: { data: expect.any(Number) } });
    expect(readdirSync(folder).sort()).toEqual(['data', 'keys', 'log']);
    const again = await chartseal('backup', folder);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('(BACKUP_THERE)')]);
    const people = await chartseal('backup', `${folder}-2`);
    expect(people.out).toContain('Every part was read again.');
  }, 60_000);

  test('restore refuses a tenant that is there, also as a dry run; a word too few exits 2', async () => {
    for (const more of [[], ['--dry-run']]) {
      const { code, err } = await chartseal('restore', folder, ...more);
      expect([code, err]).toEqual([1, expect.stringContaining('(RESTORE_NOT_EMPTY)')]);
    }
    expect((await chartseal('restore')).code).toBe(2);
    expect((await chartseal('backup')).code).toBe(2);
  }, 60_000);

  test('a tenant that is lost is put back, and what is there then is verified', async () => {
    const owner = openPostgresStore({ connectionString: at.stack.env['CHARTSEAL_DATABASE_OWNER_URL'] ?? '' });
    await destroyTenant(owner, LAKESIDE);
    await owner.close();
    const { CHARTSEAL_CHECKPOINTS: _outside, ...env } = at.stack.env as Record<string, string>;
    const barred = await run(at.dataDir, ['restore', folder, '--tenant', LAKESIDE], env);
    expect([barred.code, barred.err]).toEqual([1, expect.stringContaining('(RESTORE_OUTSIDE)')]);
    const dry = await json('restore', folder, '--dry-run');
    expect([dry.code, dry.said]).toMatchObject([0, { dryRun: true, rows: expect.any(Number) }]);
    const { code, said, err } = await json('restore', folder);
    expect(said, err).toMatchObject({ tenant: 'lakeside', erasedAgain: 0, keyless: 0 });
    const report = said['report'] as { verdicts: { name: string; state: string }[] };
    const states = Object.fromEntries(report.verdicts.map(({ name, state }) => [name, state]));
    expect([code, states]).toMatchObject([expect.any(Number), { store: 'pass', signature: 'pass' }]);
  }, 60_000);
});
