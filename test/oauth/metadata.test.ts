import { decodeProtectedHeader, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBrowser } from '../../src/dev/user-agent/browser.ts';
import { StoreError } from '../../src/kernel/store.ts';
import { createAuthorizationServer } from '../../src/oauth/authorization-server.ts';
import { developmentOnly } from '../../src/oauth/development.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { authorizationRequest, connect, page, REDIRECT, redeem, register } from './client.ts';
import { clinicOf, fakeSignIn } from './doubles.ts';
import { newSigningKey, type RunningServer, SCOPES, startServer } from './server.ts';

const CIMD = 'https://chatgpt.com/oauth/client.json';
const document = {
  client_id: CIMD,
  client_name: 'ChatGPT',
  redirect_uris: [REDIRECT],
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
};
const documents = new Map<string, unknown>([
  [CIMD, document],
  [
    'https://chatgpt.com/oauth/greedy.json',
    {
      ...document,
      client_id: 'https://chatgpt.com/oauth/greedy.json',
      redirect_uris: ['https://evil.example/'],
    },
  ],
]);
const fetched: string[] = [];
const documentFetch: typeof fetch = async (address) => {
  fetched.push(String(address));
  return Response.json(documents.get(String(address)) ?? {}, { status: 200 });
};

let server: RunningServer;
beforeAll(async () => {
  const signIn = fakeSignIn(['john']);
  server = await startServer({ store: createMemoryStore(), signIn, overrides: { fetch: documentFetch } });
});
afterAll(() => server.close());

const metadata = async (name: string): Promise<Record<string, unknown>> =>
  (await (await fetch(`${server.issuer}/.well-known/${name}`)).json()) as Record<string, unknown>;

