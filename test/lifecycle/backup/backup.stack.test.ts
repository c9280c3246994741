import { cpSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { auditEvents } from '../../../src/audit/append.ts';
import { Outside } from '../../../src/audit/outside.ts';
import { BACKUP_PLAN, KEPT } from '../../../src/backup-plan.ts';
import { tenants } from '../../../src/clinic/clinic.ts';
import { COLLECTIONS } from '../../../src/collections.ts';
import type { PatientRef } from '../../../src/crypto/patient-keys.ts';
import { patientKeyVersions } from '../../../src/crypto/patient-keys.ts';
import { collection, ref } from '../../../src/kernel/collection.ts';
import { SYSTEM_TENANT, type TenantId } from '../../../src/kernel/ids.ts';
import { claimLine, lineOf, rowOf } from '../../../src/lifecycle/backup/lines.ts';
import { backupTenant } from '../../../src/lifecycle/backup/make-backup.ts';
import { lastBackup } from '../../../src/lifecycle/backup/registers.ts';
import { receiptOf } from '../../../src/lifecycle/erasure/erase.ts';
import { memoryOutside } from '../../attacks/audit/scene.ts';
import { at as time } from '../../clinic/house.ts';
import { codeOfAsync } from '../../crypto/code-of.ts';
import { createMemoryStore, type MemoryStore } from '../../doubles/memory-store.ts';
import { openPrivacy, PLANTED, watchCommits } from '../house.ts';
import { backUp, openRestore, tempFolder } from './house.ts';

let store: MemoryStore;
let outside: Outside;
let at: Awaited<ReturnType<typeof openPrivacy>>;
let of: PatientRef;
beforeEach(async () => {
  store = createMemoryStore();
  outside = new Outside(memoryOutside());
  at = await openPrivacy(store, { outside });
  of = await at.plant();
});

const DAY = { from: time('2026-12-08T00:00'), to: time('2026-12-09T00:00') };
const RESOURCES = ['dr', 'dr--2', 'nurse', 'room--r1'];
/** Everything that a backup keeps, as the store has it. */
const keptRows = (from: MemoryStore, tenant: TenantId) =>
  [...(from.rows.get(tenant) ?? [])]
    .filter(([id]) => (KEPT[id.split('/')[0] ?? ''] ?? 'never') !== 'never')
    .sort(([a], [b]) => (a < b ? -1 : 1));
const named = (from: MemoryStore, tenant: TenantId, { patient }: PatientRef) =>
  [...(from.rows.get(tenant) ?? [])]
    .map(([id, row]) => `${id} ${JSON.stringify(row)}`)
    .filter((row) => row.includes(patient))
    .map((row) => row.split('/')[0]);
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((one) =>
    one.isDirectory() ? filesIn(join(folder, one.name)) : [join(folder, one.name)],
  );

describe('a backup', () => {
  test('every collection says where its rows go, and the plan names no other', () => {
    expect(Object.keys(KEPT).sort()).toEqual(COLLECTIONS.map(({ name }) => name).sort());
    for (const { name, columns } of COLLECTIONS)
      expect(KEPT[name] === 'keys' || !('wrapped' in columns), name).toBe(true);
  });

  test('holds nothing in clear, keeps wrapped keys apart, and is for its owner alone', async () => {
    const { to, rows } = await backUp(store, at.tenant);
    expect(rows.data).toBeGreaterThan(20);
    const files = filesIn(to);
    const text = files.map((file) => readFileSync(file, 'utf8')).join('\n');
    for (const planted of PLANTED) expect(text).not.toContain(planted);
    const [key] = await at.reader.get(ref(patientKeyVersions, `${of.patient}_1`));
    const wrapped = Buffer.from(key?.wrapped ?? []).toString('base64');
    const holding = files.filter((file) => readFileSync(file, 'utf8').includes(wrapped));
    expect(holding).toEqual([join(to, 'keys', 'patientKeyVersions.ndjson')]);
    for (const file of files) expect(statSync(file).mode & 0o077).toBe(0);
    for (const name of ['consoleSessions', 'oauthGrants', 'jobs', 'emergencyGrants'])
      expect(files.filter((file) => file.includes(name))).toEqual([]);
  });

  test('is noted, in the log before and after, and for whoever asks when the last one was', async () => {
    expect(await lastBackup(store, at.tenant)).toBeNull();
    const { backup, rows, logSize } = await backUp(store, at.tenant);
    const sum = rows.data + rows.keys + rows.log;
    expect(await lastBackup(store, at.tenant)).toMatchObject({ backup, rows: sum, logSize });
    const told = (await at.events()).filter(({ entity }) => entity?.resource === 'Backup');
    expect(told.map(({ operation }) => operation).sort()).toEqual(['backupTenant', 'beginBackup']);
    expect(told.every(({ entity }) => entity?.id === backup)).toBe(true);
  });

  test('goes into an empty folder only, and of a tenant that there is', async () => {
    const folder = tempFolder();
    const { to } = await backUp(store, at.tenant);
    cpSync(to, join(folder, 'x'), { recursive: true });
    const audit = at.audit;
    const house = { store, audit, clock: Date.now, outside, plan: BACKUP_PLAN };
    const by = { user: 'u', client: 'c' };
    expect(await codeOfAsync(backupTenant(house, at.tenant, { to: folder, by }))).toBe('BACKUP_THERE');
    const nobody = backupTenant(house, 'nobody' as TenantId, { to: join(folder, 'y'), by });
    expect(await codeOfAsync(nobody)).toBe('TENANT_UNKNOWN');
  });

  test('shows one moment, whatever is written while it is made', async () => {
    const before = keptRows(store, at.tenant).length;
    let busy = true;
    const traffic = (async () => {
      for (let day = 9; busy && day < 29; day += 1) {
        await at.book(of, at.slot(`2026-12-${String(day).padStart(2, '0')}T09:00`));
        await sleep(3);
      }
      while (busy) await at.imported();
    })();
    const { to, rows } = await backUp(store, at.tenant);
    busy = false;
    await traffic;
    // One event, of the beginning, comes before that moment.
    const claims = readFileSync(join(to, 'data', 'timeClaims.ndjson'), 'utf8')
      .trim()
      .split('\n').length;
    const registry = 1;
    const there = rows.data + rows.keys + rows.log - claims - registry;
    expect(there).toBeGreaterThanOrEqual(before);
    expect(keptRows(store, at.tenant).length).toBeGreaterThan(there);
    const other = createMemoryStore();
    const back = openRestore(other, { outside });
    expect(await back.restore(at.tenant, to)).toMatchObject({ keyless: 0 });
    const charts = keptRows(other, at.tenant).filter(([id]) => id.startsWith('manifests/'));
    // A value that is not of its manifest's moment would be refused.
    for (const [id] of charts) {
      const patient = id.slice('manifests/'.length) as PatientRef['patient'];
      const open = await back.charts.read({ tenant: at.tenant, patient }, []);
      expect(open?.chart.names().length).toBeGreaterThan(3);
    }
  });

  test('the form of its lines and of its manifest is pinned', async () => {
    const all = collection('x', {
      a: 'text',
      b: 'integer?',
      c: 'bytes',
      d: 'json',
      e: 'instant',
      f: 'boolean',
    });
    const row = { a: 'é', b: null, c: Uint8Array.of(0, 255), d: { z: [1] }, e: 1_700_000_000_000, f: true };
    const line = '{"id":"i","row":{"a":"é","b":null,"c":"AP8=","d":{"z":[1]},"e":1700000000000,"f":true}}\n';
    expect(lineOf(all, { id: 'i', row })).toBe(line);
    expect(rowOf(all, line)).toEqual({ id: 'i', row });
    expect(claimLine({ resource: 'dr', booking: 'bk', from: 1, to: 2 })).toBe(
      '{"resource":"dr","booking":"bk","from":1,"to":2}\n',
    );
    const { to, backup } = await backUp(store, at.tenant);
    const manifest = JSON.parse(readFileSync(join(to, 'data', 'manifest.json'), 'utf8')) as object;
    expect(manifest).toEqual({
      format: 'chartseal-backup',
      version: 1,
      set: 'data',
      backup,
      tenant: at.tenant,
      store: 'postgres',
      takenAt: expect.any(Number),
      logSize: 0,
      checkpoint: null,
      parts: expect.arrayContaining([
        {
          name: 'tombstones',
          columns: { request: 'text', erasedAt: 'instant' },
          rows: 0,
          bytes: 0,
          sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
        },
      ]),
    });
  });
});

describe('a restore', () => {
  test('puts every row back as it was, and every taken time; every chart opens, every visit is there', async () => {
    const other = await at.imported();
    const [before, times] = [keptRows(store, at.tenant), await at.reader.busy(RESOURCES, DAY)];
    const { to } = await backUp(store, at.tenant);
    const target = createMemoryStore();
    const there = openRestore(target, { outside });
    const restored = await there.restore(at.tenant, to);
    expect(restored).toMatchObject({ tombstones: 0, erasedAgain: 0, keyless: 0 });
    // The events of the backup's beginning and of the restore's end are new.
    const after = keptRows(target, at.tenant).filter(([id]) => before.some(([was]) => was === id));
    expect(after).toEqual(before);
    expect(times.length).toBeGreaterThan(0);
    expect(await target.tenant(at.tenant).busy(RESOURCES, DAY)).toEqual(times);
    expect((await there.charts.read(other, []))?.chart.names()).toHaveLength(4);
    expect((await there.visits.all(of))?.visits).toEqual(await at.visits(of));
    const [registry] = await target.tenant(SYSTEM_TENANT).get(ref(tenants, at.tenant));
    expect(registry).toEqual((await store.tenant(SYSTEM_TENANT).get(ref(tenants, at.tenant)))[0]);
    const events = await target.tenant(at.tenant).list(auditEvents, { limit: 1_000 });
    const told = events.map(
      ({ row }) => JSON.parse(Buffer.from(row.leaf).toString()) as { operation: string },
    );
    expect(told.filter(({ operation }) => operation === 'restoreTenant')).toHaveLength(1);
  });

  test('takes keys and log from elsewhere, never older ones than the data', async () => {
    const first = await backUp(store, at.tenant);
    const newcomer = await at.imported();
    await sleep(2);
    const second = await backUp(store, at.tenant);
    const target = createMemoryStore();
    const there = openRestore(target, { outside });
    const older = { keys: join(first.to, 'keys') };
    expect(await codeOfAsync(there.restore(at.tenant, second.to, older))).toBe('BACKUP_SETS');
    expect([...target.rows.values()].flatMap((rows) => [...rows])).toEqual([]);
    const later = { keys: join(second.to, 'keys'), log: join(second.to, 'log') };
    expect(await there.restore(at.tenant, first.to, later)).toMatchObject({ keyless: 0 });
    expect((await there.visits.all(of))?.visits).toHaveLength(2);
    // Who came after the data has a key and no chart: that is said, not passed over.
    expect(await codeOfAsync(there.charts.read(newcomer, []))).toBe('ROLLBACK');
  });

  test('whoever was erased since does not come back: no row, no key, no index entry, and their times are free', async () => {
    const { to } = await backUp(store, at.tenant, { outside });
    const id = await at.approved(of);
    await at.round();
    expect((await receiptOf(store, { of, request: id }))?.logicalAt).not.toBeNull();
    const target = createMemoryStore();
    const there = openRestore(target, { outside });
    const seen: (string | undefined)[] = [];
    const watched = watchCommits(target, {
      after: () => {
        const [key] = [...(target.rows.get(at.tenant) ?? [])].filter(
          ([row]) => row === `patientKeys/${of.patient}`,
        );
        if (key !== undefined) seen.push((key[1] as { state?: string }).state);
      },
    });
    expect(await openRestore(watched, { outside }).restore(at.tenant, to)).toMatchObject({
      ...{ tombstones: 1, erasedAgain: 1, keyless: 0 },
    });
    // From its first moment in the store on it is barred.
    expect(new Set(seen)).toEqual(new Set(['erasing']));
    expect(named(target, at.tenant, of)).toEqual(['tombstones']);
    expect(await there.charts.read(of, [])).toBeNull();
    expect(await target.tenant(at.tenant).busy(RESOURCES, DAY)).toEqual([]);
  });

  test('an old backup beside the keys of today cannot open the chart of whoever was erased since', async () => {
    const other = await at.imported();
    const { to } = await backUp(store, at.tenant);
    await at.approved(of);
    await at.round();
    const today = await backUp(store, at.tenant);
    const target = createMemoryStore();
    // Even where no tombstone is known.
    const there = openRestore(target, { outside: null });
    expect(await there.restore(at.tenant, to, { keys: join(today.to, 'keys') })).toMatchObject({
      keyless: 1,
    });
    expect(await there.charts.read(of, [])).toBeNull();
    expect((await there.charts.read(other, []))?.chart.names()).toHaveLength(4);
  });

  test('killed after any number of commits and run again, it ends the same; once finished it changes nothing', async () => {
    await at.imported();
    const { to } = await backUp(store, at.tenant);
    await at.approved(of);
    await at.round();
    const rowsOf = (from: MemoryStore) =>
      keptRows(from, at.tenant)
        .filter(([id]) => !/^audit(Events|Pending)/.test(id))
        .map(([id, row]) => `${id} ${JSON.stringify(row)}`);
    const whole = createMemoryStore();
    await openRestore(whole, { outside }).restore(at.tenant, to);
    let lives = 0;
    for (let commits = 1, died = true; died; commits += 7) {
      const target = createMemoryStore();
      const mortal = watchCommits(target, {
        before: (count) => {
          if (count > commits) throw new Error('killed');
        },
      });
      died = await openRestore(mortal, { outside })
        .restore(at.tenant, to)
        .then(
          () => false,
          () => true,
        );
      await openRestore(target, { outside }).restore(at.tenant, to);
      expect(rowsOf(target)).toEqual(rowsOf(whole));
      expect(await target.tenant(at.tenant).busy(RESOURCES, DAY)).toEqual([]);
      const finished = [...(target.rows.get(at.tenant) ?? [])].map(([id, row]) => [id, row]);
      await openRestore(target, { outside }).restore(at.tenant, to);
      expect([...(target.rows.get(at.tenant) ?? [])]).toEqual(finished);
      lives += 1;
    }
    expect(lives).toBeGreaterThan(3);
  });

  test('never writes over a tenant that is there, or half of another restore', async () => {
    const first = await backUp(store, at.tenant);
    expect(await codeOfAsync(openRestore(store, { outside }).restore(at.tenant, first.to))).toBe(
      'RESTORE_NOT_EMPTY',
    );
    const second = await backUp(store, at.tenant);
    const target = createMemoryStore();
    const there = openRestore(target, { outside });
    await there.restore(at.tenant, first.to);
    expect(await codeOfAsync(there.restore(at.tenant, second.to))).toBe('RESTORE_NOT_EMPTY');
  });
});
