import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import {
  GenerateMacCommand,
  GetPublicKeyCommand,
  type KMSClient,
  SignCommand,
  type SigningAlgorithmSpec,
  VerifyCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms';
import { describe, expect, test } from 'vitest';
import { createKey } from './calls.ts';
import { errorName, started } from './harness.ts';

const MESSAGE = Buffer.from('a checkpoint');
const DIGEST = createHash('sha256').update(MESSAGE).digest();

const ed25519 = (client: KMSClient): Promise<string> =>
  createKey(client, { KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' });
const p256 = (client: KMSClient): Promise<string> =>
  createKey(client, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });

interface Signing {
  readonly key: string;
  readonly algorithm: SigningAlgorithmSpec;
  readonly message?: Buffer;
  readonly type?: 'RAW' | 'DIGEST';
}

const input = ({ key, algorithm, message = MESSAGE, type = 'RAW' }: Signing) => ({
  KeyId: key,
  Message: message,
  MessageType: type,
  SigningAlgorithm: algorithm,
});

const sign = async (client: KMSClient, signing: Signing): Promise<Uint8Array> =>
  (await client.send(new SignCommand(input(signing)))).Signature ?? new Uint8Array();

/** A DER signature whose first number has a zero byte too many: the same numbers, not the same encoding. */
const padded = (signature: Uint8Array): Uint8Array => {
  const [sequence = 0, length = 0, integer = 0, size = 0, ...rest] = signature;
  return Uint8Array.from([sequence, length + 1, integer, size + 1, 0, ...rest]);
};

async function publicKeyOf(client: KMSClient, KeyId: string) {
  const { PublicKey } = await client.send(new GetPublicKeyCommand({ KeyId }));
  return createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
}

describe('signatures', () => {
  test('Ed25519: node:crypto verifies what Sign made, with the key of GetPublicKey', async () => {
    const { client } = await started();
    const key = await ed25519(client);
    const signature = await sign(client, { key, algorithm: 'ED25519_SHA_512' });
    const publicKey = await publicKeyOf(client, key);
    expect(publicKey.asymmetricKeyType).toBe('ed25519');
    expect(verify(null, MESSAGE, publicKey, signature)).toBe(true);
    expect(verify(null, Buffer.from('another'), publicKey, signature)).toBe(false);
  });

  test.each([
    ['RAW', MESSAGE],
    ['DIGEST', DIGEST],
  ] as const)('P-256 with MessageType %s: node:crypto verifies it', async (type, message) => {
    const { client } = await started();
    const key = await p256(client);
    const publicKey = await publicKeyOf(client, key);
    for (let n = 0; n < 8; n += 1) {
      const signature = await sign(client, { key, algorithm: 'ECDSA_SHA_256', type, message });
      expect(verify('sha256', MESSAGE, publicKey, signature)).toBe(true);
    }
  });

  test('Verify accepts a P-256 signature of either message type as the other', async () => {
    const { client } = await started();
    const key = await p256(client);
    const raw = { key, algorithm: 'ECDSA_SHA_256' } as const;
    const digest = { ...raw, type: 'DIGEST', message: DIGEST } as const;
    for (const [made, checked] of [
      [raw, digest],
      [digest, raw],
      [raw, raw],
      [digest, digest],
    ] as const) {
      const Signature = await sign(client, made);
      const { SignatureValid } = await client.send(new VerifyCommand({ ...input(checked), Signature }));
      expect(SignatureValid).toBe(true);
    }
  });

  test.each([
    ['Ed25519', ed25519, 'ED25519_SHA_512', 'RAW', Buffer.from('another')],
    ['P-256 over a message', p256, 'ECDSA_SHA_256', 'RAW', Buffer.from('another')],
    ['P-256 over a digest', p256, 'ECDSA_SHA_256', 'DIGEST', randomBytes(32)],
  ] as const)(
    '%s: Verify of another message or a changed signature is an error',
    async (_, make, algorithm, type, other) => {
      const { client } = await started();
      const key = await make(client);
      const message = type === 'DIGEST' ? DIGEST : MESSAGE;
      const signing = { key, algorithm, type, message };
      const Signature = await sign(client, signing);
      const changed = Uint8Array.from(Signature);
      changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
      const attempts = [
        { ...input({ ...signing, message: other }), Signature },
        { ...input(signing), Signature: changed },
        { ...input(signing), Signature: Signature.subarray(0, 10) },
        { ...input(signing), Signature: Buffer.concat([Signature, Buffer.of(0)]) },
        { ...input(signing), Signature: padded(Signature) },
      ];
      for (const attempt of attempts) {
        expect(await errorName(client.send(new VerifyCommand(attempt)))).toBe('KMSInvalidSignatureException');
      }
    },
  );

  test.each([
    [
      'Ed25519 with a digest',
      ed25519,
      { algorithm: 'ED25519_SHA_512', type: 'DIGEST', message: DIGEST },
      'ValidationException',
    ],
    [
      'Ed25519ph',
      ed25519,
      { algorithm: 'ED25519_PH_SHA_512', type: 'DIGEST', message: DIGEST },
      'UnsupportedOperationException',
    ],
    [
      'a short digest',
      p256,
      { algorithm: 'ECDSA_SHA_256', type: 'DIGEST', message: DIGEST.subarray(1) },
      'ValidationException',
    ],
    [
      'an empty message',
      p256,
      { algorithm: 'ECDSA_SHA_256', message: Buffer.alloc(0) },
      'ValidationException',
    ],
    [
      'a message over 4,096 bytes',
      p256,
      { algorithm: 'ECDSA_SHA_256', message: Buffer.alloc(4097) },
      'ValidationException',
    ],
    ["another key's algorithm", p256, { algorithm: 'ED25519_SHA_512' }, 'InvalidKeyUsageException'],
    ['an unknown algorithm', p256, { algorithm: 'ROT13' }, 'ValidationException'],
  ] as const)('%s is refused', async (_, make, signing, expected) => {
    const { client } = await started();
    const key = await make(client);
    expect(await errorName(sign(client, { key, ...(signing as Omit<Signing, 'key'>) }))).toBe(expected);
  });

  test('a symmetric key has no public key and does not sign', async () => {
    const { client } = await started();
    const key = await createKey(client);
    expect(await errorName(client.send(new GetPublicKeyCommand({ KeyId: key })))).toBe(
      'UnsupportedOperationException',
    );
    expect(await errorName(sign(client, { key, algorithm: 'ECDSA_SHA_256' }))).toBe(
      'InvalidKeyUsageException',
    );
  });
});

describe('MACs', () => {
  test('VerifyMac accepts what GenerateMac made and nothing else', async () => {
    const { client } = await started();
    const KeyId = await createKey(client, { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
    const mac = { KeyId, Message: MESSAGE, MacAlgorithm: 'HMAC_SHA_256' } as const;
    const { Mac } = await client.send(new GenerateMacCommand(mac));
    expect(Mac).toHaveLength(32);
    expect((await client.send(new GenerateMacCommand(mac))).Mac).toEqual(Mac);
    expect((await client.send(new VerifyMacCommand({ ...mac, Mac }))).MacValid).toBe(true);
    for (const wrong of [randomBytes(32), Mac?.subarray(1)]) {
      const sent = client.send(new VerifyMacCommand({ ...mac, Mac: wrong }));
      expect(await errorName(sent)).toBe('KMSInvalidMacException');
    }
    const other = client.send(new GenerateMacCommand({ ...mac, MacAlgorithm: 'HMAC_SHA_512' }));
    expect(await errorName(other)).toBe('InvalidKeyUsageException');
  });
});
