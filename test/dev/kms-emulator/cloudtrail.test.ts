import { DecryptCommand, GenerateDataKeyCommand, ReEncryptCommand, SignCommand } from '@aws-sdk/client-kms';
import { describe, expect, test } from 'vitest';
import type { CloudTrailRecord } from '../../../src/dev/kms-emulator/cloudtrail.ts';
import { createKey, decrypt, encrypt } from './calls.ts';
import { ACCOUNT, clientOf, errorName, movableClock, REGION, started } from './harness.ts';

describe('the CloudTrail record', () => {
  test('of a call keeps its frozen shape', async () => {
    const clock = movableClock();
    const { kms, client } = await started({ clock: clock.now });
    const KeyId = await createKey(client);
    const EncryptionContext = { tenant: 't1', patient: 'pa_1' };
    const made = await client.send(
      new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext }),
    );
    expect(kms.events().at(-1)).toEqual({
      eventVersion: '1.09',
      eventTime: '2026-01-01T00:00:00Z',
      eventSource: 'kms.amazonaws.com',
      eventName: 'GenerateDataKey',
      awsRegion: REGION,
      sourceIPAddress: '127.0.0.1',
      userAgent: expect.stringContaining('aws-sdk-js'),
      userIdentity: {
        type: 'Root',
        arn: `arn:aws:iam::${ACCOUNT}:root`,
        accountId: ACCOUNT,
        accessKeyId: 'AKIATESTROOT',
      },
      requestParameters: { keyId: KeyId, encryptionContext: EncryptionContext, keySpec: 'AES_256' },
      responseElements: null,
      resources: [
        { ARN: `arn:aws:kms:${REGION}:${ACCOUNT}:key/${KeyId}`, type: 'AWS::KMS::Key', accountId: ACCOUNT },
      ],
      readOnly: true,
      requestID: made.$metadata.requestId,
      eventID: expect.stringMatching(/^[0-9a-f-]{36}$/),
      eventType: 'AwsApiCall',
      recipientAccountId: ACCOUNT,
    });
  });

  test('of a refused call names the key, the context and the error', async () => {
    const { kms, client } = await started();
    const key = await createKey(client);
    const blob = await encrypt(client, { key, context: { tenant: 't1' } });
    await errorName(decrypt(client, { blob, context: { tenant: 't2' } }));
    expect(kms.events().at(-1)).toMatchObject({
      eventName: 'Decrypt',
      requestParameters: { encryptionContext: { tenant: 't2' } },
      resources: [{ ARN: expect.stringContaining(key) }],
      errorCode: 'InvalidCiphertextException',
    });
  });

  test('of Decrypt names the key even when the request did not', async () => {
    const { kms, client } = await started();
    const key = await createKey(client);
    await decrypt(client, { blob: await encrypt(client, { key }) });
    const record = kms.events().at(-1);
    expect(record?.requestParameters).not.toHaveProperty('keyId');
    expect(record?.resources[0]?.ARN).toContain(key);
  });

  test('of ReEncrypt names both keys and both contexts', async () => {
    const { kms, client } = await started();
    const [from, to] = [await createKey(client), await createKey(client)];
    const command = new ReEncryptCommand({
      CiphertextBlob: await encrypt(client, { key: from, context: { v: '1' } }),
      SourceEncryptionContext: { v: '1' },
      DestinationKeyId: to,
      DestinationEncryptionContext: { v: '2' },
    });
    await client.send(command);
    const { requestParameters, resources } = kms.events().at(-1) as CloudTrailRecord;
    expect(requestParameters).toEqual({
      sourceEncryptionContext: { v: '1' },
      destinationKeyId: to,
      destinationEncryptionContext: { v: '2' },
    });
    expect(resources).toHaveLength(2);
  });

  test('tells the Region that the call was signed for', async () => {
    const { kms } = await started();
    await createKey(clientOf(kms.url, { region: 'eu-west-1' }));
    expect(kms.events().at(-1)?.awsRegion).toBe('eu-west-1');
  });

  test('never holds plaintext, messages, ciphertexts, data keys or signatures', async () => {
    const { kms, client } = await started();
    const key = await createKey(client);
    const signer = await createKey(client, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    const blob = await encrypt(client, { key, text: 'find-me-nowhere' });
    await decrypt(client, { blob });
    const { Plaintext } = await client.send(new GenerateDataKeyCommand({ KeyId: key, KeySpec: 'AES_256' }));
    const Message = Buffer.from('find-me-nowhere');
    const signed = await client.send(
      new SignCommand({ KeyId: signer, Message, SigningAlgorithm: 'ECDSA_SHA_256' }),
    );
    await errorName(client.send(new DecryptCommand({ CiphertextBlob: blob.subarray(1) })));
    const text = JSON.stringify(kms.events());
    const secrets = [Message, blob, Plaintext, signed.Signature].map((bytes) => Buffer.from(bytes ?? []));
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(0);
      expect(text).not.toContain(secret.toString('base64').slice(0, 20));
    }
    expect(text).not.toContain('find-me-nowhere');
  });

  test('goes to the listener before the caller has the answer', async () => {
    const heard: string[] = [];
    const { client } = await started({ log: (line) => heard.push(line.eventName) });
    await createKey(client);
    expect(heard).toEqual(['CreateKey']);
  });
});
