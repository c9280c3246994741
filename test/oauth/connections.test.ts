import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createBrowser } from '../../src/dev/user-agent/browser.ts';
import type { OAuthEvent } from '../../src/oauth/events.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { authorizationRequest, connect, page, redeem, refresh, register } from './client.ts';
import { fakeSignIn } from './doubles.ts';
import { type RunningServer, startServer } from './server.ts';

const events: OAuthEvent[] = [];
let deaf = false;
let server: RunningServer;
let clientId: string;

beforeAll(async () => {
  const onEvent = async (event: OAuthEvent): Promise<void> => {
    if (deaf) throw new Error('no audit');
    events.push(event);
  };
  const predefinedClients = [
    {
      client_id: 'clinic-portal',
      client_name: 'Clinic portal',
      redirect_uris: ['https://portal.example/callback'],
      token_endpoint_auth_method: 'none' as const,
    },
  ];
  const overrides = { onEvent, predefinedClients };
  server = await startServer({ store: createMemoryStore(), signIn: fakeSignIn(['john']), overrides });
  clientId = String((await register(server)).body['client_id']);
});
afterAll(() => server.close());
beforeEach(() => {
  events.length = 0;
  deaf = false;
});
afterEach(() => vi.useRealTimers());

const tokens = async (scope = 'openid email patient/Patient.rs') => {
  const request = authorizationRequest(server, clientId, { scope });
  const { body } = await redeem(server, request, await connect(server, request));
  return { access: body.access_token ?? '', refresh: body.refresh_token ?? '' };
};
const revoke = async (token: string, client = clientId): Promise<number> => {
  const body = new URLSearchParams({ token, client_id: client }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return (await fetch(`${server.issuer}/oauth/revoke`, { method: 'POST', headers, body })).status;
};
const userInfo = (token: string) =>
  fetch(`${server.issuer}/oauth/userinfo`, { headers: { authorization: `Bearer ${token}` } });
const who = { clientId: expect.any(String), userId: 'uid-john', tenant: 'riverside' };

describe('a connection', () => {
  test('ends by its access token as by its refresh token, and the audit log is told', async () => {
    const { access, refresh: token } = await tokens();
    events.length = 0;
    expect(await revoke(access)).toBe(200);
    expect(events).toEqual([{ kind: 'token-revoked', ...who }]);
    expect((await userInfo(access)).status).toBe(401);
    expect((await refresh(server, clientId, token)).status).toBe(400);
  });

  test('does not end by another client', async () => {
    const other = String((await register(server)).body['client_id']);
    const { access, refresh: token } = await tokens();
    events.length = 0;
    expect(await revoke(access, other)).toBe(200);
    expect(await revoke(token, other)).toBe(200);
    expect(events).toEqual([]);
    expect((await userInfo(access)).status).toBe(200);
  });

  test('that nobody refreshes ends after two weeks', async () => {
    const { refresh: token } = await tokens();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 14 * 86_400_000 + 1_000 });
    expect((await refresh(server, clientId, token)).body.error).toBe('invalid_grant');
  });

  test('whose refresh token is used again after the grace ends, with its event', async () => {
    const { refresh: token } = await tokens();
    await refresh(server, clientId, token);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000 });
    events.length = 0;
    expect((await refresh(server, clientId, token)).status).toBe(400);
    expect(events).toEqual([{ kind: 'refresh-reused', ...who }]);
  });

  test('whose code is used again ends, with its event', async () => {
    const request = authorizationRequest(server, clientId);
    const code = await connect(server, request);
    await redeem(server, request, code);
    events.length = 0;
    expect((await redeem(server, request, code)).status).toBe(400);
    expect(events).toEqual([{ kind: 'code-reused', ...who }]);
  });

  test('that ends while the audit log is down still ends, and the client is told to try again', async () => {
    const { access } = await tokens();
    deaf = true;
    expect(await revoke(access)).toBe(500);
    deaf = false;
    expect((await userInfo(access)).status).toBe(401);
    expect(server.faults.splice(0)).toEqual([{ name: 'Error', code: '' }]);
  });

  test('through a client of the configuration needs no registration, and goes to its redirect alone', async () => {
    const redirect = { redirect_uri: 'https://portal.example/callback' };
    const request = authorizationRequest(server, 'clinic-portal', redirect);
    const answer = await redeem(server, request, await connect(server, request), redirect);
    expect(answer.status).toBe(200);
    const stray = authorizationRequest(server, 'clinic-portal', {
      redirect_uri: 'https://portal.example/other',
    });
    expect(page(await createBrowser(server.issuer).open(stray.url)).status).toBe(400);
  });
});

describe('UserInfo', () => {
  test('gives the address of whoever let the client see it, after the event', async () => {
    const { access } = await tokens();
    events.length = 0;
    const response = await userInfo(access);
    expect(response.headers.get('cache-control')).toBe('private, no-store');
    expect(await response.json()).toEqual({
      sub: 'uid-john',
      email: 'john@example.com',
      email_verified: true,
    });
    expect(events).toEqual([{ kind: 'profile-read', ...who }]);
  });

  test('gives the subject alone without that scope, and nothing without openid', async () => {
    events.length = 0;
    expect(await (await userInfo((await tokens('openid patient/Patient.rs')).access)).json()).toEqual({
      sub: 'uid-john',
    });
    const refused = await userInfo((await tokens('patient/Patient.rs')).access);
    expect(refused.status).toBe(403);
    expect(refused.headers.get('www-authenticate')).toBe('Bearer error="insufficient_scope", scope="openid"');
    expect(events.some(({ kind }) => kind === 'profile-read')).toBe(false);
  });

  test('gives nothing when the audit log cannot be written', async () => {
    const { access } = await tokens();
    deaf = true;
    const response = await userInfo(access);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('john@');
    server.faults.length = 0;
  });

  test('refuses what is no token of ours', async () => {
    for (const token of ['x', 'e30.e30.e30']) expect((await userInfo(token)).status).toBe(401);
    expect((await fetch(`${server.issuer}/oauth/userinfo`)).status).toBe(401);
  });
});

describe('without iss', () => {
  let plain: RunningServer;
  let id: string;
  beforeAll(async () => {
    plain = await startServer({
      store: createMemoryStore(),
      signIn: fakeSignIn(['john']),
      overrides: { issParameter: false },
    });
    id = String((await register(plain)).body['client_id']);
  });
  afterAll(() => plain.close());

  test('the metadata promises none', async () => {
    const response = await fetch(`${plain.issuer}/.well-known/oauth-authorization-server`);
    expect(await response.json()).not.toHaveProperty('authorization_response_iss_parameter_supported');
  });

  test.each([['query'], ['fragment'], ['form_post']])('no response has it (%s)', async (response_mode) => {
    const changes = { response_mode, resource: 'https://elsewhere.example/mcp' };
    const end = await createBrowser(plain.issuer).open(authorizationRequest(plain, id, changes).url);
    const shown = end instanceof URL ? end.href : end.html;
    expect(shown).toContain('invalid_target');
    expect(shown).toContain('opaque-state');
    expect(shown).not.toMatch(/\biss\b/);
  });
});
