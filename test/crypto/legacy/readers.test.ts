import { CreateKeyCommand, GenerateDataKeyCommand } from '@aws-sdk/client-kms';
import { describe, expect, test } from 'vitest';
import { decryptWithKms } from '../../../src/crypto/kms-small-values.ts';
import { isLegacyEnvelope, openLegacyEnvelope, openLegacyKey } from '../../../src/crypto/legacy/envelope.ts';
import { readKeyRegistry } from '../../../src/crypto/legacy/key-registry.ts';
import { type DecryptDataKey, parseLegacyPlaintext } from '../../../src/crypto/legacy/parts.ts';
import { isLegacyPayload, openLegacyPayload } from '../../../src/crypto/legacy/payload.ts';
import { started } from '../../dev/kms-emulator/harness.ts';
import { codeOf, codeOfAsync } from '../code-of.ts';
import { OLD_KEY, oldEnvelope, oldKeys, oldPayload } from './old-app.ts';

const TEXT = 'Zoë Canary';
const aad = Buffer.from('patients/42');
const openText = (value: unknown, options: object = {}) =>
  openLegacyPayload(value, { keys: oldKeys(), encoding: 'base64', ...options }).toString();

describe('an old payload', () => {
  test.each<[string, object, object]>([
    ['as base64', oldPayload(TEXT), {}],
    ['as base64 without padding', unpadded(oldPayload(TEXT)), {}],
    ['as hex', oldPayload(TEXT, { encoding: 'hex' }), { encoding: 'hex' }],
    ['marked as encrypted', { __encrypted: true, ...oldPayload(TEXT) }, {}],
    ['with additional data', oldPayload(TEXT, { aad }), { aad }],
    ['with an IV of 16 bytes', oldPayload(TEXT, { ivBytes: 16 }), {}],
    ['with its version as text', { ...oldPayload(TEXT), version: '3' }, {}],
    ['with the algorithm in capitals', { ...oldPayload(TEXT), algorithm: 'AES-256-GCM' }, {}],
    ['with members of its application', { ...oldPayload(TEXT), encryptedAt: '2024' }, {}],
  ])('%s is read', (_name, payload, options) => {
    expect(isLegacyPayload(payload)).toBe(true);
    expect(openText(payload, options)).toBe(TEXT);
  });

  test('that was written years ago is read', () => {
    const stored = {
      ciphertext: 'lRh1/SubfSMjViw=',
      iv: 'BQUFBQUFBQUFBQUF',
      authTag: 'lModAoMOTmd64alxfGJpYA==',
      algorithm: 'aes-256-gcm',
      version: 3,
    };
    expect(openText(stored)).toBe(TEXT);
  });

  test.each<[string, object, object, string]>([
    ['of another algorithm', { algorithm: 'aes-256-cbc' }, {}, 'FORMAT'],
    ['that asks for no encryption', { algorithm: 'none' }, {}, 'FORMAT'],
    ['of a weaker algorithm', { algorithm: 'aes-128-gcm' }, {}, 'FORMAT'],
    ['without an algorithm', { algorithm: undefined }, {}, 'FORMAT'],
    ['marked as not encrypted', { __encrypted: false }, {}, 'FORMAT'],
    ['of an unknown version', { version: 4 }, {}, 'KEY_MISSING'],
    ['of a version that is a member of Object', { version: 'constructor' }, {}, 'KEY_MISSING'],
    ['in hex, read as base64', oldPayload(TEXT, { encoding: 'hex' }), {}, 'FORMAT'],
    ['in base64, read as hex', {}, { encoding: 'hex' }, 'FORMAT'],
    ['with a tag of 4 bytes', oldPayload(TEXT, { tagBytes: 4 }), {}, 'FORMAT'],
    ['with a tag of 12 bytes', oldPayload(TEXT, { tagBytes: 12 }), {}, 'FORMAT'],
    ['with an IV of 8 bytes', oldPayload(TEXT, { ivBytes: 8 }), {}, 'FORMAT'],
    ['with a number for text', { iv: 7 }, {}, 'FORMAT'],
    ['under another key', oldPayload(TEXT, { key: Buffer.alloc(32, 1) }), {}, 'TAG'],
    ['cut short', { ciphertext: oldPayload(TEXT).ciphertext.slice(0, 8) }, {}, 'TAG'],
    ['of nothing', { ciphertext: '' }, {}, 'TAG'],
    ['without the additional data', oldPayload(TEXT, { aad }), {}, 'TAG'],
    ['with other additional data', oldPayload(TEXT, { aad }), { aad: Buffer.from('patients/43') }, 'TAG'],
  ])('%s is refused', (_name, changed, options, code) => {
    expect(codeOf(() => openText({ ...oldPayload(TEXT), ...changed }, options))).toBe(code);
  });

  test.each([[null], ['text'], [[]], [{}], [{ ciphertext: 'x' }], [new Map()]])('%o is none', (value) => {
    expect(isLegacyPayload(value)).toBe(false);
    expect(codeOf(() => openText(value))).toBe('FORMAT');
  });
});

