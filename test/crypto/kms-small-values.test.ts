import { CreateAliasCommand, CreateKeyCommand, DisableKeyCommand } from '@aws-sdk/client-kms';
import { describe, expect, test } from 'vitest';
import { decryptWithKms, encryptWithKms } from '../../src/crypto/kms-small-values.ts';
import { clientOf, started } from '../dev/kms-emulator/harness.ts';
import { codeOfAsync } from './code-of.ts';

const context = { tenant: 'riverside', purpose: 'webhook' };

/** An emulator with one key. */
async function prepared() {
  const { kms, client } = await started();
  const newKey = async () => (await client.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
  return { kms, client, keyId: await newKey(), newKey };
}

describe('a small value encrypted by KMS', () => {
  test('comes back under the same key and context', async () => {
    const { client, keyId } = await prepared();
    for (const size of [1, 4_096]) {
      const secret = Buffer.alloc(size, 0xa5);
      const ciphertext = await encryptWithKms(secret, { client, keyId, context });
      if (size >= 16) expect(ciphertext.includes(secret.subarray(0, 16))).toBe(false);
      expect(await decryptWithKms(ciphertext, { client, keyId, context })).toEqual(secret);
    }
  });

  test('over 4,096 bytes is refused before a call, with what to do instead', async () => {
    const { kms, client, keyId } = await prepared();
    const calls = kms.events().length;
    const large = encryptWithKms(Buffer.alloc(4_097), { client, keyId, context });
    await expect(large).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: /4,096 bytes; this is 4097.*data key/,
    });
    expect(kms.events()).toHaveLength(calls);
  });

  test('of no bytes is refused', async () => {
    const { client, keyId } = await prepared();
    expect(await codeOfAsync(encryptWithKms(Buffer.alloc(0), { client, keyId, context }))).toBe('INPUT');
  });

  test('does not come back in another context, under another key, changed or cut', async () => {
    const { client, keyId, newKey } = await prepared();
    const ciphertext = await encryptWithKms(Buffer.from('secret'), { client, keyId, context });
    const flipped = Buffer.from(ciphertext);
    flipped.writeUInt8(flipped.readUInt8(flipped.length - 1) ^ 1, flipped.length - 1);
    const open = (bytes: Uint8Array, other: object = {}) =>
      codeOfAsync(decryptWithKms(bytes, { client, keyId, context, ...other }));
    expect(await open(ciphertext, { context: { ...context, tenant: 'lakeside' } })).toBe('KMS_CONTEXT');
    expect(await open(ciphertext, { context: {} })).toBe('KMS_CONTEXT');
    expect(await open(ciphertext, { keyId: await newKey() })).toBe('KMS_CONTEXT');
    expect(await open(flipped)).toBe('KMS_CONTEXT');
    expect(await open(ciphertext.subarray(0, 20))).toBe('KMS_CONTEXT');
    expect(await open(Buffer.alloc(0))).toBe('FORMAT');
    expect(await open(Buffer.alloc(6_145))).toBe('FORMAT');
  });

  test('is never encrypted under an alias or a bare id', async () => {
    const { client, keyId } = await prepared();
    await client.send(new CreateAliasCommand({ AliasName: 'alias/app', TargetKeyId: keyId }));
    for (const name of ['alias/app', keyId.split('/').at(-1) ?? '', keyId.replace(/key\/.*/, 'alias/app')])
      expect(await codeOfAsync(encryptWithKms(Buffer.from('s'), { client, keyId: name, context }))).toBe(
        'KEY_MISSING',
      );
  });

  test.each([
    ['is empty', {}],
    ['names a person', { email: 'zoe@example.com' }],
    ['has nine pairs', Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`k${index}`, 'v']))],
  ])('is refused when its context %s', async (_name, bad) => {
    const { client, keyId } = await prepared();
    expect(await codeOfAsync(encryptWithKms(Buffer.from('s'), { client, keyId, context: bad }))).toBe(
      'CONTEXT',
    );
  });

  test('fails with the code of what is wrong, and no word of the value', async () => {
    const { kms, client, keyId } = await prepared();
    await client.send(new DisableKeyCommand({ KeyId: keyId }));
    const refused = await encryptWithKms(Buffer.from('canary'), { client, keyId, context }).catch((e) => e);
    expect(refused).toMatchObject({ code: 'KEY_DISABLED', retryable: false });
    expect(`${refused.stack}${JSON.stringify(refused)}`).not.toContain('canary');
    const missing = keyId.replace(/key\/.*/, 'key/00000000-0000-4000-8000-000000000000');
    expect(await codeOfAsync(encryptWithKms(Buffer.from('s'), { client, keyId: missing, context }))).toBe(
      'KEY_MISSING',
    );
    await kms.close();
    const down = await encryptWithKms(Buffer.from('s'), { client: clientOf(kms.url), keyId, context }).catch(
      (e) => e,
    );
    expect(down).toMatchObject({ code: 'KMS_UNAVAILABLE', retryable: true });
  });
});
