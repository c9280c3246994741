import {
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  GenerateDataKeyCommand,
  GetKeyRotationStatusCommand,
  type KMSClient,
  ListKeyRotationsCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { describe, expect, test } from 'vitest';
import { createKey, decrypt, encrypt } from './calls.ts';
import { errorName, movableClock, started } from './harness.ts';

const materialOf = async (client: KMSClient, KeyId: string): Promise<string | undefined> =>
  (await client.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.CurrentKeyMaterialId;

describe('rotation on demand', () => {
  test('new calls use the new material, and old ciphertexts still open', async () => {
    const { client } = await started();
    const KeyId = await createKey(client);
    const [first, blob] = [await materialOf(client, KeyId), await encrypt(client, { key: KeyId })];
    await client.send(new RotateKeyOnDemandCommand({ KeyId }));
    const second = await materialOf(client, KeyId);
    expect(second).not.toBe(first);
    expect(await decrypt(client, { blob, key: KeyId })).toBe('hello');
    const { KeyMaterialId } = await client.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }));
    expect(KeyMaterialId).toBe(second);
    const { Rotations } = await client.send(new ListKeyRotationsCommand({ KeyId }));
    expect(Rotations).toMatchObject([
      { KeyMaterialId: second, RotationType: 'ON_DEMAND', KeyMaterialState: 'CURRENT' },
    ]);
    const all = await client.send(
      new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }),
    );
    expect(all.Rotations?.map((one) => one.KeyMaterialId)).toEqual([first, second]);
  });

  test('a key is rotated on demand 25 times and no more, and every generation stays readable', async () => {
    const { client } = await started();
    const KeyId = await createKey(client);
    const blobs = [await encrypt(client, { key: KeyId })];
    for (let n = 0; n < 25; n += 1) {
      await client.send(new RotateKeyOnDemandCommand({ KeyId }));
      blobs.push(await encrypt(client, { key: KeyId }));
    }
    const more = client.send(new RotateKeyOnDemandCommand({ KeyId }));
    expect(await errorName(more)).toBe('LimitExceededException');
    for (const blob of blobs) expect(await decrypt(client, { blob })).toBe('hello');
  });
});

describe('automatic rotation', () => {
  test('happens at the first use after its period', async () => {
    const clock = movableClock();
    const { client } = await started({ clock: clock.now });
    const KeyId = await createKey(client);
    await client.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }));
    const status = await client.send(new GetKeyRotationStatusCommand({ KeyId }));
    expect(status).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 90 });
    expect(status.NextRotationDate?.getTime()).toBe(clock.now() + 90 * 86_400_000);

    const [first, blob] = [await materialOf(client, KeyId), await encrypt(client, { key: KeyId })];
    clock.advanceDays(89.9);
    expect(await materialOf(client, KeyId)).toBe(first);
    clock.advanceDays(0.2);
    expect(await materialOf(client, KeyId)).not.toBe(first);
    expect(await decrypt(client, { blob })).toBe('hello');
    const { Rotations } = await client.send(new ListKeyRotationsCommand({ KeyId }));
    expect(Rotations).toMatchObject([{ RotationType: 'AUTOMATIC', RotationDate: new Date(clock.now()) }]);
  });

  test('waits while the key is disabled and catches up when it is enabled', async () => {
    const clock = movableClock();
    const { client } = await started({ clock: clock.now });
    const KeyId = await createKey(client);
    await client.send(new EnableKeyRotationCommand({ KeyId }));
    const first = await materialOf(client, KeyId);
    await client.send(new DisableKeyCommand({ KeyId }));
    const other = await createKey(client);
    await client.send(new EnableKeyRotationCommand({ KeyId: other }));
    const otherFirst = await materialOf(client, other);
    clock.advanceDays(400);
    expect(await materialOf(client, other)).not.toBe(otherFirst);
    expect(await materialOf(client, KeyId)).toBe(first);
    await client.send(new EnableKeyCommand({ KeyId }));
    expect(await materialOf(client, KeyId)).not.toBe(first);
  });

  test('stops when it is switched off', async () => {
    const clock = movableClock();
    const { client } = await started({ clock: clock.now });
    const KeyId = await createKey(client);
    await client.send(new EnableKeyRotationCommand({ KeyId }));
    await client.send(new DisableKeyRotationCommand({ KeyId }));
    const first = await materialOf(client, KeyId);
    clock.advanceDays(400);
    expect(await materialOf(client, KeyId)).toBe(first);
    const status = await client.send(new GetKeyRotationStatusCommand({ KeyId }));
    expect(status.KeyRotationEnabled).toBe(false);
  });

  test('reads as off while the key is pending deletion', async () => {
    const { client } = await started();
    const KeyId = await createKey(client);
    await client.send(new EnableKeyRotationCommand({ KeyId }));
    await client.send(new ScheduleKeyDeletionCommand({ KeyId }));
    const status = await client.send(new GetKeyRotationStatusCommand({ KeyId }));
    expect(status.KeyRotationEnabled).toBe(false);
    expect(await errorName(client.send(new RotateKeyOnDemandCommand({ KeyId })))).toBe(
      'KMSInvalidStateException',
    );
  });

  test.each([89, 2561])('a period of %i days is refused', async (RotationPeriodInDays) => {
    const { client } = await started();
    const KeyId = await createKey(client);
    const sent = client.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays }));
    expect(await errorName(sent)).toBe('ValidationException');
  });

  test('is for symmetric encryption keys only', async () => {
    const { client } = await started();
    const KeyId = await createKey(client, { KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' });
    const calls = [new EnableKeyRotationCommand({ KeyId }), new RotateKeyOnDemandCommand({ KeyId })];
    for (const call of calls) {
      expect(await errorName(client.send(call as EnableKeyRotationCommand))).toBe(
        'UnsupportedOperationException',
      );
    }
  });
});
