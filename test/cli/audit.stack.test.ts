import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { members } from '../../src/access/members.ts';
import { auditEvents, auditPending } from '../../src/audit/append.ts';
import { leafOf } from '../../src/audit/event.ts';
import type { ReportTable } from '../../src/audit/reports/report-table.ts';
import { sequenceAll } from '../../src/audit/sequencer.ts';
import type { Report } from '../../src/audit/verify/report.ts';
import { openOwnerStore } from '../../src/dev/owner-store.ts';
import { startStack } from '../../src/dev/stack.ts';
import { ref } from '../../src/kernel/collection.ts';
import { randomId, type TenantId } from '../../src/kernel/ids.ts';
import type { Store } from '../../src/kernel/store.ts';
import { STORES } from '../audit/stores.ts';
import { logOf } from '../doubles/audit-log.ts';
import { startTestStack, type TestStack } from '../e2e/stack.ts';
import { run } from './run.ts';

const RIVERSIDE = 'riverside' as TenantId;
/** A process that has no network: in a namespace of its own where the machine allows it, else with sockets taken away. */
const NO_NETWORK = `import net from 'node:net'; net.Socket.prototype.connect = () => { throw new Error('no network'); }; globalThis.fetch = undefined;`;
const canUnshare = spawnSync('unshare', ['-rn', 'true']).status === 0;

function offline(folder: string, args: readonly string[] = []) {
  const preload = join(folder, '..', 'no-network.mjs');
  writeFileSync(preload, NO_NETWORK);
  const node = [process.execPath, '--import', preload, join(folder, 'verify.mjs'), ...args];
  const [command = '', ...rest] = canUnshare ? ['unshare', '-rn', ...node] : node;
  const { status, stdout, stderr } = spawnSync(command, rest, {
    encoding: 'utf8',
    timeout: 30_000,
    cwd: '/',
  });
  return { code: status, out: stdout, err: stderr };
}

