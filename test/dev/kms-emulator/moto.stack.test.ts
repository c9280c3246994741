import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type KmsEmulator, startKmsEmulator } from '../../../src/dev/kms-emulator/server.ts';
import { ALIKE } from './moto-alike.ts';
import { MOTO_DEPARTS } from './moto-departs.ts';
import type { Scenario, Side } from './moto-scenario.ts';

/**
 * The same calls to our emulator and to moto, an independent one. Where moto follows AWS both must answer alike;
 * where it does not, the test names the rule of AWS that we follow, and accepts a moto that has learned it.
 */
const MOTO = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'moto_server'))
  .find((path) => existsSync(path));
const WITH = MOTO === undefined ? '(moto absent: ours alone)' : '(beside moto)';

let emulator: KmsEmulator;
let ours: Side;
let theirs: Side | null = null;
const ending: (() => void)[] = [];

beforeAll(async () => {
  emulator = await startKmsEmulator();
  ours = sideOf(emulator.url);
  if (MOTO !== undefined) theirs = sideOf(await startMoto(MOTO));
});

afterAll(async () => {
  for (const end of ending) end();
  await emulator.close();
});

describe(`ours ${WITH}`, () => {
  test.each(ALIKE)('%s: %j', async (_, expected, scenario) => {
    expect(await outcome(scenario, ours)).toEqual(expected);
    if (theirs !== null) expect(await outcome(scenario, theirs)).toEqual(expected);
  });

  test.each(MOTO_DEPARTS)('as in AWS, %s', async (_, rule, departure, scenario) => {
    expect(await outcome(scenario, ours)).toEqual(rule);
    if (theirs !== null) expect([rule, departure]).toContainEqual(await outcome(scenario, theirs));
  });
});

async function outcome(scenario: Scenario, side: Side): Promise<unknown> {
  try {
    return await scenario(side);
  } catch (error) {
    return (error as Error).name;
  }
}

function sideOf(endpoint: string): Side {
  const [client, elsewhere] = ['us-east-1', 'eu-west-1'].map((region) => {
    const credentials = { accessKeyId: 'AKIATESTROOT', secretAccessKey: 'not-checked' };
    return new KMSClient({ endpoint, region, maxAttempts: 1, credentials });
  }) as [KMSClient, KMSClient];
  ending.push(
    () => client.destroy(),
    () => elsewhere.destroy(),
  );
  return { client, elsewhere };
}

/** Starts moto on a free port and waits until it answers, at most 60 s. */
async function startMoto(path: string): Promise<string> {
  const port = await freePort();
  // A process group of its own: version managers put a shell between us and the server.
  const child = spawn(path, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore', detached: true });
  ending.push(() => child.pid !== undefined && child.exitCode === null && process.kill(-child.pid));
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 300; tries += 1) {
    if (
      await fetch(url, { signal: AbortSignal.timeout(5000) }).then(
        () => true,
        () => false,
      )
    )
      return url;
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`moto_server at ${path} does not start: repair or remove it.`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
