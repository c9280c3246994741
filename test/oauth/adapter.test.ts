import { beforeEach, describe, expect, test } from 'vitest';
import { expiryRound } from '../../src/collections.ts';
import { SYSTEM_TENANT, type TenantId, type UserId } from '../../src/kernel/ids.ts';
import { createAdapterFactory, keepClient, stateRef } from '../../src/oauth/adapter.ts';
import { createGrantRegistry } from '../../src/oauth/grants.ts';
import { logOf } from '../doubles/audit-log.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';

let now: number;
let store: ReturnType<typeof createMemoryStore>;
let adapterOf: ReturnType<typeof createAdapterFactory>;
const rows = () => [...(store.rows.get(SYSTEM_TENANT) ?? [])];

beforeEach(() => {
  now = 1_800_000_000_000;
  store = createMemoryStore();
  adapterOf = createAdapterFactory(store, () => now);
});

describe('a stored row', () => {
  test('has this shape', async () => {
    const code = adapterOf('AuthorizationCode');
    await code.upsert(
      'the-code',
      { jti: 'the-code', kind: 'AuthorizationCode', grantId: 'g', nonce: undefined },
      60,
    );
    expect(rows()).toEqual([
      [
        'oauthState/AuthorizationCode_7DGrz5DFcFFtWOE5NDHy8SoEfeFyLzcQ8JIkeQIqbQg',
        {
          payload: { kind: 'AuthorizationCode', grantId: 'g' },
          grantId: 'g',
          uid: null,
          expiresAt: 1_800_000_060_000,
          consumedAt: null,
        },
      ],
    ]);
  });

  test('never holds its own secret or a session’s', async () => {
    const secret = 'a-secret-that-opens-something';
    await adapterOf('Interaction').upsert(
      secret,
      {
        jti: secret,
        returnTo: `https://clinic.example/oauth/authorize/${secret}`,
        session: { uid: 'u', accountId: 'a', cookie: 'the-session-cookie' },
      },
      900,
    );
    const stored = JSON.stringify(rows());
    expect(stored).not.toContain(secret);
    expect(stored).not.toContain('the-session-cookie');
    expect(await adapterOf('Interaction').find(secret)).toMatchObject({
      jti: secret,
      returnTo: `https://clinic.example/oauth/authorize/${secret}`,
      session: { uid: 'u', accountId: 'a' },
    });
  });

  test('has an id that every store takes, whatever the client’s id is', () => {
    const { id } = stateRef('BackchannelAuthenticationRequest', 'https://chatgpt.com/oauth/client.json?x=/é');
    expect(id).toMatch(/^[A-Za-z0-9_-]{1,128}$/);
  });

  test('of one model is not found by another', async () => {
    await adapterOf('AuthorizationCode').upsert('same', {}, 60);
    expect(await adapterOf('RefreshToken').find('same')).toBeUndefined();
  });

  test('is absent from the moment it expires', async () => {
    const session = adapterOf('Session');
    await session.upsert('id', { uid: 'u' }, 60);
    now += 59_999;
    expect(await session.find('id')).toMatchObject({ uid: 'u' });
    expect(await session.findByUid('u')).toMatchObject({ uid: 'u' });
    now += 1;
    expect(await session.find('id')).toBeUndefined();
    expect(await session.findByUid('u')).toBeUndefined();
  });

  test('without a lifetime stays', async () => {
    await adapterOf('Grant').upsert('id', { clientId: 'c' });
    now += 1e12;
    expect(await adapterOf('Grant').find('id')).toMatchObject({ clientId: 'c' });
  });
  test('of a registered client goes after a day, or 90 days after somebody connected it', async () => {
    await adapterOf('Client').upsert('unused', { client_id: 'unused' });
    await adapterOf('Client').upsert('used', { client_id: 'used' });
    await keepClient(store, 'used', () => now);
    await keepClient(store, 'never-registered', () => now);
    now += 86_400_000;
    expect(await adapterOf('Client').find('unused')).toBeUndefined();
    expect(await adapterOf('Client').find('never-registered')).toBeUndefined();
    now += 88 * 86_400_000;
    expect(await adapterOf('Client').find('used')).toMatchObject({ client_id: 'used' });
    now += 86_400_000;
    expect(await adapterOf('Client').find('used')).toBeUndefined();
  });

  test('is replaced by a second upsert and gone after destroy', async () => {
    const client = adapterOf('Client');
    await client.upsert('id', { client_name: 'one' });
    await client.upsert('id', { client_name: 'two' });
    expect(await client.find('id')).toMatchObject({ client_name: 'two' });
    await client.destroy('id');
    expect(await client.find('id')).toBeUndefined();
    await expect(client.destroy('id')).resolves.toBeUndefined();
  });
});

