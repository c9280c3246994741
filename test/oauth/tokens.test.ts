import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { authorizationRequest, connect, redeem, refresh, register, type TokenAnswer } from './client.ts';
import { fakeSignIn } from './doubles.ts';
import { type RunningServer, startServer } from './server.ts';

const store = createMemoryStore();
const people = fakeSignIn(['john', 'ann']);
let server: RunningServer;
let clientId: string;

beforeAll(async () => {
  server = await startServer({ store, signIn: people });
  clientId = String((await register(server)).body['client_id']);
});
afterAll(async () => {
  expect(server.faults).toEqual([]);
  await server.close();
});
afterEach(() => vi.useRealTimers());

const claimsOf = async (answer: TokenAnswer) =>
  (await jwtVerify(answer.body.access_token ?? '', createLocalJWKSet(server.server.jwks()))).payload;

async function tokens(
  changes: Record<string, string | undefined> = {},
  idToken = 'john',
): Promise<TokenAnswer> {
  const request = authorizationRequest(server, clientId, changes);
  return redeem(server, request, await connect(server, request, idToken));
}

describe('an access token', () => {
  test('is an at+jwt for the MCP address alone, and says who, which clinic and which connection', async () => {
    const answer = await tokens();
    expect(answer.body).toMatchObject({ token_type: 'Bearer', expires_in: 600 });
    const { payload, protectedHeader } = await jwtVerify(
      answer.body.access_token ?? '',
      createLocalJWKSet(server.server.jwks()),
      { issuer: server.issuer, audience: server.resource, typ: 'at+jwt', algorithms: ['ES256'] },
    );
    expect(protectedHeader.kid).toBe(server.server.jwks().keys[0]?.kid);
    expect(payload).toEqual({
      iss: server.issuer,
      aud: server.resource,
      sub: 'uid-john',
      client_id: clientId,
      scope: 'patient/Patient.rs patient/Appointment.crus',
      tenant: 'riverside',
      grant_id: expect.any(String),
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: (payload.iat ?? 0) + 600,
      auth_time: expect.any(Number),
      amr: ['pwd'],
    });
    expect(await server.server.grants.isLive(String(payload['grant_id']))).toBe(true);
  });

  test('is for the MCP address when the client names no resource', async () => {
    const claims = await claimsOf(await tokens({ resource: undefined, scope: 'openid patient/Patient.rs' }));
    expect(claims).toMatchObject({ aud: server.resource, scope: 'patient/Patient.rs' });
  });

  test('carries every scope when the client asks for none', async () => {
    const claims = await claimsOf(await tokens({ scope: undefined }));
    expect(claims['scope']).toBe('patient/Patient.rs patient/Appointment.crus');
  });

  test('can be for fewer scopes than a later one of the same client', async () => {
    const narrow = await claimsOf(await tokens({ scope: 'patient/Patient.rs' }));
    const wide = await claimsOf(await tokens());
    expect(narrow['scope']).toBe('patient/Patient.rs');
    expect(wide['scope']).toBe('patient/Patient.rs patient/Appointment.crus');
  });
});

describe('a code', () => {
  test('used three times at once gives tokens once', async () => {
    const request = authorizationRequest(server, clientId);
    const code = await connect(server, request);
    const answers = await Promise.all([1, 2, 3].map(() => redeem(server, request, code)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
    expect(answers.filter(({ status }) => status === 400).map(({ body }) => body.error)).toEqual([
      'invalid_grant',
      'invalid_grant',
    ]);
  });

  test('used again later ends the connection that it made', async () => {
    const request = authorizationRequest(server, clientId);
    const code = await connect(server, request);
    const first = await redeem(server, request, code);
    const grantId = String((await claimsOf(first))['grant_id']);
    expect((await redeem(server, request, code)).status).toBe(400);
    expect(await server.server.grants.isLive(grantId)).toBe(false);
    expect((await refresh(server, clientId, first.body.refresh_token ?? '')).status).toBe(400);
  });

  test.each([
    ['with another verifier', { code_verifier: 'x'.repeat(43) }],
    ['without a verifier', { code_verifier: '' }],
    ['for another redirect', { redirect_uri: 'https://chatgpt.com/connector/oauth/other' }],
    ['for another resource', { resource: 'https://elsewhere.example/mcp' }],
  ])('is refused %s', async (_name, changes) => {
    const request = authorizationRequest(server, clientId);
    const code = await connect(server, request);
    expect((await redeem(server, request, code, changes)).status).toBe(400);
  });

  test('is refused after a minute', async () => {
    const request = authorizationRequest(server, clientId);
    const code = await connect(server, request);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
    expect((await redeem(server, request, code)).status).toBe(400);
  });

  test('is refused to another client', async () => {
    const other = String((await register(server)).body['client_id']);
    const request = authorizationRequest(server, clientId);
    const code = await connect(server, request);
    expect((await redeem(server, request, code, { client_id: other })).status).toBe(400);
  });
});

describe('a refresh token', () => {
  test('is rotated, and both of two parallel refreshes go on', async () => {
    const old = (await tokens()).body.refresh_token ?? '';
    const answers = await Promise.all([refresh(server, clientId, old), refresh(server, clientId, old)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const next = answers.map(({ body }) => body.refresh_token ?? '');
    expect(new Set([old, ...next]).size).toBe(3);
    for (const token of next) expect((await refresh(server, clientId, token)).status).toBe(200);
  });

  test('used again after the grace ends the connection', async () => {
    const first = await tokens();
    const old = first.body.refresh_token ?? '';
    const second = await refresh(server, clientId, old);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000 });
    expect(await refresh(server, clientId, old)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    expect((await refresh(server, clientId, second.body.refresh_token ?? '')).status).toBe(400);
    expect(await server.server.grants.isLive(String((await claimsOf(first))['grant_id']))).toBe(false);
  });

  test('keeps the end of the connection, however often it is refreshed', async () => {
    let token = (await tokens()).body.refresh_token ?? '';
    const start = Date.now();
    for (const day of [10, 20, 29]) {
      vi.useFakeTimers({ toFake: ['Date'], now: start + day * 86_400_000 });
      token = (await refresh(server, clientId, token)).body.refresh_token ?? '';
    }
    vi.setSystemTime(start + 30 * 86_400_000 + 1_000);
    expect((await refresh(server, clientId, token)).status).toBe(400);
  });

  test('is worthless once it is revoked, and so is its access token', async () => {
    const answer = await tokens();
    const token = answer.body.refresh_token ?? '';
    const response = await fetch(`${server.issuer}/oauth/revoke`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token, client_id: clientId }).toString(),
    });
    expect(response.status).toBe(200);
    expect((await refresh(server, clientId, token)).status).toBe(400);
    expect(await server.server.grants.isLive(String((await claimsOf(answer))['grant_id']))).toBe(false);
  });

  test('is worthless once the connection is revoked in the registry', async () => {
    const answer = await tokens();
    await server.server.grants.revoke(String((await claimsOf(answer))['grant_id']));
    expect((await refresh(server, clientId, answer.body.refresh_token ?? '')).status).toBe(400);
  });

  test('is refused when its person may no longer sign in', async () => {
    const answer = await tokens({}, 'ann');
    people.leave('ann');
    expect((await refresh(server, clientId, answer.body.refresh_token ?? '')).status).toBe(400);
  });
});
