import {
  DecryptCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateRandomCommand,
  ReEncryptCommand,
} from '@aws-sdk/client-kms';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalContext, openBlob, parseBlob, sealBlob } from '../../../src/dev/kms-emulator/ciphertext.ts';
import { createKey, decrypt, encrypt } from './calls.ts';
import { ACCOUNT, clientOf, errorMessage, errorName, REGION, started } from './harness.ts';

const arnOf = (key: string): string => `arn:aws:kms:${REGION}:${ACCOUNT}:key/${key}`;

describe('Encrypt and Decrypt', () => {
  test('give the plaintext back under the same context, in any order of its keys', async () => {
    const { client } = await started();
    const key = await createKey(client);
    const blob = await encrypt(client, { key, context: { tenant: 't1', patient: 'p1' } });
    expect(await decrypt(client, { blob, context: { patient: 'p1', tenant: 't1' } })).toBe('hello');
    const answer = await client.send(
      new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: { tenant: 't1', patient: 'p1' } }),
    );
    expect(answer.KeyId).toBe(arnOf(key));
    expect(answer.EncryptionAlgorithm).toBe('SYMMETRIC_DEFAULT');
    expect(answer.KeyMaterialId).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each([
    ['no context', undefined],
    ['another value', { tenant: 't2' }],
    ['another case', { Tenant: 't1' }],
    ['one pair more', { tenant: 't1', patient: 'p1' }],
    ['a shifted boundary', { tenantt: '1' }],
  ])('a ciphertext does not open with %s', async (_, context) => {
    const { client } = await started();
    const blob = await encrypt(client, { key: await createKey(client), context: { tenant: 't1' } });
    const opened = decrypt(client, { blob, ...(context ? { context } : {}) });
    expect(await errorName(opened)).toBe('InvalidCiphertextException');
  });

  test('an empty context is the same as none', async () => {
    const { client } = await started();
    const blob = await encrypt(client, { key: await createKey(client), context: {} });
    expect(await decrypt(client, { blob })).toBe('hello');
  });

  test('a ciphertext with any one bit changed does not open', async () => {
    const { client } = await started();
    const blob = await encrypt(client, { key: await createKey(client) });
    const names = new Set<string>();
    for (let at = 0; at < blob.length; at += 5) {
      const changed = Uint8Array.from(blob);
      changed[at] = (changed[at] ?? 0) ^ 1;
      names.add(await errorName(decrypt(client, { blob: changed })));
    }
    // A changed key id is a key that does not exist, which AWS answers as it answers a forbidden one.
    expect([...names].sort()).toEqual(['AccessDeniedException', 'InvalidCiphertextException']);
  });

  test('the key named with Decrypt must be the key that encrypted', async () => {
    const { client } = await started();
    const [mine, other] = [await createKey(client), await createKey(client)];
    const blob = await encrypt(client, { key: mine });
    expect(await decrypt(client, { blob, key: mine })).toBe('hello');
    expect(await errorName(decrypt(client, { blob, key: other }))).toBe('IncorrectKeyException');
  });

  test('bytes that are no ciphertext are refused', async () => {
    const { client } = await started();
    await createKey(client);
    expect(await errorName(decrypt(client, { blob: Buffer.from('nonsense') }))).toBe(
      'InvalidCiphertextException',
    );
    expect(await errorName(decrypt(client, { blob: Buffer.alloc(6145) }))).toBe('ValidationException');
  });

  test('a ciphertext of an emulator with other keys names a key that does not exist here', async () => {
    const [here, there] = [await started(), await started()];
    const blob = await encrypt(there.client, { key: await createKey(there.client) });
    expect(await errorName(decrypt(here.client, { blob }))).toBe('AccessDeniedException');
    expect(await errorMessage(decrypt(here.client, { blob }))).toContain('does not exist in this region');
  });

  test.each([
    [1, 'none'],
    [4096, 'none'],
    [0, 'ValidationException'],
    [4097, 'ValidationException'],
  ])('Encrypt of %i bytes: %s', async (length, expected) => {
    const { client } = await started();
    const key = await createKey(client);
    const sent = client.send(new EncryptCommand({ KeyId: key, Plaintext: new Uint8Array(length) }));
    expect(await errorName(sent)).toBe(expected);
  });

  test('a dry run is checked and then refused, and encrypts nothing', async () => {
    const { client } = await started();
    const key = await createKey(client);
    const sent = client.send(new EncryptCommand({ KeyId: key, Plaintext: Buffer.of(1), DryRun: true }));
    expect(await errorName(sent)).toBe('DryRunOperationException');
  });

  test('grant tokens are refused, since grants are not emulated', async () => {
    const { client } = await started();
    const key = await createKey(client);
    const sent = client.send(new EncryptCommand({ KeyId: key, Plaintext: Buffer.of(1), GrantTokens: ['t'] }));
    expect(await errorName(sent)).toBe('InvalidGrantTokenException');
  });
});

