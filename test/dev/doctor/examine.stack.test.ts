import { describe, expect, test } from 'vitest';
import { CHECKS, examine } from '../../../src/dev/doctor/examine.ts';
import { CHATGPT_REDIRECT, STRANGER } from '../../../src/dev/doctor/flow-facts.ts';
import type { Held } from '../../../src/dev/doctor/token-facts.ts';
import { openWire } from '../../../src/dev/doctor/wire.ts';
import { type Answer, type Fault, startHealthyServer } from './healthy-server.ts';

const QUICK = { request: 1_000, total: 5_000 };

/** A token of which only the payload is read. */
const tokenFor = (claims: object): string =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;

async function outcomes(fault: Fault, change: { typed?: (url: string) => string; claims?: object } = {}) {
  const server = await startHealthyServer(fault);
  const typed = (change.typed ?? ((url: string) => url))(server.url);
  const claims = { aud: server.url, iat: 1_000, exp: 1_600, ...change.claims };
  const held: Held = { accessToken: tokenFor(claims), refresh: { token: 'r', clientId: 'c1' } };
  const examination = await examine({ typed, held, register: true, wire: openWire(QUICK) });
  server.close();
  const failed = examination.findings.filter(({ outcome }) => outcome === 'fail').map(({ id }) => id);
  const open = examination.findings.filter(({ outcome }) => outcome === 'not checked').map(({ id }) => id);
  return { failed, open, examination };
}

const edit =
  (changes: Readonly<Record<string, unknown>>) =>
  (_asked: unknown, { body, ...rest }: Answer): Answer => ({
    ...rest,
    body: { ...(body as object), ...changes },
  });
const both = (changes: Readonly<Record<string, unknown>>): Fault => ({
  rootMetadata: edit(changes),
  pathMetadata: edit(changes),
});
const whenAsked =
  (matches: (params: URLSearchParams) => boolean, answer: (location: string) => Answer) =>
  ({ url }: { url: URL }, healthy: Answer): Answer =>
    matches(url.searchParams) ? answer(String(healthy.headers?.['location'] ?? '')) : healthy;
const goesOn = (): Answer => ({ headers: { 'x-frame-options': 'DENY' }, body: '<h1>Sign in</h1>' });
const header =
  (name: string, value: string): NonNullable<Fault['mcp']> =>
  (_asked, healthy) =>
    healthy.status === 401 ? { ...healthy, headers: { [name]: value } } : healthy;
const tool =
  (changes: object): NonNullable<Fault['mcp']> =>
  (_asked, healthy) =>
    healthy.status === undefined
      ? { body: { jsonrpc: '2.0', id: 2, result: { tools: [{ name: 't', ...changes }] } } }
      : healthy;

