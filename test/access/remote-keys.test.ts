import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type BearerOptions, verifyBearer } from '../../src/access/bearer.ts';
import { REMOTE_KEYS, remoteKeys } from '../../src/access/remote-keys.ts';
import { readOAuthSettings } from '../../src/oauth/settings.ts';

const AUDIENCE = 'https://clinic.example/mcp';

/** An external issuer over HTTP: discovery, keys, and tokens as Auth0 or Keycloak write them. */
describe('an external issuer', () => {
  let server: Server;
  let issuer: string;
  let now = Date.UTC(2026, 10, 24, 12);
  let asked: string[] = [];
  let down = false;
  let change: Record<string, unknown> = {};
  let published: JWK[] = [];
  let key: CryptoKey;
  let options: BearerOptions;

  const newKey = async (kid: string): Promise<CryptoKey> => {
    const pair = await generateKeyPair('RS256', { extractable: true });
    published = [...published, { ...(await exportJWK(pair.publicKey)), kid, alg: 'RS256' }];
    return pair.privateKey;
  };
  beforeAll(async () => {
    server = createServer((req, res) => {
      asked.push(req.url ?? '');
      if (down) return void res.writeHead(500).end();
      const body =
        req.url === '/keys' ? { keys: published } : { issuer, jwks_uri: `${issuer}/keys`, ...change };
      res.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    key = await newKey('k1');
  });
  afterAll(() => void server.close());
  beforeEach(() => {
    asked = [];
    down = false;
    change = {};
    now += 3_600_000;
    const { external } = readOAuthSettings(
      {
        CHARTSEAL_ISSUER: issuer,
        CHARTSEAL_ISSUER_TYP: 'any',
        CHARTSEAL_ISSUER_CLAIMS: 'tenant=org_id,user=uid',
      },
      { development: true },
    );
    if (external === null) throw new Error('no issuer');
    const clock = (): number => now;
    options = { ...external, audience: AUDIENCE, clock, keys: remoteKeys({ issuer, clock }) };
  });

  const token = (claims: object = {}, header: object = {}, by = key): Promise<string> => {
    const seconds = Math.floor(now / 1000);
    const good = {
      iss: issuer,
      aud: AUDIENCE,
      sub: 'auth0|john',
      uid: 'usr_john',
      org_id: 'riverside',
      azp: 'app',
    };
    const times = { iat: seconds, exp: seconds + 3_600, jti: 'j', scope: 'patient/Patient.rs' };
    return new SignJWT({ ...good, ...times, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'k1', ...header })
      .sign(by);
  };
  const verify = async (value: string | Promise<string>): Promise<unknown> =>
    verifyBearer(`Bearer ${await value}`, options).catch(({ code }: { code: string }) => code);

  test('names person, tenant and client by the claims that the configuration maps', async () => {
    expect(await verify(token())).toMatchObject({
      user: 'usr_john',
      tenant: 'riverside',
      client: 'app',
      scopes: ['patient/Patient.rs'],
    });
    expect(await verify(token({ scope: ['patient/Patient.rs', 7] }))).toMatchObject({
      scopes: ['patient/Patient.rs'],
    });
  });

  test('20 parallel cold verifications make one fetch of the keys', async () => {
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, index) => token({ jti: `j${index}` })));
    const answers = await Promise.all(tokens.map(verify));
    expect(answers.every((answer) => typeof answer === 'object')).toBe(true);
    expect(asked).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  test('a new key is fetched once it signs, and a made-up one does not make us hammer the issuer', async () => {
    await verify(token());
    const next = await newKey('k2');
    now += REMOTE_KEYS.cooldown;
    expect(await verify(token({}, { kid: 'k2' }, next))).toMatchObject({ user: 'usr_john' });
    asked = [];
    for (let index = 0; index < 10; index += 1)
      expect(await verify(token({}, { kid: `made-up-${index}` }))).toBe('TOKEN_INVALID');
    expect(asked).toEqual([]);
  });

  test('keys that are known outlive an outage of the issuer, by a day', async () => {
    await verify(token());
    down = true;
    now += REMOTE_KEYS.staleIfError - 1;
    expect(await verify(token())).toMatchObject({ user: 'usr_john' });
    now += 1;
    expect(await verify(token())).toBe('KEYS_UNAVAILABLE');
  });

  test('never reached is retryable, is no verdict on the token, and is not tried again at once', async () => {
    down = true;
    await expect(verifyBearer(`Bearer ${await token()}`, options)).rejects.toMatchObject({ retryable: true });
    asked = [];
    await verify(token());
    expect(asked).toEqual([]);
    down = false;
    now += REMOTE_KEYS.cooldown;
    expect(await verify(token())).toMatchObject({ user: 'usr_john' });
  });

  test.each([
    ['names another issuer', () => ({ issuer: 'https://evil.example' })],
    ['names keys on a plain address elsewhere', () => ({ jwks_uri: 'http://evil.example/keys' })],
    ['names no keys', () => ({ jwks_uri: undefined })],
    ['is too large', () => ({ pad: 'x'.repeat(REMOTE_KEYS.maxBytes) })],
  ])('a discovery document that %s gives no keys', async (_name, broken) => {
    change = broken();
    expect(await verify(token())).toBe('KEYS_UNAVAILABLE');
  });

  test.each([
    ['the subject as user, though it is no id', { uid: undefined }],
    ['a tenant in another claim', { org_id: undefined, tenant: 'riverside' }],
    ['a longer life than allowed', { exp: Math.floor(Date.UTC(2030, 0) / 1000) }],
    ['a second audience', { aud: [AUDIENCE, 'https://other.example'] }],
  ])('a token with %s is refused', async (_name, claims) => {
    expect(await verify(token(claims))).toBe('TOKEN_INVALID');
  });
});

describe('the settings of sign-in', () => {
  const read = (env: Record<string, string>, development = false) => readOAuthSettings(env, { development });

  test('run our own issuer behind one proxy unless told otherwise', () => {
    expect(read({})).toEqual({
      external: null,
      clients: [],
      redirectUris: [],
      clientHosts: null,
      issParameter: true,
      proxyHops: 1,
      identityProviders: [],
      withoutSecondFactor: [],
    });
  });

  test.each([
    ['a plain issuer', { CHARTSEAL_ISSUER: 'http://issuer.example' }],
    [
      'a shared-secret algorithm',
      { CHARTSEAL_ISSUER: 'https://i.example', CHARTSEAL_ISSUER_ALGORITHMS: 'HS256' },
    ],
    ['alg none', { CHARTSEAL_ISSUER: 'https://i.example', CHARTSEAL_ISSUER_ALGORITHMS: 'none' }],
    ['an unknown claim', { CHARTSEAL_ISSUER: 'https://i.example', CHARTSEAL_ISSUER_CLAIMS: 'role=x' }],
    ['clients that are no JSON', { CHARTSEAL_CLIENTS: '{' }],
    [
      'a client with a secret',
      {
        CHARTSEAL_CLIENTS:
          '[{"client_id":"a","client_name":"A","redirect_uris":["https://a.example/"],"client_secret":"s"}]',
      },
    ],
    [
      'a keyless private_key_jwt',
      {
        CHARTSEAL_CLIENTS:
          '[{"client_id":"a","client_name":"A","redirect_uris":["https://a.example/"],"token_endpoint_auth_method":"private_key_jwt"}]',
      },
    ],
    ['a plain redirect', { CHARTSEAL_REDIRECT_URIS: 'http://127.0.0.1/callback' }],
    ['staff without a second factor', { CHARTSEAL_WITHOUT_SECOND_FACTOR: 'usr_admin' }],
    ['a host with a path', { CHARTSEAL_CLIENT_HOSTS: 'chatgpt.com/x' }],
  ])('%s is refused in production, naming the variable', (_name, env) => {
    expect(() => read(env)).toThrow(new RegExp(Object.keys(env).at(-1) ?? ''));
  });
});