describe('a plaintext registry of keys', () => {
  const record = (id: string, data: object) => ({ id, data });
  const hex = OLD_KEY.toString('hex');

  test('gives the keys by version, or by id, whatever their status', () => {
    const keys = readKeyRegistry(
      [
        record('a', { key: hex, version: 3, status: 'retired' }),
        record('4', { key: hex, algorithm: 'AES-256-GCM' }),
      ],
      { encoding: 'hex' },
    );
    expect([...keys.keys()]).toEqual(['3', '4']);
    expect(openText(oldPayload(TEXT), { keys })).toBe(TEXT);
  });

  test.each<[string, object[]]>([
    ['a key of 128 bits', [{ key: hex.slice(32) }]],
    ['a key that is not hex', [{ key: OLD_KEY.toString('base64') }]],
    ['another algorithm', [{ key: hex, algorithm: 'aes-256-cbc' }]],
    ['no key', [{ version: 1 }]],
    [
      'a version twice',
      [
        { key: hex, version: 1 },
        { key: hex, version: '1' },
      ],
    ],
  ])('with %s is refused', (_name, data) => {
    const records = data.map((one, index) => record(`k${index}`, one));
    expect(codeOf(() => readKeyRegistry(records, { encoding: 'hex' }))).toBe('FORMAT');
  });
});

describe('an old envelope and an old wrapped key', () => {
  const context = { patientId: 'p.42@clinic', purpose: 'notes' };
  const prepared = async () => {
    const { client } = await started();
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
    const arn = KeyMetadata?.Arn ?? '';
    const made = await client.send(
      new GenerateDataKeyCommand({ KeyId: arn, KeySpec: 'AES_256', EncryptionContext: context }),
    );
    const decrypt: DecryptDataKey = (blob, at) => decryptWithKms(blob, { client, ...at });
    const wrapped = {
      blob: made.CiphertextBlob ?? Buffer.alloc(0),
      key: made.Plaintext ?? Buffer.alloc(0),
      kmsKeyId: arn.split('/').at(-1) ?? '',
    };
    const keyArns = new Map([[wrapped.kmsKeyId, arn]]);
    return { client, arn, wrapped, options: { decrypt, keyArns, context, encoding: 'base64' } as const };
  };

  test('are read through KMS with the context they were made in', async () => {
    const { wrapped, options } = await prepared();
    const envelope = oldEnvelope(TEXT, wrapped);
    expect(isLegacyEnvelope(envelope)).toBe(true);
    expect((await openLegacyEnvelope(envelope, options)).toString()).toBe(TEXT);
    const bound = oldEnvelope(TEXT, wrapped, { aad });
    expect((await openLegacyEnvelope(bound, { ...options, aad })).toString()).toBe(TEXT);
    const encryptedKey = Buffer.from(wrapped.blob).toString('base64');
    const record = { encryptedKey, keyId: wrapped.kmsKeyId, algorithm: 'AES_256' };
    const secret = await openLegacyKey(record, { ...options, algorithm: 'AES_256' });
    expect(secret.export()).toEqual(Buffer.from(wrapped.key));
  });

  test('are refused in another context, under a name that was not given, changed or cut', async () => {
    const { wrapped, options } = await prepared();
    const envelope = oldEnvelope(TEXT, wrapped);
    const refused = (changed: object, other: object = {}) =>
      codeOfAsync(openLegacyEnvelope({ ...envelope, ...changed }, { ...options, ...other }));
    expect(await refused({}, { context: {} })).toBe('KMS_CONTEXT');
    expect(await refused({}, { keyArns: new Map() })).toBe('KEY_MISSING');
    expect(await refused({ kmsKeyId: 'alias/other' })).toBe('KEY_MISSING');
    expect(await refused({ encryptedDataKey: envelope.encryptedDataKey.slice(4) })).toBe('KMS_CONTEXT');
    expect(await refused({ encryptedData: envelope.encryptedData.slice(4) })).toBe('TAG');
    expect(await refused({ authTag: envelope.authTag.slice(0, 8) })).toBe('FORMAT');
    expect(await refused({}, { aad })).toBe('TAG');
    expect(await refused({}, { encoding: 'hex' })).toBe('FORMAT');
    expect(await codeOfAsync(openLegacyEnvelope({}, options))).toBe('FORMAT');
  });

  test('a wrapped key of another algorithm, or one that is not 256 bits, is refused', async () => {
    const { wrapped, options } = await prepared();
    const record = { encryptedKey: 'AAAA', keyId: wrapped.kmsKeyId, algorithm: 'AES_128' };
    expect(await codeOfAsync(openLegacyKey(record, { ...options, algorithm: 'AES_256' }))).toBe('FORMAT');
    const short = { ...options, algorithm: 'AES_128', decrypt: async () => Buffer.alloc(16) };
    expect(await codeOfAsync(openLegacyKey(record, short))).toBe('FORMAT');
  });
});

test('a plaintext is read as what it was, or refused', () => {
  const json = Buffer.from('{"a":[1,null]}');
  expect(parseLegacyPlaintext(json, 'json')).toEqual({ a: [1, null] });
  expect(parseLegacyPlaintext(json, 'text')).toBe('{"a":[1,null]}');
  expect(parseLegacyPlaintext(json, 'bytes')).toBe(json);
  expect(codeOf(() => parseLegacyPlaintext(Buffer.from('{'), 'json'))).toBe('FORMAT');
  expect(codeOf(() => parseLegacyPlaintext(Buffer.from([0xff]), 'text'))).toBe('FORMAT');
});

function unpadded(payload: object): object {
  return Object.fromEntries(
    Object.entries(payload).map(([name, value]) => [name, String(value).replaceAll('=', '')]),
  );
}