let refreshed = 0;
/** Each check and a server with exactly that fault. */
const PLANTED: Readonly<Record<string, readonly [fault: Fault, change?: Parameters<typeof outcomes>[1]]>> = {
  unauthorized: [{ mcp: (_a, healthy) => (healthy.status === 401 ? { ...healthy, status: 403 } : healthy) }],
  challenge: [{ mcp: header('www-authenticate', 'Bearer realm="x", scope="read", error="invalid_token"') }],
  'challenge-scope': [
    {
      mcp: (_a, healthy) => {
        const challenge = String(healthy.headers?.['www-authenticate']).replace(', scope="read"', '');
        return healthy.status === 401 ? { ...healthy, headers: { 'www-authenticate': challenge } } : healthy;
      },
    },
  ],
  'challenge-metadata': [
    {
      mcp: (_a, healthy) => {
        const challenge = String(healthy.headers?.['www-authenticate']).replace(
          'resource/mcp',
          'resource/other',
        );
        return healthy.status === 401 ? { ...healthy, headers: { 'www-authenticate': challenge } } : healthy;
      },
    },
  ],
  'bad-token': [
    {
      mcp: ({ req }, healthy) =>
        req.headers.authorization === 'Bearer made-up' ? { status: 500, body: {} } : healthy,
    },
  ],
  'query-token': [
    {
      mcp: ({ url }, healthy) => (url.searchParams.has('access_token') ? { body: { result: {} } } : healthy),
    },
  ],
  'get-405': [
    { mcp: ({ req }, healthy) => (req.method === 'GET' ? { status: 404, body: '<h1>No</h1>' } : healthy) },
  ],
  firewall: [
    {
      mcp: ({ req }, healthy) =>
        req.headers['user-agent']?.startsWith('openai') === true ? { status: 403, body: 'bot' } : healthy,
    },
  ],
  'json-error': [
    { mcp: (_a, healthy) => (healthy.status === 401 ? { ...healthy, body: '<h1>401</h1>' } : healthy) },
  ],
  'metadata-root': [{ rootMetadata: () => ({ status: 404, body: '<h1>No</h1>' }) }],
  'metadata-path': [{ pathMetadata: (_a, { body }) => ({ headers: { 'content-type': 'text/html' }, body }) }],
  'metadata-agree': [{ rootMetadata: edit({ resource_name: 'another' }) }],
  'resource-exact': [both({ resource: 'http://127.0.0.1/mcp/' })],
  'authorization-server': [both({ authorization_servers: ['ftp://issuer.example'] })],
  'header-only': [both({ bearer_methods_supported: ['header', 'query'] })],
  'scopes-listed': [both({ scopes_supported: undefined })],
  'offline-access-apart': [both({ scopes_supported: ['read', 'offline_access'] })],
  'issuer-metadata': [{ issuerMetadata: () => ({ status: 500, body: 'oh' }) }],
  'issuer-exact': [{ issuerMetadata: edit({ issuer: 'http://127.0.0.1/' }) }],
  endpoints: [{ issuerMetadata: edit({ token_endpoint: 'http://elsewhere.example/token' }) }],
  pkce: [{ issuerMetadata: edit({ code_challenge_methods_supported: ['plain', 'S256'] }) }],
  'code-flow': [{ issuerMetadata: edit({ response_types_supported: ['code', 'token'] }) }],
  'client-registration': [{ issuerMetadata: edit({ registration_endpoint: undefined }) }],
  'client-authentication': [
    { issuerMetadata: edit({ token_endpoint_auth_methods_supported: ['client_secret_basic'] }) },
  ],
  refresh: [{ issuerMetadata: edit({ grant_types_supported: ['authorization_code'] }) }],
  'scopes-cover': [{ issuerMetadata: edit({ scopes_supported: ['read'] }) }],
  keys: [{ keys: () => ({ body: { keys: [{ kty: 'EC', kid: 'k', d: 'private' }] } }) }],
  'redirect-accepted': [{ register: () => ({ status: 400, body: { error: 'invalid_redirect_uri' } }) }],
  'redirect-foreign': [{ register: () => ({ status: 201, body: { client_id: 'c1' } }) }],
  'no-secret': [
    {
      register: (_a, healthy) =>
        healthy.status === 201 ? edit({ client_secret: 's' })(_a, healthy) : healthy,
    },
  ],
  'scope-not-pinned': [
    { register: (_a, healthy) => (healthy.status === 201 ? edit({ scope: 'read' })(_a, healthy) : healthy) },
  ],
  authorize: [
    {
      authorize: whenAsked(
        (asked) => asked.has('scope') && asked.get('prompt') === null,
        () => ({ status: 500, body: 'oh' }),
      ),
    },
  ],
  'authorize-without-scope': [
    {
      authorize: whenAsked(
        (asked) => !asked.has('scope'),
        () => ({ status: 303, headers: { location: `${CHATGPT_REDIRECT}?error=invalid_scope` }, body: {} }),
      ),
    },
  ],
  'pkce-required': [{ authorize: whenAsked((asked) => !asked.has('code_challenge'), goesOn) }],
  'pkce-plain': [{ authorize: whenAsked((asked) => asked.get('code_challenge_method') === 'plain', goesOn) }],
  'resource-checked': [
    {
      authorize: whenAsked((asked) => asked.get('resource')?.startsWith('https://stranger') === true, goesOn),
    },
  ],
  'redirect-exact': [
    {
      authorize: whenAsked(
        (asked) => asked.get('redirect_uri') === STRANGER,
        () => ({ status: 302, headers: { location: `${STRANGER}?error=x` }, body: {} }),
      ),
    },
  ],
  'iss-on-error': [
    {
      authorize: whenAsked(
        (asked) => asked.get('prompt') === 'none',
        (location) => ({ status: 303, headers: { location: location.replace(/&iss=.*/, '') }, body: {} }),
      ),
    },
  ],
  'page-framing': [
    { authorize: (_a, healthy) => (healthy.status === undefined ? { body: '<h1>Sign in</h1>' } : healthy) },
  ],
  'token-audience': [{}, { claims: { aud: ['https://other.example', 'x'] } }],
  'token-lifetime': [{}, { claims: { exp: 90_000 } }],
  'tools-listed': [
    { mcp: (_a, healthy) => (healthy.status === undefined ? { status: 400, body: { error: {} } } : healthy) },
  ],
  'security-schemes': [
    { mcp: tool({ annotations: { readOnlyHint: true, destructiveHint: false, openWorldHint: false } }) },
  ],
  annotations: [{ mcp: tool({ securitySchemes: [], annotations: { readOnlyHint: true } }) }],
  'parallel-refresh': [
    {
      token: (_a, healthy) => {
        refreshed += 1;
        return refreshed === 1 ? healthy : { status: 400, body: { error: 'invalid_grant' } };
      },
    },
  ],
};
/** These need an address of their own kind, below. */
const ELSEWHERE = ['reachable', 'https'];

