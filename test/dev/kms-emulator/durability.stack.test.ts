import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  CreateAliasCommand,
  GenerateDataKeyCommand,
  ListKeysCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readState } from '../../../src/dev/kms-emulator/state.ts';
import { createKey, decrypt, encrypt } from './calls.ts';
import { clientOf, emulator, errorMessage, errorName, movableClock } from './harness.ts';
import { assume, trusting } from './sts-calls.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'kms-emulator-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** An emulator in a process of its own, and a way to kill it at once. */
async function spawned(path: string): Promise<{ url: string; kill: () => Promise<void> }> {
  const server = pathToFileURL(join(import.meta.dirname, '../../../src/dev/kms-emulator/server.ts')).href;
  const options = { stateFile: join(path, 'kms.json'), logFile: join(path, 'trail.jsonl') };
  const script = `import { startKmsEmulator } from '${server}';
    console.log((await startKmsEmulator(${JSON.stringify(options)})).url);`;
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  onTestFinished(kill);
  const stdout = child.stdout;
  if (stdout === null) throw new Error('The child has no output.');
  const [line] = (await once(stdout, 'data')) as [Buffer];
  return { url: line.toString().trim(), kill };
}

describe('the state file', () => {
  test('survives kill -9: keys, aliases, generations and the log are there after a restart', async () => {
    const path = folder();
    const first = await spawned(path);
    const client = clientOf(first.url);
    const key = await createKey(client);
    await client.send(new CreateAliasCommand({ AliasName: 'alias/chart', TargetKeyId: key }));
    const old = await encrypt(client, { key, text: 'before', context: { tenant: 't1' } });
    await client.send(new RotateKeyOnDemandCommand({ KeyId: key }));
    // In the middle of writes: whatever was answered must be there afterwards.
    const answered: string[] = [];
    const writing = (async () => {
      for (;;) answered.push(await createKey(client));
    })().catch(() => {});
    while (answered.length < 5) await new Promise((resolve) => setImmediate(resolve));
    await first.kill();
    await writing;

    const second = clientOf((await spawned(path)).url);
    expect(await decrypt(second, { blob: old, context: { tenant: 't1' }, key: 'alias/chart' })).toBe(
      'before',
    );
    const listed = (await second.send(new ListKeysCommand({ Limit: 1000 }))).Keys?.map((one) => one.KeyId);
    expect(listed).toEqual(expect.arrayContaining([key, ...answered]));
    const log = readFileSync(join(path, 'trail.jsonl'), 'utf8').trim().split('\n');
    expect(log.map((line) => JSON.parse(line).eventName).slice(0, 4)).toEqual([
      'CreateKey',
      'CreateAlias',
      'Encrypt',
      'RotateKeyOnDemand',
    ]);
  });

  test('is readable by its owner alone, says that it holds key material, and leaves no other file', async () => {
    const path = folder();
    const kms = await emulator({
      stateFile: join(path, 'deep', 'kms.json'),
      logFile: join(path, 'trail.jsonl'),
    });
    await createKey(clientOf(kms.url));
    const file = join(path, 'deep', 'kms.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, 'trail.jsonl')).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toContain('KEY MATERIAL IN CLEAR');
    expect(readdirSync(join(path, 'deep'))).toEqual(['kms.json']);
  });

  test('keeps what time did: a key whose window ended while nothing ran is gone', async () => {
    const stateFile = join(folder(), 'kms.json');
    const clock = movableClock();
    const first = await emulator({ stateFile, clock: clock.now });
    const client = clientOf(first.url);
    const key = await createKey(client);
    await client.send(new ScheduleKeyDeletionCommand({ KeyId: key, PendingWindowInDays: 7 }));
    await first.close();
    clock.advanceDays(8);
    const second = clientOf((await emulator({ stateFile, clock: clock.now })).url);
    expect(await errorName(encrypt(second, { key }))).toBe('NotFoundException');
    expect(readState(stateFile)?.keys).toEqual({});
  });

  test('keeps temporary credentials valid', async () => {
    const stateFile = join(folder(), 'kms.json');
    const role = `arn:aws:iam::000000000000:role/app`;
    const first = await emulator({ stateFile, webIdentity: trusting });
    const credentials = await assume(first.url, role);
    await first.close();
    const second = await emulator({ stateFile });
    const sent = clientOf(second.url, credentials).send(new ListKeysCommand({}));
    expect(await errorName(sent)).toBe('AccessDeniedException');
  });

  test.each(['{', '{}', '[]', '{"version":2,"keys":{},"aliases":[]}'])(
    'with %s in it is refused and kept',
    async (text) => {
      const stateFile = join(folder(), 'kms.json');
      writeFileSync(stateFile, text);
      await expect(emulator({ stateFile })).rejects.toMatchObject({ code: 'STATE_FILE' });
      expect(readFileSync(stateFile, 'utf8')).toBe(text);
    },
  );

  test('is not overwritten by a second emulator that started from an older state', async () => {
    const stateFile = join(folder(), 'kms.json');
    const [one, two] = [await emulator({ stateFile }), await emulator({ stateFile })];
    const key = await createKey(clientOf(one.url));
    expect(await errorName(createKey(clientOf(two.url)))).toBe('KMSInternalException');
    expect(await errorMessage(createKey(clientOf(two.url)))).toContain('Stop one of the two');
    expect(Object.keys(readState(stateFile)?.keys ?? {})).toEqual([key]);
  });

  test('holds no plaintext and no data key', async () => {
    const stateFile = join(folder(), 'kms.json');
    const client = clientOf((await emulator({ stateFile })).url);
    const KeyId = await createKey(client);
    await encrypt(client, { key: KeyId, text: 'find-me-nowhere' });
    const { Plaintext } = await client.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }));
    const text = readFileSync(stateFile, 'utf8');
    expect(text).not.toContain('find-me-nowhere');
    expect(text).not.toContain(Buffer.from(Plaintext ?? []).toString('base64'));
  });
});

test('two emulators cannot share a port', async () => {
  const { port } = await emulator();
  await expect(emulator({ port })).rejects.toMatchObject({ code: 'LISTEN' });
});
