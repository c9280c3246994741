import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLocalJWKSet, flattenedVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { members } from '../../src/access/members.ts';
import { eventsOf } from '../../src/audit/log-events.ts';
import { storeSource } from '../../src/audit/store-source.ts';
import type { ComplianceReport } from '../../src/compliance/assess.ts';
import { startStack } from '../../src/dev/stack.ts';
import { ref } from '../../src/kernel/collection.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { STORES } from '../audit/stores.ts';
import { run } from '../cli/run.ts';
import { startTestStack, type TestStack } from '../e2e/stack.ts';

const RIVERSIDE = 'riverside' as TenantId;
/** What a stack on loopback is by its nature, and no deployment may be. */
const DEVELOPMENT = [
  ...[
    'checkpoints-apart',
    'emulators-off',
    'https-origin',
    'journal-apart',
    'key-custody',
    'production-mode',
  ],
];
/** The local stack's synthetic staff and records. */
const SYNTHETIC = ['record-retention', 'staff-second-factor'];

describe.each(STORES)('chartseal compliance report on real %s', (store) => {
  let at: TestStack;
  beforeAll(async () => {
    at = await startTestStack(startStack, { store });
    const john = await at.token('john@example.com');
    await at.call(john, 'getPatient', { sections: ['demographics'] });
  }, 120_000);
  afterAll(async () => await at?.close());

  const report = async () => {
    const folder = join(at.dataDir, 'report');
    const ended = await run(at.dataDir, ['compliance', 'report', '--out', folder, '--json']);
    expect(ended.out, ended.err).not.toBe('');
    return { folder, code: ended.code, report: JSON.parse(ended.out) as ComplianceReport };
  };
  const red = ({ checks }: ComplianceReport) =>
    checks.flatMap(({ id, state }) => (state === 'not-satisfied' ? [id] : [])).sort();

  test('says of a development stack that it is one, and finds the data sealed', async () => {
    const { code, report: made, folder } = await report();
    expect(red(made).filter((id) => id !== 'log-freshness')).toEqual([...DEVELOPMENT, ...SYNTHETIC].sort());
    expect(code).toBe(1);
    const green = made.checks.flatMap(({ id, state }) => (state === 'satisfied' ? [id] : []));
    // As the database and KMS themselves say: rules or row-level security, and the key's own policy.
    expect(green).toEqual(
      expect.arrayContaining(['sealed-values', 'database-closed', 'database-tls', 'database-version']),
    );
    expect(green).toEqual(expect.arrayContaining(['key-policy', 'key-policy-principals', 'key-deletion']));
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('What was checked of riverside');
  });

  test('is signed by the server’s key, and its event names its digest', async () => {
    const { folder } = await report();
    const body = readFileSync(join(folder, 'report.json'));
    const [header = '', , signature = ''] = readFileSync(join(folder, 'report.json.jws'), 'utf8')
      .trim()
      .split('.');
    const jwks = await fetch(`${at.stack.env['CHARTSEAL_ORIGIN']}/oauth/jwks`).then((answer) =>
      answer.json(),
    );
    const verify = (payload: Buffer) =>
      flattenedVerify(
        { protected: header, payload: payload.toString('base64url'), signature },
        createLocalJWKSet(jwks),
      );
    expect((await verify(body)).protectedHeader?.typ).toBe('chartseal-report+jws');
    await expect(verify(Buffer.concat([body, Buffer.from(' ')]))).rejects.toThrow();
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', body)).toString('base64url');
    const ids: unknown[] = [];
    for await (const { entity } of eventsOf(storeSource(at.stack.composed.store.tenant(RIVERSIDE))))
      ids.push(entity?.id);
    expect(ids).toContain(digest);
  });

  test('finds what is planted behind the server’s back', async () => {
    const rows = at.stack.composed.store.tenant(RIVERSIDE);
    const planted = ref(members, 'usr_planted');
    await rows.transact(async (tx) => tx.put(planted, { role: 'patient', patient: 'ana@example.com' }));
    const { report: made } = await report();
    await rows.transact(async (tx) => tx.delete(planted));
    expect(red(made)).toContain('no-plaintext-phi');
    expect(JSON.stringify(made)).not.toContain('ana@');
  });

  test('the policies are written from what the stack is, as files, as pages and as JSON', async () => {
    const folder = join(at.dataDir, 'policies');
    const ended = await run(at.dataDir, ['compliance', 'policies', '--out', folder]);
    expect(ended).toMatchObject({ code: 0, out: expect.stringContaining('key-management.md') });
    expect(readFileSync(join(folder, 'key-management.md'), 'utf8')).toContain('this is a development stack');
    const { out } = await run(at.dataDir, ['compliance', 'policies', '--json']);
    expect((JSON.parse(out) as { id: string }[]).map(({ id }) => id)).toContain('privacy-notice');
    expect((await run(at.dataDir, ['compliance', 'policies', 'more'])).code).toBe(2);
  });

  test('words that make no call are usage', async () => {
    expect((await run(at.dataDir, ['compliance', 'report'])).code).toBe(2);
    const plain = ['compliance', 'report', '--out', 'x', '--url', 'http://chart.example'];
    expect((await run(at.dataDir, plain)).code).toBe(2);
  });
});