describe('the doctor', () => {
  test('finds nothing at a server that does everything right', async () => {
    const { failed, open, examination } = await outcomes({});
    expect({ failed, open }).toEqual({ failed: [], open: [] });
    expect(examination.reachable).toBe(true);
  });

  test.each(Object.keys(PLANTED))('finds the planted fault: %s', async (id) => {
    const [fault, change] = PLANTED[id] ?? [{}];
    const { failed, examination } = await outcomes(fault, change);
    expect(failed).toContain(id);
    const finding = examination.findings.find((one) => one.id === id);
    expect(finding?.reason).not.toBe('');
    expect(finding?.cure).toMatch(/\.$/);
  });

  test('has a planted fault for each of its checks', () => {
    expect([...Object.keys(PLANTED), ...ELSEWHERE].sort()).toEqual(CHECKS.map(({ id }) => id).sort());
    expect(CHECKS.length).toBeGreaterThanOrEqual(20);
  });

  test('fails few other checks when one thing is wrong', async () => {
    for (const id of ['get-405', 'pkce', 'iss-on-error', 'keys', 'no-secret', 'security-schemes'])
      expect((await outcomes(...(PLANTED[id] ?? [{}]))).failed).toEqual([id]);
  });

  test('says that it could find nothing out where nobody answers', async () => {
    const { examination, failed } = await outcomes({}, { typed: () => 'http://127.0.0.1:9/mcp' });
    expect(examination.reachable).toBe(false);
    expect(failed).toContain('reachable');
  });

  test('wants https anywhere but on this machine', async () => {
    const { failed } = await outcomes({}, { typed: () => 'http://stranger.invalid/mcp' });
    expect(failed).toContain('https');
  });

  test('ends in bounded time though every address hangs', async () => {
    const hang = (): null => null;
    const start = Date.now();
    const { examination } = await outcomes({ mcp: hang, rootMetadata: hang, pathMetadata: hang });
    expect(examination.reachable).toBe(false);
    expect(Date.now() - start).toBeLessThan(QUICK.total);
  });

  test('registers nobody when told so, and says what it did not check', async () => {
    const asked: string[] = [];
    const server = await startHealthyServer({
      register: ({ body }, healthy) => {
        asked.push(body);
        return healthy;
      },
    });
    const options = { typed: server.url, held: null, register: false, wire: openWire(QUICK) };
    const { findings } = await examine(options);
    server.close();
    expect(asked).toEqual([]);
    expect(findings.find(({ id }) => id === 'iss-on-error')?.outcome).toBe('not checked');
    expect(findings.find(({ id }) => id === 'parallel-refresh')?.reason).toContain('needs a token');
  });

  test('repeats nothing of a token', async () => {
    const { examination } = await outcomes({}, { claims: { email: 'john@example.com' } });
    expect(JSON.stringify(examination)).not.toMatch(/john@|e30\./);
  });
});
