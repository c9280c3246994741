import { DisableKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findClinic } from '../../src/clinic/clinic.ts';
import { startStack } from '../../src/dev/stack.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { codeOf, startTestStack, type TestStack, textOf } from '../e2e/stack.ts';
import { run } from './run.ts';

const RIVERSIDE = 'riverside' as TenantId;

describe('chartseal keys and tenant create, on the local stack', () => {
  let at: TestStack;
  beforeAll(async () => {
    at = await startTestStack(startStack, { store: 'postgres' });
  }, 120_000);
  afterAll(async () => at?.close());
  const json = async (...words: string[]) => {
    const { code, out, err } = await run(at.dataDir, [...words, '--json']);
    return { code, err, said: JSON.parse(out) as Record<string, unknown> };
  };

  test('status shows versions, ages, what is due and the last jobs, for people and for programs', async () => {
    const { code, out } = await run(at.dataDir, ['keys', 'status']);
    expect(code).toBe(0);
    for (const words of [
      'at version 1',
      'next due',
      'UTC',
      'wraps by its newest generation  yes',
      'Last jobs',
    ])
      expect(out).toContain(words);
    expect((await json('keys', 'status')).said).toMatchObject({
      tenant: 'riverside',
      wrappingKey: { problem: null, isCurrent: true },
      patients: { seen: 3, versions: { 1: 3 }, rotating: 0 },
      index: { version: 1, isRotating: false },
    });
  }, 30_000);

  test('a dry run counts, then rotate does it at all three levels and exits 0 with the proofs', async () => {
    const dry = await json('keys', 'rotate', '--dry-run');
    expect(dry.said).toMatchObject({ dryRun: true, jobs: [{ left: 5 }, { left: 3 }, { left: 3 }] });
    expect((await json('keys', 'status')).said).toMatchObject({ patients: { versions: { 1: 3 } }, jobs: [] });
    const done = await json('keys', 'rotate', '--rate', '500');
    expect(done.code).toBe(0);
    expect(done.said['jobs']).toMatchObject(
      ['rewrap', 'reencrypt', 'reindex'].map((kind) => ({ kind, state: 'done', left: 0, setAside: [] })),
    );
    expect(done.err).toContain('looked at');
    expect((await json('keys', 'status')).said).toMatchObject({
      patients: { versions: { 2: 3 }, rotating: 0 },
      index: { version: 2 },
    });
  }, 60_000);

  test('a job that is left to others is paused and goes on by its name', async () => {
    const left = await json('keys', 'reencrypt', '--older-than', '0', '--detach');
    const [job] = left.said['jobs'] as { id: string; state: string }[];
    expect([left.code, job?.state]).toEqual([0, 'running']);
    const id = job?.id ?? '';
    expect((await json('keys', 'pause', id)).said).toMatchObject({ job: id, state: 'paused' });
    const again = await run(at.dataDir, ['keys', 'reencrypt']);
    expect(again.code).toBe(1);
    expect(again.err).toContain(`keys resume ${id}`);
    expect((await json('keys', 'resume', id)).said['jobs']).toMatchObject([{ id, state: 'done', left: 0 }]);
  }, 60_000);

  test('a tenant is made whole, once; words that make no call exit 2', async () => {
    const words = [
      'tenant',
      'create',
      'north',
      '--name',
      'North',
      '--phone',
      '+1',
      '--zone',
      'America/Chicago',
    ];
    const made = await json(...words, '--admin', 'boss@example.com');
    expect(made.said).toMatchObject({ tenant: 'north', keyId: expect.stringMatching(/^arn:aws:kms:/) });
    expect((await json('keys', 'status', '--tenant', 'north')).said).toMatchObject({
      wrappingKey: { problem: null },
      patients: { seen: 0 },
    });
    expect((await run(at.dataDir, [...words, '--admin', 'usr_other'])).code).toBe(1);
    expect((await run(at.dataDir, words)).code).toBe(2);
    expect((await run(at.dataDir, ['keys', 'rotate', 'everything'])).code).toBe(2);
    expect((await run(at.dataDir, ['keys', 'rewrap', '--rate', '0'])).code).toBe(2);
  }, 60_000);

  test('the epoch of a tenant is shown, set, and turned until nothing is left under the old key', async () => {
    const epoch = (...words: string[]) => json('keys', 'epoch', ...words, '--tenant', 'lakeside');
    expect((await epoch()).said).toMatchObject({ strong: false, from: null, begunAt: null });
    expect((await epoch('on', '--days', '14')).said).toMatchObject({ strong: true, days: 14 });
    const { keyId } = await findClinic(at.stack.composed.store, 'lakeside' as TenantId);
    const turned = await epoch('turn');
    expect([turned.code, turned.said]).toMatchObject([0, { state: 'waiting', until: expect.any(Number) }]);
    expect((await epoch('off')).said).toMatchObject({ strong: false, from: keyId });
    expect((await run(at.dataDir, ['keys', 'epoch', 'over'])).code).toBe(2);
    expect((await run(at.dataDir, ['keys', 'epoch', 'on', '--days', '6'])).code).toBe(2);
  }, 60_000);

  test('a switched-off key shuts the tenant: tools say so in plain words, and status exits 1', async () => {
    const { composed, env } = at.stack;
    const { keyId: KeyId } = await findClinic(composed.store, RIVERSIDE);
    const credentials = { accessKeyId: 'emulator', secretAccessKey: 'emulator' };
    const kms = new KMSClient({
      region: 'us-east-1',
      endpoint: env['CHARTSEAL_KMS_ENDPOINT'] ?? '',
      credentials,
    });
    const john = await at.token('john@example.com');
    await kms.send(new DisableKeyCommand({ KeyId }));
    // What the five minutes of the cache come to.
    composed.keys.flush(RIVERSIDE);
    const refused = await at.call(john, 'getPatient', { sections: ['demographics'] });
    expect(codeOf(refused)).toBe('KEY_DISABLED');
    expect(textOf(refused)).toContain('This clinic has switched off the key to its records');
    const status = await run(at.dataDir, ['keys', 'status']);
    expect(status.code).toBe(1);
    expect(status.out).toContain('no (KEY_DISABLED): this tenant is shut');
    await kms.send(new EnableKeyCommand({ KeyId }));
    expect((await at.call(john, 'getPatient', { sections: ['demographics'] })).isError ?? false).toBe(false);
  }, 60_000);
});
