import { beforeEach, describe, expect, test } from 'vitest';
import { expiryRound } from '../../src/collections.ts';
import { SYSTEM_TENANT } from '../../src/kernel/ids.ts';
import { StoreError } from '../../src/kernel/store.ts';
import { createRateLimits, LIMITS, type RateLimits, SHARDS, subjectOf } from '../../src/oauth/rate-limits.ts';
import { logOf } from '../doubles/audit-log.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { register } from './client.ts';
import { fakeSignIn } from './doubles.ts';
import { startServer } from './server.ts';

const fail = (error: unknown): never => {
  throw error;
};

describe('a rate limit', () => {
  let now: number;
  let store: ReturnType<typeof createMemoryStore>;
  let limits: RateLimits;
  const here = 'key-of-a-test-that-is-long-enough';
  beforeEach(() => {
    now = Math.ceil(1_800_000_000_000 / 3_600_000) * 3_600_000;
    store = createMemoryStore();
    limits = createRateLimits({ store, key: here, now: () => now });
  });
  const limit = { name: 'test', max: 3, span: 60_000 };
  const takeMany = (of: RateLimits, times: number) =>
    Promise.all(Array.from({ length: times }, () => of.take(limit, '198.51.100.7')));

  test('is shared by all instances, and exact however many ask at once', async () => {
    const other = createRateLimits({ store, key: here, now: () => now });
    const counts = (await Promise.all([takeMany(limits, 10), takeMany(other, 10)])).flat();
    expect(counts.filter((count) => count <= limit.max).sort()).toEqual([1, 2, 3]);
    expect(await other.isSpent(limit, '198.51.100.7')).toBe(true);
    expect(await other.isSpent(limit, '198.51.100.8')).toBe(false);
  });

  test('begins anew with the next span', async () => {
    await takeMany(limits, 4);
    now += limit.span;
    expect(await limits.take(limit, '198.51.100.7')).toBe(1);
  });

  test('keeps no address, and a row that nobody needs is swept', async () => {
    await limits.take(limit, '198.51.100.7');
    const rows = [...(store.rows.get(SYSTEM_TENANT) ?? [])];
    expect(rows).toEqual([
      [expect.stringMatching(/^oauthLimits\/test_[\w-]{43}$/), { count: 1, expiresAt: now + limit.span }],
    ]);
    expect(JSON.stringify(rows)).not.toContain('198.51');
    expect(
      await expiryRound({ store, audit: logOf(store) }, [SYSTEM_TENANT], {
        now: now + limit.span,
        onFault: fail,
      }),
    ).toBe(1);
  });

  test('once reached costs reads alone, so that a flood waits for nobody', async () => {
    await takeMany(limits, limit.max);
    store.refuseWrites('oauthLimits');
    expect(await limits.take(limit, '198.51.100.7')).toBeGreaterThan(limit.max);
  });

  test('counts contention as too much', async () => {
    const rows = store.tenant(SYSTEM_TENANT);
    const contended = {
      ...store,
      tenant: () => ({ ...rows, transact: () => Promise.reject(new StoreError('CONTENTION', 'No.')) }),
    };
    const of = createRateLimits({ store: contended, key: here, now: () => now });
    expect(await of.take(limit, 'x')).toBe(limit.max + 1);
  });

  test.each([
    ['198.51.100.7', '198.51.100.7'],
    ['::ffff:198.51.100.7', '198.51.100.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:DB8:0001::', '2001:db8:1:0'],
    ['::1', '0:0:0:0'],
  ])('takes %s for %s', (address, subject) => {
    expect(subjectOf(address)).toBe(subject);
  });
});

describe('registration', () => {
  const from = async (address: string, hops = 1) => {
    const server = await startServer({ store, signIn: fakeSignIn([]), overrides: { proxyHops: hops } });
    const body = JSON.stringify({ redirect_uris: ['https://chatgpt.com/connector/oauth/abc'] });
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': address };
    const post = () => fetch(`${server.issuer}/oauth/register`, { method: 'POST', headers, body });
    return { server, post };
  };
  let store = createMemoryStore();
  beforeEach(() => {
    store = createMemoryStore();
  });

  test('ends for an address after 20 in an hour, and not for another', async () => {
    const { server, post } = await from('203.0.113.1');
    for (let index = 0; index < LIMITS.registration.max; index += 1) expect((await post()).status).toBe(201);
    const before = [...(store.rows.get(SYSTEM_TENANT)?.keys() ?? [])];
    const refused = await post();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('300');
    expect(await refused.json()).toMatchObject({ error: 'temporarily_unavailable' });
    const clients = (keys: readonly string[]) => keys.filter((key) => key.includes('Client_'));
    expect(clients([...(store.rows.get(SYSTEM_TENANT)?.keys() ?? [])])).toEqual(clients(before));
    expect((await register(server)).status).toBe(201);
    await server.close();
  });

  test('cannot be had again by writing other addresses in front', async () => {
    const { server, post } = await from('203.0.113.1');
    for (let index = 0; index < LIMITS.registration.max; index += 1) await post();
    const other = await from('198.51.100.99, 203.0.113.1');
    expect((await other.post()).status).toBe(429);
    await Promise.all([server.close(), other.server.close()]);
  });

  test('is bounded for everybody together, over rows that nobody waits for', () => {
    expect(LIMITS.registrations.max * SHARDS).toBe(1_024);
  });
});

test('refused exchanges from one address end in 429, and good ones cost nothing', async () => {
  const server = await startServer({ store: createMemoryStore(), signIn: fakeSignIn([]) });
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x', client_id: 'nobody' });
  const send = async () => {
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'x-chartseal-address': 'elsewhere',
    };
    const init = { method: 'POST', headers, body: form.toString() };
    return (await fetch(`${server.issuer}/oauth/token`, init)).status;
  };
  const statuses: number[] = [];
  for (let index = 0; index <= LIMITS.token.max; index += 1) statuses.push(await send());
  expect(statuses.slice(0, -1).every((status) => status === 401)).toBe(true);
  expect(statuses.at(-1)).toBe(429);
  await server.close();
});
