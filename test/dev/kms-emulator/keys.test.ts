import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  GenerateDataKeyCommand,
  type KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
  paginateListKeys,
  ScheduleKeyDeletionCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms';
import { describe, expect, test } from 'vitest';
import { createKey, decrypt, encrypt } from './calls.ts';
import { ACCOUNT, errorMessage, errorName, movableClock, REGION, started } from './harness.ts';

const arnOf = (resource: string): string => `arn:aws:kms:${REGION}:${ACCOUNT}:${resource}`;
const stateOf = async (client: KMSClient, KeyId: string): Promise<string | undefined> =>
  (await client.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState;

describe('CreateKey', () => {
  test.each([
    [{}, 'SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT'],
    [{ KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' }, 'ECC_NIST_EDWARDS25519', 'SIGN_VERIFY'],
    [{ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }, 'ECC_NIST_P256', 'SIGN_VERIFY'],
    [{ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }, 'HMAC_256', 'GENERATE_VERIFY_MAC'],
  ])('%j', async (input, spec, usage) => {
    const { client } = await started();
    const { KeyMetadata: made } = await client.send(new CreateKeyCommand(input as CreateKeyCommandInput));
    expect(made).toMatchObject({
      KeySpec: spec,
      KeyUsage: usage,
      KeyState: 'Enabled',
      Enabled: true,
      MultiRegion: false,
    });
    expect(made?.Arn).toBe(arnOf(`key/${made?.KeyId}`));
    expect(made?.CreationDate).toBeInstanceOf(Date);
    const described = await client.send(new DescribeKeyCommand({ KeyId: made?.KeyId }));
    expect(described.KeyMetadata).toEqual(made);
  });

  test.each([
    [{ KeySpec: 'ECC_NIST_P256' }, 'ValidationException'],
    [{ KeySpec: 'ECC_NIST_P256', KeyUsage: 'ENCRYPT_DECRYPT' }, 'ValidationException'],
    [{ KeySpec: 'AES_1' }, 'ValidationException'],
    [{ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }, 'UnsupportedOperationException'],
    [{ Origin: 'EXTERNAL' }, 'UnsupportedOperationException'],
    [{ Policy: '{' }, 'MalformedPolicyDocumentException'],
  ])('%j is refused: %s', async (input, expected) => {
    const { client } = await started();
    expect(await errorName(client.send(new CreateKeyCommand(input as CreateKeyCommandInput)))).toBe(expected);
    expect((await client.send(new ListKeysCommand({}))).Keys).toEqual([]);
  });
});

describe('key ids', () => {
  test('id, ARN, alias and alias ARN name the same key', async () => {
    const { client } = await started();
    const key = await createKey(client);
    await client.send(new CreateAliasCommand({ AliasName: 'alias/chart', TargetKeyId: key }));
    const names = [key, arnOf(`key/${key}`), 'alias/chart', arnOf('alias/chart')];
    for (const name of names) {
      const blob = await encrypt(client, { key: name });
      expect(await decrypt(client, { blob, key })).toBe('hello');
    }
  });

  test.each([
    ['2b3a1a62-0000-4000-8000-000000000000', 'NotFoundException'],
    [arnOf('key/2b3a1a62-0000-4000-8000-000000000000'), 'NotFoundException'],
    ['alias/none', 'NotFoundException'],
    [arnOf('alias/none'), 'NotFoundException'],
    ['nonsense', 'NotFoundException'],
    ['__proto__', 'NotFoundException'],
    ['arn:aws:kms:nonsense', 'InvalidArnException'],
    [`arn:aws:kms:eu-west-1:${ACCOUNT}:key/2b3a1a62-0000-4000-8000-000000000000`, 'NotFoundException'],
    ['arn:aws:kms:us-east-1:111111111111:key/2b3a1a62-0000-4000-8000-000000000000', 'AccessDeniedException'],
    ['', 'ValidationException'],
  ])('%j names nothing: %s', async (key, expected) => {
    const { client } = await started();
    expect(await errorName(encrypt(client, { key }))).toBe(expected);
  });

  test('administration takes no alias', async () => {
    const { client } = await started();
    await client.send(
      new CreateAliasCommand({ AliasName: 'alias/chart', TargetKeyId: await createKey(client) }),
    );
    const disable = (KeyId: string): Promise<string> =>
      errorName(client.send(new DisableKeyCommand({ KeyId })));
    expect(await disable('alias/chart')).toBe('NotFoundException');
    expect(await disable(arnOf('alias/chart'))).toBe('InvalidArnException');
  });

  test('ListKeys comes in pages', async () => {
    const { client } = await started();
    const made = [await createKey(client), await createKey(client), await createKey(client)];
    const listed: (string | undefined)[] = [];
    for await (const page of paginateListKeys({ client, pageSize: 2 }, {})) {
      listed.push(...(page.Keys ?? []).map((key) => key.KeyId));
    }
    expect(listed).toEqual(made);
    expect(await errorName(client.send(new ListKeysCommand({ Marker: 'x' })))).toBe('InvalidMarkerException');
  });
});

describe('aliases', () => {
  test('an alias moves to another key, and old ciphertexts still open', async () => {
    const { client } = await started();
    const [one, two] = [await createKey(client), await createKey(client)];
    await client.send(new CreateAliasCommand({ AliasName: 'alias/chart', TargetKeyId: one }));
    const blob = await encrypt(client, { key: 'alias/chart' });
    await client.send(new UpdateAliasCommand({ AliasName: 'alias/chart', TargetKeyId: two }));
    expect(await decrypt(client, { blob })).toBe('hello');
    // The reason to pass a key's ARN and never an alias to Decrypt.
    expect(await errorName(decrypt(client, { blob, key: 'alias/chart' }))).toBe('IncorrectKeyException');
    const { Aliases } = await client.send(new ListAliasesCommand({ KeyId: two }));
    expect(Aliases).toMatchObject([
      { AliasName: 'alias/chart', AliasArn: arnOf('alias/chart'), TargetKeyId: two },
    ]);
  });

  test('a deleted alias names nothing', async () => {
    const { client } = await started();
    await client.send(
      new CreateAliasCommand({ AliasName: 'alias/chart', TargetKeyId: await createKey(client) }),
    );
    await client.send(new DeleteAliasCommand({ AliasName: 'alias/chart' }));
    expect(await errorName(encrypt(client, { key: 'alias/chart' }))).toBe('NotFoundException');
    const again = client.send(new DeleteAliasCommand({ AliasName: 'alias/chart' }));
    expect(await errorName(again)).toBe('NotFoundException');
  });

  test.each([
    ['alias/taken', 'AlreadyExistsException'],
    ['chart', 'ValidationException'],
    ['alias/aws/ebs', 'NotAuthorizedException'],
    ['alias/a:b', 'InvalidAliasNameException'],
    ['alias/', 'InvalidAliasNameException'],
    ['alias/a b', 'ValidationException'],
    [`alias/${'a'.repeat(251)}`, 'ValidationException'],
  ])('CreateAlias %s: %s', async (AliasName, expected) => {
    const { client } = await started();
    const TargetKeyId = await createKey(client);
    await client.send(new CreateAliasCommand({ AliasName: 'alias/taken', TargetKeyId }));
    expect(await errorName(client.send(new CreateAliasCommand({ AliasName, TargetKeyId })))).toBe(expected);
  });

  test('an alias does not point to an alias, nor move to a key for another use', async () => {
    const { client } = await started();
    const hmac = await createKey(client, { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
    await client.send(
      new CreateAliasCommand({ AliasName: 'alias/one', TargetKeyId: await createKey(client) }),
    );
    const toAlias = client.send(new CreateAliasCommand({ AliasName: 'alias/two', TargetKeyId: 'alias/one' }));
    expect(await errorName(toAlias)).toBe('ValidationException');
    const toHmac = client.send(new UpdateAliasCommand({ AliasName: 'alias/one', TargetKeyId: hmac }));
    expect(await errorName(toHmac)).toBe('ValidationException');
  });

  test('a key has at most 50 aliases', async () => {
    const { client } = await started();
    const TargetKeyId = await createKey(client);
    for (let n = 0; n < 50; n += 1)
      await client.send(new CreateAliasCommand({ AliasName: `alias/n${n}`, TargetKeyId }));
    const more = client.send(new CreateAliasCommand({ AliasName: 'alias/more', TargetKeyId }));
    expect(await errorName(more)).toBe('LimitExceededException');
  });
});

describe('a disabled key', () => {
  test('neither encrypts nor decrypts until it is enabled', async () => {
    const { client } = await started();
    const key = await createKey(client);
    const blob = await encrypt(client, { key });
    await client.send(new DisableKeyCommand({ KeyId: key }));
    expect(await stateOf(client, key)).toBe('Disabled');
    expect(await errorName(decrypt(client, { blob }))).toBe('DisabledException');
    expect(await errorName(encrypt(client, { key }))).toBe('DisabledException');
    expect(await errorName(client.send(new EnableKeyRotationCommand({ KeyId: key })))).toBe(
      'DisabledException',
    );
    await client.send(new EnableKeyCommand({ KeyId: key }));
    expect(await decrypt(client, { blob })).toBe('hello');
  });
});

describe('deletion', () => {
  test('a key pending deletion does nothing, and comes back disabled', async () => {
    const clock = movableClock();
    const { client } = await started({ clock: clock.now });
    const key = await createKey(client);
    const blob = await encrypt(client, { key });
    const scheduled = await client.send(
      new ScheduleKeyDeletionCommand({ KeyId: key, PendingWindowInDays: 7 }),
    );
    expect(scheduled).toMatchObject({ KeyState: 'PendingDeletion', PendingWindowInDays: 7 });
    expect(scheduled.DeletionDate?.getTime()).toBe(clock.now() + 7 * 86_400_000);

    const calls: Promise<unknown>[] = [
      decrypt(client, { blob }),
      encrypt(client, { key }),
      client.send(new EnableKeyCommand({ KeyId: key })),
      client.send(new DisableKeyCommand({ KeyId: key })),
      client.send(new ScheduleKeyDeletionCommand({ KeyId: key })),
      client.send(new CreateAliasCommand({ AliasName: 'alias/late', TargetKeyId: key })),
    ];
    for (const call of calls) expect(await errorName(call)).toBe('KMSInvalidStateException');

    await client.send(new CancelKeyDeletionCommand({ KeyId: key }));
    expect(await stateOf(client, key)).toBe('Disabled');
    await client.send(new EnableKeyCommand({ KeyId: key }));
    clock.advanceDays(60);
    expect(await decrypt(client, { blob })).toBe('hello');
  });

  test('after its window the key, its aliases and its ciphertexts are gone', async () => {
    const clock = movableClock();
    const { client } = await started({ clock: clock.now });
    const key = await createKey(client);
    await client.send(new CreateAliasCommand({ AliasName: 'alias/chart', TargetKeyId: key }));
    const blob = await encrypt(client, { key });
    await client.send(new ScheduleKeyDeletionCommand({ KeyId: key, PendingWindowInDays: 7 }));
    clock.advanceDays(6.9);
    expect(await stateOf(client, key)).toBe('PendingDeletion');
    clock.advanceDays(0.2);
    expect(await errorName(stateOf(client, key))).toBe('NotFoundException');
    expect(await errorName(stateOf(client, 'alias/chart'))).toBe('NotFoundException');
    expect((await client.send(new ListAliasesCommand({}))).Aliases).toEqual([]);
    expect(await errorName(decrypt(client, { blob }))).toBe('AccessDeniedException');
    expect(await errorName(decrypt(client, { blob, key }))).toBe('NotFoundException');
  });

  test.each([6, 31])('a window of %i days is refused', async (PendingWindowInDays) => {
    const { client } = await started();
    const KeyId = await createKey(client);
    const sent = client.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays }));
    expect(await errorName(sent)).toBe('ValidationException');
    expect(await stateOf(client, KeyId)).toBe('Enabled');
  });

  test('only a scheduled deletion can be cancelled', async () => {
    const { client } = await started();
    const sent = client.send(new CancelKeyDeletionCommand({ KeyId: await createKey(client) }));
    expect(await errorName(sent)).toBe('KMSInvalidStateException');
  });
});

test('a key does only what it is for', async () => {
  const { client } = await started();
  const hmac = await createKey(client, { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
  expect(await errorName(encrypt(client, { key: hmac }))).toBe('InvalidKeyUsageException');
  const dataKey = client.send(new GenerateDataKeyCommand({ KeyId: hmac, KeySpec: 'AES_256' }));
  expect(await errorName(dataKey)).toBe('InvalidKeyUsageException');
});

test('grants are refused by name', async () => {
  const { client } = await started();
  const KeyId = await createKey(client);
  const grant = client.send(
    new CreateGrantCommand({ KeyId, GranteePrincipal: 'x', Operations: ['Decrypt'] }),
  );
  expect(await errorMessage(grant)).toContain('Grants are not emulated');
  const again = client.send(
    new CreateGrantCommand({ KeyId, GranteePrincipal: 'x', Operations: ['Decrypt'] }),
  );
  expect(await errorName(again)).toBe('UnsupportedOperationException');
});
