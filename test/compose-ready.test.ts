import { createLocalJWKSet } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { KeysError } from '../src/access/remote-keys.ts';
import { formatCheckpoint } from '../src/audit/checkpoint.ts';
import { Outside } from '../src/audit/outside.ts';
import { formatNote } from '../src/audit/signed-note.ts';
import { tenants } from '../src/clinic/clinic.ts';
import type { HttpParts } from '../src/compose-parts.ts';
import { readyOf } from '../src/compose-ready.ts';
import { CryptoError, type CryptoErrorCode } from '../src/crypto/errors.ts';
import { DEFAULT_KEY_CACHE, KeyCache } from '../src/crypto/key-cache.ts';
import { LocalKeyring, localKeyId } from '../src/crypto/local-keyring.ts';
import { TenantSecrets } from '../src/crypto/tenant-secrets.ts';
import { ref } from '../src/kernel/collection.ts';
import { SYSTEM_TENANT, type TenantId } from '../src/kernel/ids.ts';
import { createMemoryStore, type MemoryStore } from './doubles/memory-store.ts';

const TENANT = 'riverside' as TenantId;
const NOW = Date.UTC(2026, 10, 24);
const clock = () => NOW;
const keyring = new LocalKeyring([{ version: 1, hex: 'ab'.repeat(32), status: 'active' }]);

/** A bucket that holds one signed checkpoint of the age, in ms. */
const checkpointOf = (age: number): Outside => {
  const text = formatCheckpoint({
    origin: 'chartseal/p/riverside',
    size: 0,
    root: new Uint8Array(32),
    time: NOW - age,
  });
  const note = formatNote({
    text,
    signatures: [{ name: 'k', keyId: new Uint8Array(4), signature: new Uint8Array(64) }],
  });
  const name = 'riverside/checkpoint/000000000001';
  return new Outside({
    get: async (asked) => (asked === name ? note : null),
    putIfAbsent: async () => false,
  });
};

describe('what readyz asks', () => {
  let store: MemoryStore;
  beforeEach(async () => {
    store = createMemoryStore();
    const clinic = { name: 'Riverside', phone: '1', zone: 'UTC', keyId: localKeyId(1), state: 'active' };
    await store.tenant(SYSTEM_TENANT).transact(async (tx) => tx.put(ref(tenants, TENANT), clinic as never));
    const tenantKeyId = async () => localKeyId(1);
    await new TenantSecrets({
      store,
      keyring,
      clock,
      cache: new KeyCache(DEFAULT_KEY_CACHE, clock),
      tenantKeyId,
    }).ensure(TENANT);
  });
  const ask = async (
    change: object = {},
    keys: () => Promise<never> = createLocalJWKSet({ keys: [] }) as never,
  ) =>
    (
      await readyOf(
        {
          services: { store, clock },
          keyring,
          outside: checkpointOf(60_000),
          ...change,
        } as unknown as HttpParts,
        keys,
      )()
    ).parts;
  const failing = (code: CryptoErrorCode) => ({
    keyring: { unwrap: () => Promise.reject(new CryptoError(code, '')) },
  });

  test('all is well', async () => {
    expect(await ask()).toEqual({ store: 'ok', kms: 'ok', issuerKeys: 'ok', checkpoint: 'ok' });
  });

  test.each<[CryptoErrorCode, string]>([
    ['KMS_UNAVAILABLE', 'down'],
    ['KMS_THROTTLED', 'down'],
    ['KMS_DENIED', 'down'],
    ['KEY_DISABLED', 'ok'],
    ['KEY_MISSING', 'ok'],
  ])('a KMS that answers %s is %s: a tenant that shut its key shuts no server', async (code, kms) => {
    expect(await ask(failing(code))).toMatchObject({ kms });
  });

  test('a checkpoint of six minutes is stale, and so is none at all', async () => {
    expect(await ask({ outside: checkpointOf(360_000) })).toMatchObject({ checkpoint: 'stale' });
    const empty = new Outside({ get: async () => null, putIfAbsent: async () => false });
    expect(await ask({ outside: empty })).toMatchObject({ checkpoint: 'stale' });
    expect(await ask({ outside: null })).toMatchObject({ checkpoint: 'none' });
  });

  test('an issuer whose keys cannot be had is down', async () => {
    const gone = () => Promise.reject(new KeysError('KEYS_UNAVAILABLE', '', { retryable: true }));
    expect(await ask({}, gone)).toMatchObject({ issuerKeys: 'down' });
  });

  test('a store that does not answer is down, and with it what is read from it', async () => {
    store.fail(new Error('gone'));
    const down = { ...store, ping: () => Promise.reject(new Error('gone')) };
    expect(await ask({ services: { store: down, clock } })).toMatchObject({
      store: 'down',
      kms: 'down',
      checkpoint: 'down',
      issuerKeys: 'ok',
    });
  });
});
