import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Composed, compose } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';

/** Composed on a database that is not there: everything that needs no store works, and the rest says so. */
describe('the HTTP face', () => {
  let server: Server;
  let composed: Composed;
  let origin: string;
  let key: CryptoKey;
  const faults: unknown[] = [];
  beforeAll(async () => {
    server = createServer((req, res) => void composed.handle(req, res));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const pair = await generateKeyPair('ES256', { extractable: true });
    key = pair.privateKey;
    const config = readConfig({
      CHARTSEAL_ENV: 'development',
      CHARTSEAL_ORIGIN: origin,
      CHARTSEAL_STORE: 'postgres',
      CHARTSEAL_DATABASE_URL: 'postgres://nobody:nothing@127.0.0.1:9/none',
      CHARTSEAL_KMS: 'local',
      CHARTSEAL_LOCAL_KEYS: `1:${'ab'.repeat(32)}`,
      CHARTSEAL_SIGNING_KEYS: JSON.stringify([
        { ...(await exportJWK(pair.privateKey)), kid: 'k1', alg: 'ES256' },
      ]),
      CHARTSEAL_COOKIE_KEYS: 'k'.repeat(32),
      CHARTSEAL_DOCUMENTS: '/nonexistent/documents',
      CHARTSEAL_FIREBASE_API_KEY: 'web-key',
      GCLOUD_PROJECT: 'demo-http',
    });
    const assets = new Map([
      ['/assets/a.js', { body: Buffer.from('1'), type: 'text/javascript', etag: '"e"' }],
    ]);
    composed = compose(config, { assets, journal: () => {}, onFault: (fault) => faults.push(fault) });
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await composed.close();
  });
  const token = (change: object = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: origin,
      aud: `${origin}/mcp`,
      sub: 'u',
      tenant: 't',
      client_id: 'c',
      grant_id: 'g',
      scope: '',
      jti: 'j',
      iat: now,
      exp: now + 60,
      ...change,
    };
    return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k1' }).sign(key);
  };
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${origin}/mcp`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
  const bearer = async (change: object = {}) => ({ authorization: `Bearer ${await token(change)}` });
  const codeOf = async (response: Response) =>
    ((await response.json()) as { error: { data: { code: string } } }).error.data.code;

  test('healthz is honest about a store that does not answer', async () => {
    const response = await fetch(`${origin}/healthz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ status: 'degraded', store: 'postgres', kms: 'local' });
  });

  test('readyz is honest too, in states alone', async () => {
    const response = await fetch(`${origin}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      status: 'unready',
      parts: { store: 'down', kms: 'down', issuerKeys: 'ok', checkpoint: 'none' },
    });
  });

  test('every answer carries the security headers', async () => {
    for (const path of [
      '/',
      '/healthz',
      '/readyz',
      '/mcp',
      '/nothing',
      '/.well-known/oauth-protected-resource',
    ]) {
      const { headers } = await fetch(origin + path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('strict-transport-security')).toContain('max-age=');
    }
  });

  test('an address where nothing is says so, and repeats nothing of the request', async () => {
    const response = await fetch(`${origin}/patients/John-Doe?ssn=999-45-6120`);
    expect(response.status).toBe(404);
    expect(await response.text()).not.toMatch(/John|999/);
  });

  test.each(['GET', 'PUT', 'DELETE', 'PATCH'])('%s on /mcp is a clean 405', async (method) => {
    const response = await fetch(`${origin}/mcp`, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });

  test.each([
    ['missing', async () => ({}), 'TOKEN_MISSING', null],
    ['expired', () => bearer({ exp: 1 }), 'TOKEN_EXPIRED', 'invalid_token'],
    [
      'for another resource',
      () => bearer({ aud: 'https://other.example/mcp' }),
      'TOKEN_INVALID',
      'invalid_token',
    ],
    ['without a grant', () => bearer({ grant_id: undefined }), 'TOKEN_INVALID', 'invalid_token'],
    ['nonsense', async () => ({ authorization: 'Bearer abc' }), 'TOKEN_INVALID', 'invalid_token'],
  ] as const)('a token that is %s is 401 with the challenge', async (_name, headers, code, error) => {
    const response = await post('{}', await headers());
    expect(response.status).toBe(401);
    const challenge = response.headers.get('www-authenticate') ?? '';
    expect(challenge).toContain(`resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`);
    if (error === null) expect(challenge).not.toContain('error=');
    else expect(challenge).toContain(`error="${error}"`);
    expect(await codeOf(response)).toBe(code);
  });

  test('a token in the address is refused, and named as leaked', async () => {
    const response = await fetch(`${origin}/mcp?access_token=${await token()}`, {
      method: 'POST',
      body: '{}',
    });
    expect(response.status).toBe(400);
    expect(await codeOf(response)).toBe('TOKEN_MISPLACED');
  });

  test('a page of another site is refused before anything else', async () => {
    const response = await post('{}', { origin: 'https://evil.example' });
    expect(response.status).toBe(403);
    expect(await codeOf(response)).toBe('ORIGIN_REFUSED');
  });

  test('a store that is down is a retryable 503 that names no address', async () => {
    const response = await post('{"jsonrpc":"2.0","id":1,"method":"tools/list"}', await bearer());
    expect(response.status).toBe(503);
    const text = await response.text();
    expect(text).toContain('STORE_UNAVAILABLE');
    expect(text).not.toMatch(/127\.0\.0\.1|nobody|nothing@|\.ts/);
    expect(faults.at(-1)).toEqual({ name: 'StoreError', code: 'STORE_UNAVAILABLE' });
  });

  test('an asset is served with its type and an etag that saves the second trip', async () => {
    const first = await fetch(`${origin}/assets/a.js`);
    expect([await first.text(), first.headers.get('content-type')]).toEqual(['1', 'text/javascript']);
    const second = await fetch(`${origin}/assets/a.js`, { headers: { 'if-none-match': '"e"' } });
    expect(second.status).toBe(304);
  });
});
