import { createPublicKey, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { KmsSigner } from '../../src/crypto/kms-signer.ts';
import { startKms } from './kms.ts';

const credentials = { accessKeyId: 'AKIATESTROOT', secretAccessKey: 'not-checked' };

test('signs with a key of KMS, and answers its public half', async () => {
  const kms = await startKms();
  const { CreateKeyCommand } = await import('@aws-sdk/client-kms');
  const { KeyMetadata } = await kms.root.send(
    new CreateKeyCommand({ KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' }),
  );
  const arn = KeyMetadata?.Arn ?? '';
  const signer = new KmsSigner({ endpoint: kms.url, credentials });
  const message = Buffer.from('a note');
  const signature = await signer.sign(arn, message);
  const raw = await signer.publicKey(arn);
  expect(raw).toHaveLength(32);
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(raw).toString('base64url') },
    format: 'jwk',
  });
  expect(verify(null, message, key, signature)).toBe(true);
  await kms.disable(arn);
  await expect(signer.sign(arn, message)).rejects.toMatchObject({ code: 'KEY_DISABLED' });
  await expect(signer.sign('alias/x', message)).rejects.toMatchObject({ code: 'KEY_MISSING' });
});

test('a key that encrypts does not sign', async () => {
  const kms = await startKms();
  const arn = await kms.createKey();
  const signer = new KmsSigner({ endpoint: kms.url, credentials });
  await expect(signer.sign(arn, Buffer.from('x'))).rejects.toMatchObject({ code: 'KEY_MISSING' });
});
