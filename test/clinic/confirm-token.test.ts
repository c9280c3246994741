import { beforeAll, expect, test } from 'vitest';
import { ConfirmTokens } from '../../src/clinic/confirm-token.ts';
import { DEFAULT_KEY_CACHE, KeyCache } from '../../src/crypto/key-cache.ts';
import { LocalKeyring, localKeyId } from '../../src/crypto/local-keyring.ts';
import { TenantSecrets } from '../../src/crypto/tenant-secrets.ts';
import type { PatientId, TenantId, UserId } from '../../src/kernel/ids.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';

const tenant = 't' as TenantId;
const holder = { tenant, user: 'u' as UserId, patient: 'p' as PatientId };
const PREVIEW = ['cancel', 'apt_1', 7];
const NOW = 1_000_000;
let tokens: ConfirmTokens;

beforeAll(async () => {
  const secrets = new TenantSecrets({
    store: createMemoryStore(),
    keyring: new LocalKeyring([{ version: 1, hex: 'cd'.repeat(32), status: 'active' }]),
    cache: new KeyCache(DEFAULT_KEY_CACHE, Date.now),
    clock: Date.now,
    tenantKeyId: async () => localKeyId(1),
  });
  await secrets.ensure(tenant);
  tokens = new ConfirmTokens(secrets);
});

test('a token confirms its own preview, for ten minutes', async () => {
  const token = await tokens.issue(PREVIEW, holder, NOW);
  await tokens.check(token, PREVIEW, { ...holder, now: NOW + 600_000 });
  await expect(tokens.check(token, PREVIEW, { ...holder, now: NOW + 600_001 })).rejects.toMatchObject({
    code: 'CONFIRM_INVALID',
  });
});

test.each([
  ['another visit', ['cancel', 'apt_2', 7], {}],
  ['a visit that changed since', ['cancel', 'apt_1', 8], {}],
  ['another act', ['erase', 'apt_1', 7], {}],
  ['another person', PREVIEW, { user: 'v' as UserId }],
  ['another patient', PREVIEW, { patient: 'q' as PatientId }],
])('of %s it confirms nothing', async (_, previewed, other) => {
  const token = await tokens.issue(PREVIEW, holder, NOW);
  await expect(tokens.check(token, previewed, { ...holder, ...other, now: NOW })).rejects.toMatchObject({
    code: 'CONFIRM_INVALID',
  });
});

test.each(['', 'x', '~', 'zz~AAAAAAAAAAAAAAAAAAAAAA', `${'z'.repeat(40)}~a`])(
  '%j is no token',
  async (token) => {
    await expect(tokens.check(token, PREVIEW, { ...holder, now: NOW })).rejects.toMatchObject({
      code: 'CONFIRM_INVALID',
    });
  },
);

test('a longer life cannot be written into it', async () => {
  const token = await tokens.issue(PREVIEW, holder, NOW);
  const forged = `${(NOW * 2).toString(36)}~${token.split('~')[1]}`;
  await expect(tokens.check(forged, PREVIEW, { ...holder, now: NOW })).rejects.toMatchObject({
    code: 'CONFIRM_INVALID',
  });
});