describe('consume', () => {
  test('lets exactly one of many simultaneous uses of a code through', async () => {
    const code = adapterOf('AuthorizationCode');
    await code.upsert('code', { grantId: 'g' }, 60);
    const uses = await Promise.allSettled(Array.from({ length: 8 }, () => code.consume('code')));
    expect(uses.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const use of uses) {
      if (use.status === 'rejected')
        expect(use.reason).toMatchObject({ error: 'invalid_grant', status: 400 });
    }
    expect(await code.find('code')).toMatchObject({ consumed: 1_800_000_000 });
  });

  test('takes a refresh token again for 30 seconds after its first use, and no longer', async () => {
    const token = adapterOf('RefreshToken');
    await token.upsert('token', { grantId: 'g' }, 3_600);
    await token.consume('token');
    now += 29_999;
    expect(await token.find('token')).not.toHaveProperty('consumed');
    await token.consume('token');
    now += 1;
    expect(await token.find('token')).toMatchObject({ consumed: 1_800_000_000 });
    await expect(token.consume('token')).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  test('refuses what is unknown or expired', async () => {
    const code = adapterOf('AuthorizationCode');
    await code.upsert('code', {}, 60);
    now += 60_000;
    await expect(code.consume('code')).rejects.toMatchObject({ error: 'invalid_grant' });
    await expect(code.consume('other')).rejects.toMatchObject({ error: 'invalid_grant' });
  });
});

describe('ending a grant', () => {
  test('removes its rows of that model, however many, and nobody else’s', async () => {
    const tokens = adapterOf('RefreshToken');
    for (let i = 0; i < 501; i += 1) await tokens.upsert(`mine-${i}`, { grantId: 'mine' }, 60);
    await tokens.upsert('other', { grantId: 'other' }, 60);
    await adapterOf('AuthorizationCode').upsert('code', { grantId: 'mine' }, 60);
    await tokens.revokeByGrantId('mine');
    expect(rows().map(([id]) => id.split('_')[0])).toEqual([
      'oauthState/RefreshToken',
      'oauthState/AuthorizationCode',
    ]);
    expect(await tokens.find('other')).toMatchObject({ grantId: 'other' });
  });

  test('makes the registry say so at once', async () => {
    const registry = createGrantRegistry(store, () => now);
    const connection = {
      grantId: 'grant',
      userId: 'john' as UserId,
      tenant: 'riverside' as TenantId,
      clientId: 'client',
      scope: 'patient/Patient.rs',
      authTime: 1_800_000_000,
      amr: ['pwd'],
      createdAt: now,
      expiresAt: now + 60_000,
    };
    await registry.record(connection);
    expect(await registry.find('grant')).toEqual(connection);
    expect(await registry.listFor('john' as UserId)).toEqual([connection]);
    await adapterOf('Grant').destroy('grant');
    expect(await registry.isLive('grant')).toBe(false);
    expect(await registry.listFor('john' as UserId)).toEqual([]);
  });
});

describe('the sweep', () => {
  test('deletes what has expired, over many pages, and nothing else', async () => {
    const sweep = () =>
      expiryRound({ store, audit: logOf(store) }, [SYSTEM_TENANT], {
        now,
        onFault: (error) => expect(error).toBeNull(),
      });
    const tokens = adapterOf('RefreshToken');
    for (let i = 0; i < 450; i += 1) await tokens.upsert(`token-${i}`, {}, i % 2 === 0 ? 60 : 3_600);
    await adapterOf('Client').upsert('client', {});
    const connection = {
      userId: 'u',
      tenant: 't',
      clientId: 'c',
      scope: '',
      authTime: 1,
      amr: [],
      createdAt: now,
    };
    const registry = createGrantRegistry(store, () => now);
    await registry.record({ ...connection, grantId: 'ended', expiresAt: now + 60_000 } as never);
    await registry.record({ ...connection, grantId: 'live', expiresAt: now + 60_001 } as never);
    now += 60_000;
    expect(await sweep()).toBe(226);
    expect(rows().filter(([id]) => !id.startsWith('audit'))).toHaveLength(227);
    expect(await registry.isLive('live')).toBe(true);
    expect(await sweep()).toBe(0);
  });
});

describe('the registry of grants', () => {
  test.each(['', 'unknown', '../other', 'x'.repeat(200)])('does not know "%s"', async (grantId) => {
    expect(await createGrantRegistry(store).isLive(grantId)).toBe(false);
  });

  test('lets a connection end by itself', async () => {
    const registry = createGrantRegistry(store, () => now);
    const connection = {
      grantId: 'g',
      userId: 'u',
      tenant: 't',
      clientId: 'c',
      scope: '',
      authTime: 1,
      amr: [],
    };
    await registry.record({ ...connection, createdAt: now, expiresAt: now + 1 } as never);
    expect(await registry.isLive('g')).toBe(true);
    now += 1;
    expect(await registry.isLive('g')).toBe(false);
  });
});
