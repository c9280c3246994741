import {
  DescribeKeyCommand,
  DisableKeyCommand,
  type KMSClient,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { describe, expect, test } from 'vitest';
import type { KmsEmulatorOptions } from '../../../src/dev/kms-emulator/server.ts';
import { createKey, decrypt, encrypt } from './calls.ts';
import { ACCOUNT, clientOf, errorName, movableClock, started } from './harness.ts';

interface Replicated {
  readonly key: string;
  readonly primary: KMSClient;
  readonly replica: KMSClient;
}

async function replicated(options: KmsEmulatorOptions = {}): Promise<Replicated> {
  const { kms, client } = await started(options);
  const key = await createKey(client, { MultiRegion: true });
  await client.send(new ReplicateKeyCommand({ KeyId: key, ReplicaRegion: 'eu-west-1' }));
  return { key, primary: client, replica: clientOf(kms.url, { region: 'eu-west-1' }) };
}

const metadataOf = async (client: KMSClient, KeyId: string) =>
  (await client.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata;

describe('a multi-Region key', () => {
  test('opens in each Region what any of them encrypted, before and after a rotation', async () => {
    const { key, primary, replica } = await replicated();
    expect(key).toMatch(/^mrk-[0-9a-f]{32}$/);
    const context = { tenant: 't1' };
    const here = await encrypt(primary, { key, context });
    const there = await encrypt(replica, { key, context });
    await primary.send(new RotateKeyOnDemandCommand({ KeyId: key }));
    const later = await encrypt(replica, { key, context });
    for (const blob of [here, there, later]) {
      expect(await decrypt(primary, { blob, context, key })).toBe('hello');
      expect(await decrypt(replica, { blob, context, key })).toBe('hello');
      expect(await errorName(decrypt(replica, { blob }))).toBe('InvalidCiphertextException');
    }
  });

  test('is not reached by the ARN that it has in another Region', async () => {
    const { key, replica } = await replicated();
    const arn = `arn:aws:kms:us-east-1:${ACCOUNT}:key/${key}`;
    expect(await errorName(encrypt(replica, { key: arn }))).toBe('NotFoundException');
  });

  test('tells which Region is primary', async () => {
    const { key, primary, replica } = await replicated();
    const arn = (region: string): string => `arn:aws:kms:${region}:${ACCOUNT}:key/${key}`;
    const shared = {
      PrimaryKey: { Arn: arn('us-east-1'), Region: 'us-east-1' },
      ReplicaKeys: [{ Arn: arn('eu-west-1'), Region: 'eu-west-1' }],
    };
    expect(await metadataOf(primary, key)).toMatchObject({
      Arn: arn('us-east-1'),
      MultiRegion: true,
      MultiRegionConfiguration: { MultiRegionKeyType: 'PRIMARY', ...shared },
    });
    expect(await metadataOf(replica, key)).toMatchObject({
      Arn: arn('eu-west-1'),
      MultiRegionConfiguration: { MultiRegionKeyType: 'REPLICA', ...shared },
    });
  });

  test('has a state of its own in each Region', async () => {
    const { key, primary, replica } = await replicated();
    await replica.send(new DisableKeyCommand({ KeyId: key }));
    expect(await errorName(encrypt(replica, { key }))).toBe('DisabledException');
    expect(await errorName(encrypt(primary, { key }))).toBe('none');
  });

  test('loses its primary only after the last replica', async () => {
    const clock = movableClock();
    const { key, primary, replica } = await replicated({ clock: clock.now });
    await primary.send(new ScheduleKeyDeletionCommand({ KeyId: key, PendingWindowInDays: 7 }));
    clock.advanceDays(30);
    expect(await metadataOf(primary, key)).toMatchObject({ KeyState: 'PendingReplicaDeletion' });
    expect(await errorName(encrypt(replica, { key }))).toBe('none');
    await replica.send(new ScheduleKeyDeletionCommand({ KeyId: key, PendingWindowInDays: 7 }));
    clock.advanceDays(7);
    expect(await metadataOf(primary, key)).toMatchObject({ KeyState: 'PendingDeletion' });
    expect(await errorName(metadataOf(replica, key))).toBe('NotFoundException');
    clock.advanceDays(7);
    expect(await errorName(metadataOf(primary, key))).toBe('NotFoundException');
  });

  test.each([
    ['a single-Region key', false, 'eu-west-1', 'UnsupportedOperationException'],
    ['a Region that has it', true, 'us-east-1', 'AlreadyExistsException'],
    ['nonsense for a Region', true, 'moon', 'ValidationException'],
  ])('%s cannot be replicated to', async (_, MultiRegion, ReplicaRegion, expected) => {
    const { client } = await started();
    const KeyId = await createKey(client, { MultiRegion });
    expect(await errorName(client.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion })))).toBe(expected);
  });

  test('is administered in its primary Region', async () => {
    const { key, replica } = await replicated();
    const calls = [
      replica.send(new ReplicateKeyCommand({ KeyId: key, ReplicaRegion: 'ap-south-1' })),
      replica.send(new RotateKeyOnDemandCommand({ KeyId: key })),
    ];
    for (const call of calls) expect(await errorName(call)).toBe('UnsupportedOperationException');
  });
});