describe.each(STORES)('chartseal audit on real %s', (store) => {
  let at: TestStack;
  let owner: Store;
  beforeAll(async () => {
    at = await startTestStack(startStack, { store });
    owner = openOwnerStore(at.stack.env);
    const john = await at.token('john@example.com');
    for (let n = 0; n < 3; n += 1) await at.call(john, 'getPatient', { sections: ['demographics'] });
    await settle();
  }, 120_000);
  afterAll(async () => {
    await owner?.close();
    await at?.close();
  });

  const rows = () => at.stack.composed.store.tenant(RIVERSIDE);
  /** What the loop of the stack does within a minute. */
  const settle = async () => {
    await sequenceAll(at.stack.composed.store, RIVERSIDE, { paceMs: 0 });
    for (let tries = 0; tries < 100; tries += 1) {
      const published = await at.stack.composed.proof?.checkpoints.publish(RIVERSIDE).catch(() => null);
      if (published != null) return;
      await sleep(200);
    }
    throw new Error('nothing was published');
  };
  const verify = (...args: string[]) => run(at.dataDir, ['audit', 'verify', ...args]);
  const files = () => [
    '--journal',
    join(at.dataDir, 'journal.ndjson'),
    '--cloudtrail',
    join(at.dataDir, 'kms-trail.ndjson'),
  ];

  test('verifies the log against journal, CloudTrail and store, and keeps the checkpoint', async () => {
    const mine = join(at.dataDir, 'mine');
    const { code, out, err } = await verify(...files(), '--save', mine);
    expect(err).toBe('');
    expect(out).toMatch(/completeness {2}ok/);
    expect(out).toMatch(/store {9}ok/);
    expect(out).toMatch(/keyUse {8}ok/);
    expect(code).toBe(0);
    const again = await verify('--checkpoint', mine, '--json');
    const report = JSON.parse(again.out) as Report;
    expect(report.verdicts.map(({ state }) => state)).toEqual([
      'pass',
      'pass',
      'pass',
      'pass',
      'pass',
      'pass',
      'skipped',
    ]);
    expect(again.code).toBe(0);
  });

  test('an evidence bundle verifies itself on a machine without network, and shows what was altered', async () => {
    await settle();
    const folder = join(at.dataDir, 'bundle');
    const exported = await run(at.dataDir, ['audit', 'export', '--format', 'bundle', '--out', folder]);
    expect(exported.err.replace(/^\{.*\}$/gm, '').trim()).toBe('');
    expect(exported.code).toBe(0);
    expect(readdirSync(folder)).toEqual(
      expect.arrayContaining(['checkpoint', 'keys.txt', 'leaves.ndjson', 'tile', 'verify.mjs']),
    );
    const whole = offline(folder);
    expect(whole.err).toBe('');
    expect(whole.out).toMatch(/inclusion {5}ok/);
    expect(whole.code).toBe(0);
    const leaves = join(folder, 'leaves.ndjson');
    writeFileSync(leaves, readFileSync(leaves, 'utf8').replace('getPatient', 'getpatient'));
    const altered = offline(folder, ['--json']);
    expect(altered.code).toBe(1);
    expect((JSON.parse(altered.out) as Report).verdicts[0]).toMatchObject({
      state: 'fail',
      findings: [{ code: 'LEAF_CHANGED' }],
    });
    rmSync(folder, { recursive: true });
  });

  test('exports the events as CSV, NDJSON and FHIR, and logs that it did', async () => {
    for (const format of ['csv', 'ndjson', 'fhir', 'cef']) {
      const path = join(at.dataDir, `log.${format}`);
      const { code } = await run(at.dataDir, ['audit', 'export', '--format', format, '--out', path]);
      expect(code).toBe(0);
      expect(readFileSync(path, 'utf8')).toContain('audit export');
      const again = await run(at.dataDir, ['audit', 'export', '--format', format, '--out', path]);
      expect(again).toMatchObject({ code: 2 });
    }
  });

  test('reports who opened a chart and what was disclosed, by handle or alias, and logs that it did', async () => {
    const [john] = await rows().get(ref(members, 'usr_john'));
    const handle = john?.patient ?? '';
    const opened = await run(at.dataDir, ['audit', 'report', 'access', '--patient', handle, '--json']);
    expect(opened.code).toBe(0);
    const report = JSON.parse(opened.out) as ReportTable;
    expect(report.rows.filter((row) => row[4] === 'getPatient').length).toBeGreaterThanOrEqual(3);
    const none = await run(at.dataDir, ['audit', 'disclosures', handle]);
    expect([none.code, none.out]).toEqual([0, expect.stringContaining('Accounting of disclosures of pa_')]);
    const users = await run(at.dataDir, ['audit', 'report', 'users']);
    expect(users.out).toMatch(/usr_john +(none, )?patient/);
    expect(users.out).toContain('operator');
    expect(await run(at.dataDir, ['audit', 'report', 'access'])).toMatchObject({ code: 2 });
    expect(await run(at.dataDir, ['audit', 'disclosures', 'pat_nobody'])).toMatchObject({ code: 2 });
    expect(await run(at.dataDir, ['audit', 'report', 'gossip'])).toMatchObject({ code: 2 });
  });

  test('an edited event turns the verdict and the exit code', async () => {
    await settle();
    const [first] = (await rows().list(auditEvents, { limit: 1 })) ?? [];
    const before = first?.row ?? { leaf: new Uint8Array() };
    const event = JSON.parse(Buffer.from(before.leaf).toString());
    const at0 = ref(auditEvents, first?.id ?? '');
    const edited = { leaf: leafOf({ ...event, operation: 'somethingElse' }) };
    await owner.tenant(RIVERSIDE).transact(async (tx) => tx.put(at0, edited));
    const { code, out } = await verify();
    expect(out).toMatch(/inclusion {5}FAIL {9}LEAF_CHANGED/);
    expect(code).toBe(1);
    await owner.tenant(RIVERSIDE).transact(async (tx) => tx.put(at0, before));
    expect((await verify()).code).toBe(0);
  });

  test('cuts what is over ten years old, and nothing else; what is left still proves', async () => {
    const old = randomId('t') as TenantId;
    const { composed } = at.stack;
    const elevenYearsAgo = Date.now() - 11 * 366 * 86_400_000;
    const log = logOf(composed.store, () => elevenYearsAgo);
    const entry = { action: 'R', operation: 'getPatient', outcome: '0' } as const;
    const actor = { user: 'usr_1', role: 'clinician', client: 'c' };
    for (let n = 0; n < 3; n += 1)
      await log.append(old, { ...entry, actor, purposeOfUse: 'TREAT', policy: 'care-team' });
    await sequenceAll(composed.store, old, { paceMs: 0 });
    const cut = async (...more: string[]) => run(at.dataDir, ['audit', 'cut', '--tenant', old, ...more]);
    expect(await cut('--years', '5')).toMatchObject({ code: 1, err: expect.stringContaining('(RETENTION)') });
    expect(await cut('--dry-run')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^3 events are older/),
    });
    expect(await cut('--years', '12')).toMatchObject({
      out: 'No event is older than 12 years. Nothing was cut.\n',
    });
    expect(JSON.parse((await cut('--json')).out)).toMatchObject({ years: 10, upTo: 3, deleted: 3 });
    expect((await cut()).out).toMatch(/^No event is older than 10 years/);
    const [event] = await composed.store.tenant(old).list(auditEvents, { limit: 10 });
    expect(Buffer.from(event?.row.leaf ?? []).toString('utf8')).toContain('"id":"leaves-0-3"');
  });

  test('words that do not make a call are said to be so', async () => {
    expect((await verify('--checkpoint', '/nowhere')).code).toBe(2);
    expect((await run(at.dataDir, ['audit', 'export', '--format', 'xml', '--out', '/tmp/x'])).code).toBe(2);
  });

  test('the stack sequences by itself', async () => {
    const john = await at.token('john@example.com');
    await at.call(john, 'whoAmI');
    for (let tries = 0; tries < 100; tries += 1) {
      if ((await rows().list(auditPending, { limit: 1 })).length === 0) return;
      await sleep(100);
    }
    throw new Error('events stayed pending');
  });
});
