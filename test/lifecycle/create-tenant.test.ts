import {
  DecryptCommand,
  GenerateDataKeyCommand,
  GetKeyPolicyCommand,
  ListKeysCommand,
} from '@aws-sdk/client-kms';
import { expect, test } from 'vitest';
import { findMember } from '../../src/access/members.ts';
import { AuditLog, auditEvents } from '../../src/audit/append.ts';
import { findClinic } from '../../src/clinic/clinic.ts';
import { IndexKeys } from '../../src/crypto/index-keys.ts';
import { DEFAULT_KEY_CACHE, KeyCache } from '../../src/crypto/key-cache.ts';
import { KmsTenantKeys } from '../../src/crypto/kms-tenant-keys.ts';
import { LocalKeyring } from '../../src/crypto/local-keyring.ts';
import { TenantSecrets } from '../../src/crypto/tenant-secrets.ts';
import { parseTenantId, parseUserId, SYSTEM_TENANT, type TenantId } from '../../src/kernel/ids.ts';
import { createTenant, type NewTenant } from '../../src/lifecycle/tenants/create-tenant.ts';
import { codeOfAsync } from '../crypto/code-of.ts';
import { startKms } from '../crypto/kms.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';

const NORTH = parseTenantId('north');
const ADMIN = parseUserId('usr_boss');
const asked: NewTenant = { name: 'North', phone: '+1', zone: 'America/Chicago', admin: ADMIN };

async function open() {
  const kms = await startKms();
  const store = createMemoryStore();
  const keyring = kms.keyring();
  const base = {
    ...{ store, keyring, cache: new KeyCache(DEFAULT_KEY_CACHE, Date.now), clock: Date.now },
    tenantKeyId: async (tenant: TenantId) => (await findClinic(store, tenant)).keyId,
  };
  const keys = new KmsTenantKeys({
    endpoint: kms.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIATESTROOT', secretAccessKey: 'x' },
  });
  const audit = new AuditLog({ store, clock: Date.now, journal: () => undefined });
  const signers: TenantId[] = [];
  const house = {
    ...{ store, audit, keyring, keys, secrets: new TenantSecrets(base), indexKeys: new IndexKeys(base) },
    enlistSigner: async (tenant: TenantId) => void signers.push(tenant),
  };
  return { kms, store, house, keys, signers };
}

test('a tenant has a key under its alias, its keys, a signer, an administrator and the first event of its log', async () => {
  const { store, house, keys, signers } = await open();
  const keyId = await createTenant(house, NORTH, asked);
  expect(await keys.wrappingKey(NORTH)).toBe(keyId);
  expect(await findClinic(store, NORTH)).toMatchObject({ name: 'North', zone: 'America/Chicago', keyId });
  expect(await findMember(store, NORTH, ADMIN)).toEqual({ role: 'admin', ownChart: null });
  expect((await house.indexKeys.load(NORTH)).write).toBe(1);
  expect(await house.secrets.mac(NORTH, 'slot', ['x'])).toHaveLength(32);
  expect(signers).toEqual([NORTH]);
  const [event] = await store.tenant(NORTH).list(auditEvents, { limit: 10 });
  expect(JSON.parse(Buffer.from(event?.row.leaf ?? []).toString())).toMatchObject({
    operation: 'createTenant',
    action: 'C',
    entity: { resource: 'Organization', id: 'north' },
  });
  expect(await keys.describe(keyId)).toMatchObject({ state: 'Enabled', rotation: { periodDays: 365 } });
});

test('the key’s policy lets nobody, not even the account’s root, use it for another tenant', async () => {
  const { house, kms } = await open();
  const KeyId = await createTenant(house, NORTH, asked);
  const { Policy = '' } = await kms.root.send(new GetKeyPolicyCommand({ KeyId }));
  expect(JSON.parse(Policy)).toMatchObject({ Statement: [{ Effect: 'Allow' }, { Effect: 'Deny' }] });
  const generate = (EncryptionContext?: Record<string, string>) =>
    kms.root.send(
      new GenerateDataKeyCommand({
        KeyId,
        KeySpec: 'AES_256',
        ...(EncryptionContext && { EncryptionContext }),
      }),
    );
  const { CiphertextBlob } = await generate({ tenant: 'north' });
  for (const context of [{ tenant: 'south' }, undefined])
    await expect(generate(context)).rejects.toMatchObject({ name: 'AccessDeniedException' });
  await expect(
    kms.root.send(new DecryptCommand({ KeyId, CiphertextBlob, EncryptionContext: { tenant: 'south' } })),
  ).rejects.toMatchObject({ name: 'AccessDeniedException' });
});

test('a tenant may bring its own key; one that does not work makes no tenant', async () => {
  const { house, kms, store } = await open();
  const own = await kms.createKey();
  expect(await createTenant(house, NORTH, { ...asked, keyId: own })).toBe(own);
  const broken = await kms.createKey();
  await kms.disable(broken);
  const south = parseTenantId('south');
  expect(await codeOfAsync(createTenant(house, south, { ...asked, keyId: broken }))).toBe('KEY_DISABLED');
  expect(await codeOfAsync(findClinic(store, south))).toBe('CLINIC_MISSING');
});

test('made halfway it is finished by the same call; a whole one is never made again', async () => {
  const { house, store } = await open();
  store.refuseWrites('members');
  expect(await codeOfAsync(createTenant(house, NORTH, asked))).toBe('STORE_UNAVAILABLE');
  store.refuseWrites(null);
  const keyId = await createTenant(house, NORTH, asked);
  expect((await findClinic(store, NORTH)).keyId).toBe(keyId);
  expect(await codeOfAsync(createTenant(house, NORTH, asked))).toBe('TENANT_EXISTS');
  expect(await codeOfAsync(createTenant(house, SYSTEM_TENANT, asked))).toBe('TENANT_EXISTS');
  expect(await codeOfAsync(createTenant(house, parseTenantId('w'), { ...asked, zone: 'Mars/Base' }))).toBe(
    'SCHEDULE_INVALID',
  );
});

test('killed between any two calls of KMS and called again, it finds the keys that it had made', async () => {
  const { house, keys, kms } = await open();
  const other = parseTenantId('nort');
  await keys.wrappingKey(other);
  for (const call of ['PutKeyPolicy', 'EnableKeyRotation', 'CreateAlias']) {
    await kms.faults({ errors: { [call]: 'AccessDeniedException' } });
    expect(await codeOfAsync(createTenant(house, NORTH, asked))).toBe('KMS_DENIED');
  }
  await kms.faults({});
  const keyId = await createTenant(house, NORTH, asked);
  expect(await keys.describe(keyId)).toMatchObject({ state: 'Enabled', rotation: { periodDays: 365 } });
  await kms.faults({ errors: { CreateAlias: 'AccessDeniedException' } });
  expect(await codeOfAsync(keys.signingKey(NORTH))).toBe('KMS_DENIED');
  await kms.faults({});
  expect(await keys.signingKey(NORTH)).not.toBe(keyId);
  // One of the other tenant, and one for each use of this one.
  expect((await kms.root.send(new ListKeysCommand({}))).Keys).toHaveLength(3);
});

test('with local keys one must be named', async () => {
  const { house } = await open();
  const keyring = new LocalKeyring([{ version: 1, hex: 'ab'.repeat(32), status: 'active' }]);
  expect(await codeOfAsync(createTenant({ ...house, keyring, keys: null }, NORTH, asked))).toBe('INPUT');
});
