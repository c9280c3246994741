import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Attacked, expectRefusedToken, startAttacked } from './house.ts';

let at: Attacked;
let grant: string;
beforeAll(async () => {
  at = await startAttacked();
  const { access } = await at.connect();
  grant = String(
    (JSON.parse(Buffer.from(access.split('.')[1] ?? '', 'base64url').toString()) as { grant_id: string })
      .grant_id,
  );
});
afterAll(() => at.close());

const now = (): number => Math.floor(Date.now() / 1000);
const refused = async (token: string, code?: string): Promise<void> =>
  expectRefusedToken(await at.unharmed([], () => at.ask({ authorization: `Bearer ${token}` })), code);

describe('a token that our own key signed', () => {
  test('is taken with the right claims', async () => {
    expect((await at.ask({ authorization: `Bearer ${await at.sign({ grant_id: grant })}` })).status).toBe(
      200,
    );
  });

  const wrong: Readonly<Record<string, () => Record<string, unknown>>> = {
    'another issuer': () => ({ iss: 'https://evil.example' }),
    'an issuer with a slash': () => ({ iss: `${at.issuer}/` }),
    'an issuer in another case': () => ({ iss: at.issuer.toUpperCase() }),
    'an issuer as a list': () => ({ iss: [at.issuer] }),
    'no issuer': () => ({ iss: null }),
    'another audience': () => ({ aud: 'https://evil.example/mcp' }),
    'the origin as audience': () => ({ aud: at.issuer }),
    'an audience with a slash': () => ({ aud: `${at.resource}/` }),
    'an audience in another case': () => ({ aud: at.resource.replace('/mcp', '/MCP') }),
    'an audience with a query': () => ({ aud: `${at.resource}?` }),
    'several audiences, ours first': () => ({ aud: [at.resource, 'https://evil.example'] }),
    'several audiences, ours last': () => ({ aud: ['https://evil.example', at.resource] }),
    'our audience twice': () => ({ aud: [at.resource, at.resource] }),
    'no audience': () => ({ aud: null }),
    'no expiry': () => ({ exp: null }),
    'an expiry in words': () => ({ exp: 'tomorrow' }),
    'a life longer than we give': () => ({ exp: now() + 86_400 }),
    'a time before which it is not valid': () => ({ nbf: now() + 60 }),
    'an issue time in the future': () => ({ iat: now() + 60, exp: now() + 300 }),
    'no issue time': () => ({ iat: null }),
    'no subject': () => ({ sub: null }),
    'a subject that is a path': () => ({ sub: '../usr_admin' }),
    'a subject that is a list': () => ({ sub: ['usr_john', 'usr_admin'] }),
    'no tenant': () => ({ tenant: null }),
    'the system’s tenant as a path': () => ({ tenant: '../system' }),
    'no client': () => ({ client_id: null }),
    'an empty client': () => ({ client_id: '' }),
    'no token id': () => ({ jti: null }),
    'no connection': () => ({ grant_id: null }),
    'a connection that never was': () => ({ grant_id: 'grant-of-nobody' }),
    'a connection that is a path': () => ({ grant_id: '../../oauthGrants/x' }),
  };

  test.each(Object.keys(wrong))('is refused with %s', async (name) => {
    await refused(await at.sign({ grant_id: grant, ...wrong[name]?.() }));
  });

  test('is told apart when it has expired, so that a client refreshes', async () => {
    await refused(await at.sign({ grant_id: grant, iat: now() - 700, exp: now() - 100 }), 'TOKEN_EXPIRED');
  });

  test.each([
    ['JWT', { typ: 'JWT' }],
    ['an ID token’s', { typ: undefined }],
    ['a DPoP proof’s', { typ: 'dpop+jwt' }],
    ['a logout token’s', { typ: 'logout+jwt' }],
  ])('is refused with the type of %s', async (_name, header) => {
    await refused(await at.sign({ grant_id: grant }, header));
  });
});

describe('what is no access token', () => {
  test('a refresh token and an authorization code open nothing', async () => {
    const { refresh } = await at.connect();
    await refused(refresh);
  });

  test('an ID token of the same sign-in opens nothing', async () => {
    const id = await at.sign({ aud: at.clientId, nonce: 'n' }, { typ: undefined });
    await refused(id);
  });

  const transports: Readonly<
    Record<string, () => [Record<string, string>, { query?: string; body?: string }?, string?]>
  > = {
    'in no header': () => [{}, {}, 'TOKEN_MISSING'],
    'as a cookie': () => [{ cookie: 'access_token=x' }, {}, 'TOKEN_MISSING'],
    'in Basic authentication': () => [
      { authorization: `Basic ${Buffer.from('x:y').toString('base64')}` },
      {},
      'TOKEN_MISSING',
    ],
    'with spaces': () => [{ authorization: 'Bearer a b' }, {}, 'TOKEN_MISSING'],
    'of over 8 KiB': () => [{ authorization: `Bearer ${'x'.repeat(9_000)}` }],
  };
  test.each(Object.keys(transports))('%s is refused', async (name) => {
    const [headers, init, code] = transports[name]?.() ?? [{}];
    await expectRefusedToken(await at.unharmed([], () => at.ask(headers, init)), code);
  });

  test.each(['address', 'form'])(
    'a good token in the %s is refused, though the header has it too',
    async (place) => {
      const { access } = await at.connect();
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      const headers = { authorization: `Bearer ${access}`, ...(place === 'form' ? form : {}) };
      const init =
        place === 'form' ? { body: `access_token=${access}` } : { query: `?access_token=${access}` };
      const response = await at.unharmed([], () => at.ask(headers, init));
      expect(response.status).toBe(400);
      const body = await response.text();
      expect(JSON.parse(body)).toMatchObject({ error: { data: { code: 'TOKEN_MISPLACED' } } });
      expect(body).not.toContain(access);
    },
  );
});
