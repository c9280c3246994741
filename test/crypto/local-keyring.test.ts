import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type LocalKey, LocalKeyring, localKeyId } from '../../src/crypto/local-keyring.ts';
import { type KeyringSubject, keyringContract } from '../contracts/keyring.contract.ts';
import { codeOf, rejectionOf } from './samples.ts';

const context = { app: 'chartseal', tenant: 'riverside', patient: 'pa_1', version: '1' };
const hex = 'ab'.repeat(32);

keyringContract('local', async (): Promise<KeyringSubject> => {
  // A local key's status comes with the configuration: a change of it is another keyring.
  let keys: LocalKey[] = [1, 2, 3, 4].map((version) => ({
    version,
    hex: randomBytes(32).toString('hex'),
    status: 'active',
  }));
  let handedOut = 0;
  const end = async (keyId: string): Promise<void> => {
    keys = keys.map((key) => (localKeyId(key.version) === keyId ? { ...key, status: 'deleted' } : key));
  };
  return {
    keyring: () => new LocalKeyring(keys),
    freshKey: async () => localKeyId(++handedOut),
    unknownKey: localKeyId(99),
    looseNames: ['1', 'local/chartseal', 'LOCAL/CHARTSEAL/1', 'local/chartseal/01'],
    disable: end,
    remove: end,
  };
});

describe('a local keyring', () => {
  test('a deprecated key opens what it wrapped and wraps nothing more', async () => {
    const before = new LocalKeyring([{ version: 1, hex, status: 'active' }]);
    const { wrapped, secret } = await before.generate(localKeyId(1), context);
    const after = new LocalKeyring([
      { version: 1, hex, status: 'deprecated' },
      { version: 2, hex: 'cd'.repeat(32), status: 'active' },
    ]);
    expect((await after.unwrap(wrapped, context)).equals(secret)).toBe(true);
    expect(await rejectionOf(after.generate(localKeyId(1), context))).toBe('KEY_DISABLED');
    const moved = await after.rewrap(wrapped, context, localKeyId(2));
    expect((await after.unwrap(moved, context)).equals(secret)).toBe(true);
    expect(await rejectionOf(after.rewrap(moved, context, localKeyId(1)))).toBe('KEY_DISABLED');
  });

  test.each([
    ['63 characters', [{ version: 1, hex: hex.slice(1), status: 'active' }]],
    ['letters that are not hex', [{ version: 1, hex: `zz${hex.slice(2)}`, status: 'active' }]],
    ['a line break at the end', [{ version: 1, hex: `${hex}\n`, status: 'active' }]],
    [
      'one version twice',
      [
        { version: 1, hex, status: 'active' },
        { version: 1, hex: 'cd'.repeat(32), status: 'deprecated' },
      ],
    ],
  ])('refuses %s, and its message does not repeat the key', (_, keys) => {
    expect(codeOf(() => new LocalKeyring(keys as LocalKey[]))).toBe('FORMAT');
    expect(() => new LocalKeyring(keys as LocalKey[])).toThrow(/^A local key is 64 hex characters/);
  });

  test('a wrapped key that was written down opens for ever', async () => {
    const keyring = new LocalKeyring([{ version: 1, hex, status: 'active' }]);
    const blob = Buffer.from(FROZEN_BLOB, 'hex');
    const secret = await keyring.unwrap({ keyId: localKeyId(1), blob }, context);
    expect(secret.export().toString('hex')).toBe(FROZEN_KEY);
  });
});

const FROZEN_BLOB =
  'f55e969ebe2a15ab78eb36d1955a84620379148df4e2f54239fe4459cc6d52fb' +
  '0032baa73ce63e54537fddb4bbe6ef831ea0a4c3d5be5edb6ab5a1c8';
const FROZEN_KEY = '3076211ba57e5914c879cbafd2e3a5e53579ea0c6de3f4b96d03dcbf2723bb2f';