describe('the encryption context', () => {
  const text = fc.string({ unit: 'binary', maxLength: 4 });
  const context = fc.dictionary(text, text, { maxKeys: 4 });
  const key = { keyId: 'k', materialId: 'ab'.repeat(32), secret: Buffer.alloc(32, 1) };

  test('has one encoding for one context, whatever the order of its keys', () => {
    fc.assert(
      fc.property(context, (pairs) => {
        const reversed = Object.fromEntries(Object.entries(pairs).reverse());
        expect(canonicalContext(reversed)).toEqual(canonicalContext(pairs));
      }),
    );
  });

  test('two different contexts never open each other', () => {
    const sorted = (pairs: Record<string, string>): string => JSON.stringify(Object.entries(pairs).sort());
    fc.assert(
      fc.property(context, context, (one, two) => {
        fc.pre(sorted(one) !== sorted(two));
        const blob = parseBlob(sealBlob(key, Buffer.from('x'), one));
        expect(() => openBlob(blob, key.secret, two)).toThrow('does not open');
        expect(openBlob(blob, key.secret, one).toString()).toBe('x');
      }),
    );
  });

  test.each([
    [{ a: 'bc' }, { ab: 'c' }],
    [{ a: 'b', c: 'd' }, { a: 'bcd' }],
    [{ a: '' }, { '': 'a' }],
    [{ a: 'b\0c' }, { 'a\0b': 'c' }],
  ])('%j is not %j', async (one, two) => {
    const { client } = await started();
    const blob = await encrypt(client, {
      key: await createKey(client),
      context: one as Record<string, string>,
    });
    const opened = decrypt(client, { blob, context: two as Record<string, string> });
    expect(await errorName(opened)).toBe('InvalidCiphertextException');
  });

  test('the ciphertext blob keeps its frozen shape', () => {
    const blob = sealBlob(key, Buffer.from('x'), { a: 'b' });
    expect(blob.subarray(0, 7).toString('hex')).toBe('434b4d5301016b');
    expect(blob.length).toBe(7 + 32 + 12 + 1 + 16);
    expect(canonicalContext({ b: '', a: 'bc' }).toString('hex')).toBe(
      '00000001610000000262630000000162' + '00000000',
    );
  });
});

describe('GenerateDataKey', () => {
  test('gives a key that Decrypt gives again, under its context only', async () => {
    const { client } = await started();
    const KeyId = await createKey(client);
    const EncryptionContext = { tenant: 't1' };
    const made = await client.send(
      new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext }),
    );
    expect(made.Plaintext).toHaveLength(32);
    expect(made.KeyMaterialId).toMatch(/^[0-9a-f]{64}$/);
    const { CiphertextBlob } = made;
    const opened = await client.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
    expect(opened.Plaintext).toEqual(made.Plaintext);
    expect(await errorName(client.send(new DecryptCommand({ CiphertextBlob })))).toBe(
      'InvalidCiphertextException',
    );
  });

  test('without plaintext it gives the ciphertext alone', async () => {
    const { client } = await started();
    const KeyId = await createKey(client);
    const made = await client.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, NumberOfBytes: 24 }));
    expect(made).not.toHaveProperty('Plaintext');
    const opened = await client.send(new DecryptCommand({ CiphertextBlob: made.CiphertextBlob }));
    expect(opened.Plaintext).toHaveLength(24);
  });

  test.each([
    [{ KeySpec: 'AES_256', NumberOfBytes: 32 }],
    [{}],
    [{ NumberOfBytes: 1025 }],
    [{ NumberOfBytes: 0 }],
    [{ KeySpec: 'AES_512' }],
  ])('%j is refused', async (input) => {
    const { client } = await started();
    const KeyId = await createKey(client);
    const sent = client.send(new GenerateDataKeyCommand({ KeyId, ...(input as { NumberOfBytes?: number }) }));
    expect(await errorName(sent)).toBe('ValidationException');
  });

  test('GenerateRandom gives as many bytes as asked for, at most 1,024', async () => {
    const { client } = await started();
    const { Plaintext } = await client.send(new GenerateRandomCommand({ NumberOfBytes: 1024 }));
    expect(Plaintext).toHaveLength(1024);
    expect(await errorName(client.send(new GenerateRandomCommand({ NumberOfBytes: 1025 })))).toBe(
      'ValidationException',
    );
  });
});

