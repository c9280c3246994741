import { describe, expect, test } from 'vitest';
import { DataKeys } from '../../src/crypto/data-keys.ts';
import { openFields, sealFields } from '../../src/crypto/fields.ts';
import { DEFAULT_KEY_CACHE, KeyCache } from '../../src/crypto/key-cache.ts';
import type { EncryptionContext, WrappedKey } from '../../src/crypto/keyring.ts';
import { LocalKeyring, localKeyId } from '../../src/crypto/local-keyring.ts';
import { codeOf, codeOfAsync } from './code-of.ts';

class CountingKeyring extends LocalKeyring {
  unwraps = 0;
  override unwrap(wrapped: WrappedKey, context: EncryptionContext) {
    this.unwraps += 1;
    return super.unwrap(wrapped, context);
  }
}

const keyring = () => new CountingKeyring([{ version: 1, hex: 'ab'.repeat(32), status: 'active' }]);
const KEY_ID = localKeyId(1);
const context = { tenant: 'riverside', subject: 'person_1' };
const place = { ...context, collection: 'people', document: 'doc_1', schema: 1, revision: 0 };

describe('a data key', () => {
  test('loaded from its envelope opens what was sealed under it', async () => {
    const dataKeys = new DataKeys({ keyring: keyring() });
    const { key, envelope } = await dataKeys.createDataKey(KEY_ID, context);
    const sealed = sealFields({ name: 'Zoë' }, ['name'], { key, place });
    const loaded = await dataKeys.loadDataKey(envelope, context);
    expect(openFields(sealed, ['name'], { keys: [loaded], place })).toEqual({ name: 'Zoë' });
  });

  test('has an envelope that names its wrapping key and holds no key', async () => {
    const { key, envelope } = await new DataKeys({ keyring: keyring() }).createDataKey(KEY_ID, context);
    expect(Object.keys(envelope).sort()).toEqual(['blob', 'keyId', 'version']);
    expect(envelope).toMatchObject({ keyId: KEY_ID, version: 1 });
    expect(Buffer.from(envelope.blob).includes(key.secret.export())).toBe(false);
  });

  test('does not load for another subject, another version or a changed blob', async () => {
    const dataKeys = new DataKeys({ keyring: keyring() });
    const { envelope } = await dataKeys.createDataKey(KEY_ID, context);
    const flipped = Buffer.from(envelope.blob);
    flipped.writeUInt8(flipped.readUInt8(20) ^ 1, 20);
    const load = (changed: object, as: EncryptionContext = context) =>
      codeOfAsync(dataKeys.loadDataKey({ ...envelope, ...changed }, as));
    expect(await load({})).toBe('done');
    expect(await load({}, { ...context, subject: 'person_2' })).toBe('KMS_CONTEXT');
    expect(await load({ version: 2 })).toBe('KMS_CONTEXT');
    expect(await load({ blob: flipped })).toBe('KMS_CONTEXT');
  });

  test('has a version that the context cannot overrule', async () => {
    const dataKeys = new DataKeys({ keyring: keyring() });
    for (const [bad, version] of [
      [{ ...context, version: '1' }, 1],
      [context, 0],
      [context, 1.5],
      [context, 2 ** 32],
    ] as const)
      expect(await codeOfAsync(dataKeys.createDataKey(KEY_ID, bad, version))).toBe('CONTEXT');
  });

  test('of a later version opens beside the earlier one', async () => {
    const dataKeys = new DataKeys({ keyring: keyring() });
    const first = await dataKeys.createDataKey(KEY_ID, context);
    const second = await dataKeys.createDataKey(KEY_ID, context, 2);
    const sealed = sealFields({ a: 1 }, ['a'], { key: second.key, place });
    expect(openFields(sealed, ['a'], { keys: [first.key, second.key], place })).toEqual({ a: 1 });
    const impostor = { version: 2, secret: first.key.secret };
    expect(codeOf(() => openFields(sealed, ['a'], { keys: [impostor], place }))).toBe('COMMITMENT');
  });

  test('is unwrapped once with a cache, and each time without', async () => {
    for (const [cache, unwraps] of [
      [new KeyCache(DEFAULT_KEY_CACHE, () => 0), 1],
      [undefined, 3],
    ] as const) {
      const counted = keyring();
      const dataKeys = new DataKeys({ keyring: counted, ...(cache && { cache }) });
      const { envelope } = await dataKeys.createDataKey(KEY_ID, context);
      for (let turn = 0; turn < 3; turn += 1) await dataKeys.loadDataKey(envelope, context);
      expect(counted.unwraps).toBe(unwraps);
    }
  });

  test('in the cache is not handed to a caller with another context', async () => {
    const dataKeys = new DataKeys({ keyring: keyring(), cache: new KeyCache(DEFAULT_KEY_CACHE, () => 0) });
    const { envelope } = await dataKeys.createDataKey(KEY_ID, context);
    await dataKeys.loadDataKey(envelope, context);
    const other = { ...context, tenant: 'lakeside' };
    expect(await codeOfAsync(dataKeys.loadDataKey(envelope, other))).toBe('KMS_CONTEXT');
  });
});
