import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Outside } from '../../../src/audit/outside.ts';
import { BACKUP_PLAN } from '../../../src/backup-plan.ts';
import { checkBackup, foldersIn } from '../../../src/lifecycle/backup/check-backup.ts';
import { readyFor } from '../../../src/lifecycle/backup/restore.ts';
import { memoryOutside } from '../../attacks/audit/scene.ts';
import { codeOfAsync } from '../../crypto/code-of.ts';
import { createMemoryStore } from '../../doubles/memory-store.ts';
import { openPrivacy } from '../house.ts';
import { backUp, openRestore, tempFolder } from './house.ts';

const store = createMemoryStore();
const outside = new Outside(memoryOutside());
let at: Awaited<ReturnType<typeof openPrivacy>>;
let folder: string;
let whole: string;
beforeAll(async () => {
  at = await openPrivacy(store, { outside });
  await at.plant();
  folder = await mkdtemp(join(tmpdir(), 'chartseal-backup-'));
  whole = join(folder, 'whole');
  await backUp(store, at.tenant, { to: whole });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('what is no whole backup of the tenant is refused, and nothing is written', () => {
  const refused = async (spoil: (to: string) => void): Promise<string> => {
    const to = join(tempFolder(), 'backup');
    cpSync(whole, to, { recursive: true });
    await spoil(to);
    const target = createMemoryStore();
    const code = await codeOfAsync(openRestore(target, { outside }).restore(at.tenant, to));
    expect([...target.rows.values()].flatMap((rows) => [...rows])).toEqual([]);
    return String(code);
  };
  const manifestOf = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;

  test('a flipped byte', async () => {
    const code = await refused((to) => {
      const file = join(to, 'data', 'chartValues.ndjson');
      const bytes = readFileSync(file);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      writeFileSync(file, bytes);
    });
    expect(code).toBe('BACKUP_PART');
  });

  test('a missing part', async () => {
    expect(await refused((to) => rmSync(join(to, 'keys', 'patientKeys.ndjson')))).toBe('BACKUP_PART');
  });

  test('two parts that were swapped', async () => {
    const code = await refused((to) => {
      const [a, b, c] = ['manifests', 'chartValues', 'x'].map((name) =>
        join(to, 'data', `${name}.ndjson`),
      ) as [...[string, string, string]];
      renameSync(a, c);
      renameSync(b, a);
      renameSync(c, b);
    });
    expect(code).toBe('BACKUP_PART');
  });

  test('a part of another tenant, a set of another tenant', async () => {
    const neighbour = await openPrivacy(store, { outside });
    await neighbour.plant();
    const theirs = await backUp(store, neighbour.tenant);
    const part = await refused((to) =>
      cpSync(join(theirs.to, 'data', 'members.ndjson'), join(to, 'data', 'members.ndjson')),
    );
    const set = await refused((to) => {
      rmSync(join(to, 'keys'), { recursive: true });
      cpSync(join(theirs.to, 'keys'), join(to, 'keys'), { recursive: true });
    });
    expect([part, set]).toEqual(['BACKUP_PART', 'BACKUP_TENANT']);
  });

  test('another version, another set in its place, no manifest', async () => {
    const edited = (change: object) => (to: string) => {
      const file = join(to, 'log', 'manifest.json');
      writeFileSync(file, JSON.stringify({ ...manifestOf(file), ...change }));
    };
    expect(await refused(edited({ version: 2 }))).toBe('BACKUP_FORMAT');
    expect(await refused(edited({ set: 'data' }))).toBe('BACKUP_FORMAT');
    expect(await refused((to) => rmSync(join(to, 'data', 'manifest.json')))).toBe('BACKUP_FORMAT');
  });

  test('a part of a collection that belongs into no backup, or with columns that are not ours', async () => {
    const change = (edit: (part: { name: string; columns: object }) => void) => (to: string) => {
      const file = join(to, 'data', 'manifest.json');
      const manifest = manifestOf(file) as { parts: { name: string; columns: object }[] };
      for (const part of manifest.parts) edit(part);
      writeFileSync(file, JSON.stringify(manifest));
    };
    const renamed = change((part) => {
      if (part.name === 'tombstones') part.name = 'consoleSessions';
    });
    const another = change((part) => {
      if (part.name === 'tombstones') part.columns = { request: 'integer' };
    });
    expect(await refused(renamed)).toBe('BACKUP_ROWS');
    expect(await refused(another)).toBe('BACKUP_ROWS');
  });

  test('a dry run finds the same, and that the store is ready', async () => {
    const checked = await checkBackup(BACKUP_PLAN, at.tenant, foldersIn(whole));
    const target = createMemoryStore();
    expect(await readyFor(target, BACKUP_PLAN, at.tenant, checked)).toBeNull();
    expect([...target.rows.values()].flatMap((rows) => [...rows])).toEqual([]);
    expect(await codeOfAsync(readyFor(store, BACKUP_PLAN, at.tenant, checked))).toBe('RESTORE_NOT_EMPTY');
  });
});