describe('ReEncrypt', () => {
  test('moves a ciphertext to another key and context and says from which to which', async () => {
    const { client } = await started();
    const [from, to] = [await createKey(client), await createKey(client)];
    const CiphertextBlob = await encrypt(client, { key: from, context: { v: '1' } });
    const moved = await client.send(
      new ReEncryptCommand({
        CiphertextBlob,
        SourceKeyId: from,
        SourceEncryptionContext: { v: '1' },
        DestinationKeyId: to,
        DestinationEncryptionContext: { v: '2' },
      }),
    );
    expect(moved).toMatchObject({ SourceKeyId: arnOf(from), KeyId: arnOf(to) });
    expect(moved.SourceKeyMaterialId).not.toBe(moved.DestinationKeyMaterialId);
    const blob = moved.CiphertextBlob ?? new Uint8Array();
    expect(await decrypt(client, { blob, key: to, context: { v: '2' } })).toBe('hello');
    expect(await errorName(decrypt(client, { blob, context: { v: '1' } }))).toBe(
      'InvalidCiphertextException',
    );
  });

  test.each([
    ['InvalidCiphertextException', 'the wrong source context', { SourceEncryptionContext: { v: '2' } }],
    [
      'IncorrectKeyException',
      'the wrong source key',
      { SourceEncryptionContext: { v: '1' }, wrongKey: true },
    ],
  ])(
    '%s with %s',
    async (expected, _, {
      wrongKey,
      ...input
    }: { wrongKey?: boolean; SourceEncryptionContext: { v: string } }) => {
      const { client } = await started();
      const [from, to] = [await createKey(client), await createKey(client)];
      const CiphertextBlob = await encrypt(client, { key: from, context: { v: '1' } });
      const command = new ReEncryptCommand({
        CiphertextBlob,
        DestinationKeyId: to,
        SourceKeyId: wrongKey ? to : from,
        ...input,
      });
      expect(await errorName(client.send(command))).toBe(expected);
    },
  );
});

test.each([
  ['a disabled key', 'DisabledException', {}],
  ['a key for MACs', 'InvalidKeyUsageException', { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }],
] as const)('ReEncrypt does not move a ciphertext to %s: %s', async (_, expected, input) => {
  const { client } = await started();
  const CiphertextBlob = await encrypt(client, { key: await createKey(client) });
  const DestinationKeyId = await createKey(client, input);
  if (expected === 'DisabledException') await client.send(new DisableKeyCommand({ KeyId: DestinationKeyId }));
  const moved = client.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId }));
  expect(await errorName(moved)).toBe(expected);
});

test('a single-Region key and its ciphertexts are unknown in another Region', async () => {
  const { kms, client } = await started();
  const key = await createKey(client);
  const blob = await encrypt(client, { key });
  const elsewhere = clientOf(kms.url, { region: 'eu-west-1' });
  expect(await errorName(encrypt(elsewhere, { key }))).toBe('NotFoundException');
  expect(await errorName(encrypt(elsewhere, { key: arnOf(key) }))).toBe('NotFoundException');
  expect(await errorName(decrypt(elsewhere, { blob }))).toBe('AccessDeniedException');
});