describe('the metadata', () => {
  test('is what clients depend on', async () => {
    const { issuer } = server;
    expect(await metadata('oauth-authorization-server')).toEqual({
      issuer,
      authorization_endpoint: `${issuer}/oauth/authorize`,
      token_endpoint: `${issuer}/oauth/token`,
      registration_endpoint: `${issuer}/oauth/register`,
      revocation_endpoint: `${issuer}/oauth/revoke`,
      jwks_uri: `${issuer}/oauth/jwks`,
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: true,
      code_challenge_methods_supported: ['S256'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      response_types_supported: ['code'],
      response_modes_supported: ['form_post', 'fragment', 'query'],
      scopes_supported: [...Object.keys(SCOPES), 'openid', 'email'],
      userinfo_endpoint: `${issuer}/oauth/userinfo`,
      token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: expect.arrayContaining(['ES256', 'RS256']),
      id_token_signing_alg_values_supported: ['ES256'],
      subject_types_supported: ['public'],
      claim_types_supported: ['normal'],
      claims_parameter_supported: false,
      claims_supported: expect.any(Array),
      request_uri_parameter_supported: false,
    });
  });

  test('is the same at both well-known addresses', async () => {
    expect(await metadata('openid-configuration')).toEqual(await metadata('oauth-authorization-server'));
  });

  test('names the configured origin, whatever a proxy or a stranger says', async () => {
    const response = await fetch(`${server.issuer}/.well-known/openid-configuration`, {
      headers: { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
    });
    expect(JSON.stringify(await response.json())).not.toContain('evil.example');
  });

  test('publishes every key without its private half', async () => {
    const response = await fetch(`${server.issuer}/oauth/jwks`);
    const { keys } = (await response.json()) as { keys: Record<string, unknown>[] };
    expect(keys).toHaveLength(1);
    expect(Object.keys(keys[0] ?? {}).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    expect(server.server.jwks().keys[0]).toEqual(keys[0]);
  });
});

describe('a registration', () => {
  test('keeps no scope, no secret and no contact', async () => {
    const { status, body } = await register(server, {
      scope: 'patient/Patient.rs',
      contacts: ['dev@example.com'],
      logo_uri: 'https://evil.example/pixel.png',
      token_endpoint_auth_method: 'client_secret_post',
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({ token_endpoint_auth_method: 'none', application_type: 'web' });
    for (const name of ['scope', 'client_secret', 'contacts', 'logo_uri'])
      expect(body).not.toHaveProperty(name);
  });

  test('without grant types can refresh', async () => {
    const { body } = await register(server);
    expect(body['grant_types']).toEqual(['authorization_code', 'refresh_token']);
  });

  test.each([
    ['of another site', ['https://evil.example/callback']],
    ['one good and one foreign', [REDIRECT, 'https://evil.example/callback']],
    ['a look-alike host', ['https://chatgpt.com.evil.example/connector/oauth/abc123']],
    ['a dot segment', [`${REDIRECT}/..`]],
    ['an encoded slash', ['https://chatgpt.com/connector/oauth/a%2fb']],
    ['a fragment', [`${REDIRECT}#x`]],
    ['a loopback address with user info', ['http://127.0.0.1:1@evil.example/callback']],
    ['a script', ['javascript:alert(1)']],
    ['none at all', []],
    ['not a list', REDIRECT],
  ])('with redirects %s is refused', async (_name, redirects) => {
    const { status, body } = await register(server, { redirect_uris: redirects });
    expect({ status, error: body.error }).toEqual({ status: 400, error: 'invalid_redirect_uri' });
  });

  test('of a loopback client may use any port later', async () => {
    const { body } = await register(server, { redirect_uris: ['http://127.0.0.1:6274/oauth/callback'] });
    const request = authorizationRequest(server, String(body['client_id']), {
      redirect_uri: 'http://127.0.0.1:50001/oauth/callback',
    });
    expect(page(await createBrowser(server.issuer).open(request.url)).html).toContain('<h1>Sign in</h1>');
  });

  test.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['too large', JSON.stringify({ client_name: 'x'.repeat(60_000) })],
  ])('that is %s is refused', async (_name, body) => {
    const response = await fetch(`${server.issuer}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: 'invalid_request' });
  });

  test('with a private key signs in to the token endpoint with it, once for each assertion', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const { body } = await register(server, {
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [await exportJWK(publicKey)] },
    });
    const clientId = String(body['client_id']);
    const assertion = await new SignJWT({ jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(server.issuer)
      .setExpirationTime('1m')
      .sign(privateKey);
    const proof = {
      client_assertion: assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    };
    const request = authorizationRequest(server, clientId);
    const code = await connect(server, request);
    expect((await redeem(server, request, code)).status).toBe(401);
    expect((await redeem(server, request, code, proof)).status).toBe(200);
    const again = await redeem(server, request, code, proof);
    expect(again).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });
});

describe('a client document', () => {
  test('of an allowed host makes a client', async () => {
    const request = authorizationRequest(server, CIMD);
    const answer = await redeem(server, request, await connect(server, request));
    expect(answer.status).toBe(200);
    expect(fetched).toContain(CIMD);
  });

  test.each([
    ['another host', 'https://evil.example/client.json'],
    ['plain http', 'http://chatgpt.com/oauth/client.json'],
    ['a port', 'https://chatgpt.com:8443/oauth/client.json'],
    ['user info', 'https://chatgpt.com@evil.example/client.json'],
  ])('is not fetched from %s', async (_name, clientId) => {
    const end = await createBrowser(server.issuer).open(authorizationRequest(server, clientId).url);
    expect(page(end).status).toBe(400);
    expect(fetched).not.toContain(clientId);
  });

  test('with a foreign redirect is no client', async () => {
    const request = authorizationRequest(server, 'https://chatgpt.com/oauth/greedy.json', {
      redirect_uri: 'https://evil.example/',
    });
    expect(page(await createBrowser(server.issuer).open(request.url)).status).toBe(400);
  });
});

describe('behind Cloud Functions', () => {
  test('the whole flow works though every body was read before', async () => {
    const functions = await startServer({
      store: createMemoryStore(),
      signIn: fakeSignIn(['john']),
      bodiesRead: true,
    });
    const request = authorizationRequest(functions, String((await register(functions)).body['client_id']));
    expect((await redeem(functions, request, await connect(functions, request))).status).toBe(200);
    await functions.close();
  });
});

describe('signing keys', () => {
  test('the first signs, and the next is published before it does', async () => {
    const signingKeys = [await newSigningKey(), await newSigningKey()];
    const rotating = await startServer({
      store: createMemoryStore(),
      signIn: fakeSignIn(['john']),
      overrides: { signingKeys },
    });
    const request = authorizationRequest(rotating, String((await register(rotating)).body['client_id']));
    const { body } = await redeem(rotating, request, await connect(rotating, request));
    expect(decodeProtectedHeader(body.access_token ?? '').kid).toBe(signingKeys[0]?.kid);
    const response = await fetch(`${rotating.issuer}/oauth/jwks`);
    const { keys } = (await response.json()) as { keys: { kid: string }[] };
    expect(keys.map(({ kid }) => kid)).toEqual(signingKeys.map(({ kid }) => kid));
    await rotating.close();
  });
});

describe('a store that is down', () => {
  test('gives a server error without a word of it, and tells the operator the code', async () => {
    const store = createMemoryStore();
    const broken = await startServer({ store, signIn: fakeSignIn([]) });
    const clientId = String((await register(broken)).body['client_id']);
    const browser = createBrowser(broken.issuer);
    const signIn = page(await browser.open(authorizationRequest(broken, clientId).url));
    store.fail(new StoreError('STORE_UNAVAILABLE', 'Look at host db-17.internal.'));
    const answer = await redeem(broken, authorizationRequest(broken, clientId), 'some-code');
    expect(answer).toMatchObject({ status: 500, body: { error: 'server_error' } });
    expect(JSON.stringify(answer.body)).not.toContain('db-17');
    const shown = page(await createBrowser(broken.issuer).open(authorizationRequest(broken, clientId).url));
    expect(shown.status).toBe(500);
    expect(shown.html).not.toContain('db-17');
    const reloaded = page(await browser.open(signIn.url));
    expect(reloaded.status).toBe(503);
    expect(reloaded.html).not.toContain('db-17');
    expect(broken.faults).toContainEqual({ name: 'StoreError', code: 'STORE_UNAVAILABLE' });
    await broken.close();
  });
});

describe('setup', () => {
  const options = async () => ({
    issuer: 'https://clinic.example',
    resource: 'https://clinic.example/mcp',
    scopes: SCOPES,
    store: createMemoryStore(),
    signingKeys: [await newSigningKey()],
    cookieKeys: ['a-cookie-key-of-at-least-32-characters'],
    signIn: fakeSignIn([]),
    people: clinicOf(),
    pages: { script: '/a.js', style: '/a.css', name: 'Chartseal', apiKey: 'demo' },
  });

  test('for production is accepted', async () => {
    const { keys } = createAuthorizationServer(await options()).jwks();
    expect(keys.map(({ alg, d }) => [alg, d])).toEqual([['ES256', undefined]]);
  });

  test.each([
    ['an http issuer', { issuer: 'http://clinic.example' }],
    ['an issuer with a path', { issuer: 'https://clinic.example/auth' }],
    ['a short cookie key', { cookieKeys: ['short'] }],
    ['no cookie key', { cookieKeys: [] }],
    ['no signing key', { signingKeys: [] }],
    ['a public signing key', { signingKeys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'k' }] }],
    [
      'an Auth emulator',
      {
        pages: {
          script: '/a',
          style: '/a',
          name: 'C',
          apiKey: 'd',
          authEmulatorUrl: 'http://127.0.0.1:9099',
        },
      },
    ],
  ])('for production is refused with %s', async (_name, changes) => {
    const given = { ...(await options()), ...changes };
    expect(() => createAuthorizationServer(given)).toThrow(expect.objectContaining({ code: 'SETUP' }));
  });

  test('for production takes no loopback redirect', async () => {
    const { issuer, close } = await startServer({
      store: createMemoryStore(),
      signIn: fakeSignIn([]),
      overrides: { issuer: 'https://clinic.example', [developmentOnly]: undefined } as never,
    });
    const { status } = await register(
      { issuer },
      { redirect_uris: ['http://127.0.0.1:6274/oauth/callback'] },
    );
    await close();
    expect(status).toBe(400);
  });
});
