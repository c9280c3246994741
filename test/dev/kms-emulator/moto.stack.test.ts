import { KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type KmsEmulator, startKmsEmulator } from '../../../src/dev/kms-emulator/server.ts';
import { MOTO, startMoto } from '../../stack/moto.ts';
import { ALIKE } from './moto-alike.ts';
import { MOTO_DEPARTS } from './moto-departs.ts';
import type { Scenario, Side } from './moto-scenario.ts';

/**
 * The same calls to our emulator and to moto, an independent one. Where moto follows AWS both must answer alike;
 * where it does not, the test names the rule of AWS that we follow, and accepts a moto that has learned it.
 */
const WITH = MOTO === undefined ? '(moto absent: ours alone)' : '(beside moto)';

let emulator: KmsEmulator;
let ours: Side;
let theirs: Side | null = null;
const ending: (() => void)[] = [];

beforeAll(async () => {
  emulator = await startKmsEmulator();
  ours = sideOf(emulator.url);
  if (MOTO !== undefined) {
    const { url, end } = await startMoto(MOTO);
    ending.push(end);
    theirs = sideOf(url);
  }
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
