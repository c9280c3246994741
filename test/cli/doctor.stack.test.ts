import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditEvents } from '../../src/audit/append.ts';
import type { Examination } from '../../src/dev/doctor/examine.ts';
import { startStack } from '../../src/dev/stack.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { openFolder, startTestStack, type TestStack } from '../e2e/stack.ts';
import { run } from './run.ts';

describe('with a local stack', () => {
  let at: TestStack;
  beforeAll(async () => {
    at = await startTestStack(startStack, { store: 'postgres' });
  });
  afterAll(async () => at?.close());
  const doctor = async (...args: string[]) => {
    const ended = await run(at.dataDir, ['doctor', ...args, '--json']);
    return { ...ended, found: JSON.parse(ended.out) as Examination };
  };

  test('doctor finds nothing wrong with it, and leaves nothing unchecked that it can check', async () => {
    const { code, found } = await doctor(`${at.stack.origin}/mcp`, '--as', 'john@example.com');
    const notPassed = found.findings.filter(({ outcome }) => outcome !== 'pass');
    expect(notPassed.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
    expect(found.findings.length).toBeGreaterThanOrEqual(40);
    expect(code).toBe(0);
  });

  test('doctor finds the slash that was typed too much, with the cure in one line', async () => {
    const ended = await run(at.dataDir, ['doctor', `${at.stack.origin}/mcp/`]);
    expect(ended.code).toBe(1);
    expect(ended.out).toMatch(
      /✗ resource equals the address that people type .* or type what it says\. \(resource-exact\)/,
    );
  });

  test('doctor without an address says of a local stack why it is no production', async () => {
    const { code, out } = await run(at.dataDir, ['doctor', '--json']);
    const { findings } = JSON.parse(out) as { findings: { id: string; outcome: string }[] };
    expect(code).toBe(1);
    expect(findings.filter(({ outcome }) => outcome === 'fail').map(({ id }) => id)).toEqual(
      expect.arrayContaining(['no-emulators', 'no-kms-emulator', 'https-origin', 'journal', 'configuration']),
    );
  });

  test('doctor says 3 where nobody answers, 2 without a whole address, and signs in at no other place', async () => {
    expect((await doctor('http://127.0.0.1:9/mcp')).code).toBe(3);
    expect((await run(at.dataDir, ['doctor', 'clinic.example'])).code).toBe(2);
    expect(
      (await run(at.dataDir, ['doctor', 'https://stranger.example/mcp', '--as', 'john@example.com'])).code,
    ).toBe(2);
  });

  test('token says who there is when nobody signs in by that address', async () => {
    const ended = await run(at.dataDir, ['token', '--as', 'nobody@example.com']);
    expect([ended.code, ended.out]).toEqual([1, '']);
    expect(ended.err).toMatch(/knows john@example\.com, .*\(NO_SIGN_IN\)\n$/);
  });

  test('token says that a role has no use for tools, and the log does not say that the person refused', async () => {
    const ended = await run(at.dataDir, ['token', '--as', 'auditor@example.com', '--scope', 'chart.read']);
    expect([ended.code, ended.out]).toEqual([1, '']);
    expect(ended.err).toMatch(/open to this person's role.*\(NO_GRANT\)\n$/);
    const tenant = at.stack.composed.store.tenant('riverside' as TenantId);
    const leaves = await tenant.list(auditEvents, { limit: 1_000 });
    const texts = leaves.map(({ row }) => Buffer.from(row.leaf).toString('utf8'));
    const denied = texts.filter((text) => text.includes('"operation":"consent-denied"'));
    expect(denied.map((text) => JSON.parse(text).reason)).toEqual(['NOTHING_TO_GRANT']);
  });

  test('token goes through the real flow, for the scope that was asked', async () => {
    const all = await run(at.dataDir, ['token', '--as', 'john@example.com']);
    expect(all.code).toBe(0);
    expect(decodeJwt(all.out.trim())).toMatchObject({ sub: 'usr_john', aud: `${at.stack.origin}/mcp` });
    const narrow = await run(at.dataDir, [
      'token',
      '--as',
      'john@example.com',
      '--scope',
      'patient/Patient.rs',
      '--json',
    ]);
    const answer = JSON.parse(narrow.out) as { access_token: string; scope: string };
    expect(answer.scope).toBe('patient/Patient.rs');
    expect(decodeJwt(answer.access_token)['scope']).toBe('patient/Patient.rs');
  });

  test('token of somebody who is not there, or for no known scope, is no token', async () => {
    for (const args of [['nobody@example.com'], ['john@example.com', '--scope', 'everything']]) {
      const ended = await run(at.dataDir, ['token', '--as', ...args]);
      expect(ended.code).not.toBe(0);
      expect(ended.out).toBe('');
    }
  });
});

test('token refuses where no local stack runs', async () => {
  const ended = await run(openFolder(), ['token', '--as', 'john@example.com']);
  expect(ended.code).toBe(1);
  expect(ended.err).toContain('NO_STACK');
});
