import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { expect } from 'vitest';
import { OWN_ISSUER } from '../../../src/access/token-profile.ts';
import { createBrowser, fieldOf, type VisitedPage } from '../../../src/dev/user-agent/browser.ts';
import { createApp } from '../../../src/http/app.ts';
import { createMcpEndpoint } from '../../../src/http/mcp-endpoint.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import type { TenantId, UserId } from '../../../src/kernel/ids.ts';
import {
  type AuthorizationServer,
  type AuthorizationServerOptions,
  createAuthorizationServer,
} from '../../../src/oauth/authorization-server.ts';
import { developmentOnly } from '../../../src/oauth/development.ts';
import { OAuthError } from '../../../src/oauth/errors.ts';
import { auditEntryOf } from '../../../src/oauth/events.ts';
import type { SignIn } from '../../../src/oauth/sign-in.ts';
import { buildHouse } from '../../mcp/house.ts';
import { authorizationRequest, connect, redeem, register } from '../../oauth/client.ts';
import { clinicOf } from '../../oauth/doubles.ts';
import { SCOPES } from '../../oauth/server.ts';

/** The whole house on one origin, as it is deployed: MCP address and authorization server over one store. */
export interface Attacked {
  readonly issuer: string;
  readonly resource: string;
  readonly server: AuthorizationServer;
  /** The key that signs, for attacks that need a token right in all but one thing. */
  readonly key: CryptoKey;
  readonly publicJwk: JWK;
  readonly clientId: string;
  /** Connects as John and returns what the client got. */
  connect(changes?: Record<string, string>): Promise<{ access: string; refresh: string }>;
  /** Signs claims that differ from a good token's in `changes`; null takes one away. */
  sign(changes?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  /** Asks the MCP address for the tools. */
  ask(headers?: Record<string, string>, init?: { query?: string; body?: string }): Promise<Response>;
  /**
   * Runs an attack and shows that it changed nothing: every row is as it was, and what was added is the audit events
   * of these operations and the counters of the rate limits.
   */
  unharmed<T>(denials: readonly string[], attack: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const BUNDLE = readFileSync(join(import.meta.dirname, '../../../emulator-data/john-doe.json'), 'utf8');
const CODE_OF = /^(?:auditEvents|auditPending|oauthLimits)\//;

/** A sign-in in which ID tokens are names, for the people of {@link buildHouse}. */
const signIn: SignIn = {
  verify: async (idToken) => {
    if (idToken !== 'john') throw new OAuthError('SIGN_IN_TOKEN', 'Sign in again.');
    const authTime = Math.floor(Date.now() / 1000);
    return { userId: 'usr_john' as UserId, tenant: 'riverside' as TenantId, authTime, amr: ['pwd'] };
  },
  profile: async () => ({ email: 'john@example.com', emailVerified: true }),
};

export async function startAttacked(overrides: Partial<AuthorizationServerOptions> = {}): Promise<Attacked> {
  const { store, services } = await buildHouse(BUNDLE, systemClock);
  const pair = await generateKeyPair('ES256', { extractable: true });
  const privateJwk: JWK = { ...(await exportJWK(pair.privateKey)), kid: 'k1', alg: 'ES256' };
  const publicJwk: JWK = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256' };
  let handle: ReturnType<typeof createApp> | undefined;
  const http = createServer((req, res) => void handle?.(req, res));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const resource = `${issuer}/mcp`;
  const server = createAuthorizationServer({
    issuer,
    resource,
    scopes: SCOPES,
    store,
    signIn,
    people: clinicOf(),
    signingKeys: [privateJwk],
    cookieKeys: ['a-cookie-key-of-at-least-32-characters'],
    pages: { script: '/assets/sign-in.js', style: '/assets/pages.css', name: 'Chartseal', apiKey: 'demo' },
    onEvent: (event) => {
      const { tenant, entry } = auditEntryOf(event);
      return services.audit.append(tenant, entry);
    },
    [developmentOnly]: true,
    ...overrides,
  });
  const keys = createLocalJWKSet({ keys: [publicJwk] });
  handle = createApp({
    origin: issuer,
    authorizationServer: issuer,
    assets: new Map(),
    onFault: () => {},
    health: async () => ({ status: 'ok', store: 'postgres', kms: 'local', version: '0' }),
    ready: async () => ({ status: 'ready', parts: {} }),
    oauth: async () => server,
    pages: new Map(),
    mcp: createMcpEndpoint({
      origin: issuer,
      services,
      isLive: (grant) => server.grants.isLive(grant),
      bearer: { issuer, audience: resource, keys, clock: systemClock, profile: OWN_ISSUER },
    }),
  });
  const at = { issuer, resource };
  const clientId = String((await register(at)).body['client_id']);
  const rowsOf = (): Map<string, string> =>
    new Map(
      [...store.rows].flatMap(([tenant, rows]) =>
        [...rows].map(([id, row]) => [`${tenant} ${id}`, JSON.stringify(row)] as const),
      ),
    );
  const operationsOf = (ids: readonly string[]): string[] =>
    ids.flatMap((id) => {
      const [tenant = '', at = ''] = id.split(' ');
      const row = store.rows.get(tenant as TenantId)?.get(at);
      if (!at.startsWith('auditEvents/') || row === undefined) return [];
      const leaf = Buffer.from(row['leaf'] as Uint8Array).toString('utf8');
      return [String((JSON.parse(leaf) as { operation: string }).operation)];
    });
  return {
    issuer,
    resource,
    server,
    key: pair.privateKey,
    publicJwk,
    clientId,
    connect: async (changes = {}) => {
      const request = authorizationRequest(at, clientId, changes);
      const { body } = await redeem(at, request, await connect(at, request));
      return { access: body.access_token ?? '', refresh: body.refresh_token ?? '' };
    },
    sign: (changes = {}, header = {}) =>
      signLike({ issuer, resource, key: pair.privateKey }, changes, header),
    ask: (headers = {}, { query = '', body } = {}) =>
      fetch(resource + query, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...headers,
        },
        body: body ?? JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
      }),
    unharmed: async (denials, attack) => {
      const before = rowsOf();
      const result = await attack();
      const after = rowsOf();
      const ephemeral = (id: string): boolean => CODE_OF.test(id.split(' ')[1] ?? '');
      for (const [id, row] of before) if (!ephemeral(id)) expect([id, after.get(id)]).toEqual([id, row]);
      const added = [...after.keys()].filter((id) => !before.has(id));
      expect(added.filter((id) => !ephemeral(id))).toEqual([]);
      expect(operationsOf(added).sort()).toEqual([...denials].sort());
      return result;
    },
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}

async function signLike(
  { issuer, resource, key }: { issuer: string; resource: string; key: CryptoKey },
  changes: Record<string, unknown>,
  header: Record<string, unknown>,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const claims: Record<string, unknown> = {
    iss: issuer,
    aud: resource,
    sub: 'usr_john',
    tenant: 'riverside',
    client_id: 'client-1',
    grant_id: 'grant-of-nobody',
    scope: 'patient/Patient.rs',
    jti: 'j1',
    iat: now,
    exp: now + 600,
    ...changes,
  };
  for (const [name, value] of Object.entries(claims)) if (value === null) delete claims[name];
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k1', ...header })
    .sign(key);
}

/** The one refusal of a token: 401, the challenge, a JSON-RPC error with a code and no hint what was wrong. */
export async function expectRefusedToken(response: Response, code = 'TOKEN_INVALID'): Promise<void> {
  expect(response.status).toBe(401);
  const challenge = response.headers.get('www-authenticate') ?? '';
  expect(challenge).toMatch(/^Bearer resource_metadata="http/);
  if (code !== 'TOKEN_MISSING') expect(challenge).toContain('error="invalid_token"');
  const body = (await response.json()) as { error: { message: string } };
  expect(body).toEqual({
    jsonrpc: '2.0',
    id: null,
    error: { code: -32001, message: expect.any(String), data: { code } },
  });
  expect(body.error.message).not.toMatch(/alg|kid|signature|audience|issuer|claim/i);
}

/** A browser at the sign-in page of a fresh connection. */
export async function openSignIn(at: Attacked, changes: Record<string, string> = {}) {
  const browser = createBrowser(at.issuer);
  const shown = await browser.open(authorizationRequest(at, at.clientId, changes).url);
  if (shown instanceof URL) throw new Error(`Sent to ${shown.origin}`);
  return { browser, shown, csrf: fieldOf(shown, 'csrf') };
}

/** The same browser at the consent page. */
export async function openConsent(at: Attacked) {
  const { browser, shown, csrf } = await openSignIn(at);
  const consent = await browser.submit(shown, `${shown.url.pathname}/sign-in`, { csrf, idToken: 'john' });
  if (consent instanceof URL) throw new Error(`Sent to ${consent.origin}`);
  return { browser, consent, csrf: fieldOf(consent, 'csrf') };
}

/** Posts a form with exactly these headers, as an attacker's page or program would. */
export function postForm(
  address: string,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  return fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(fields).toString(),
    redirect: 'manual',
  });
}

/** A page that says no and sends nobody anywhere. */
export async function expectRefusedPage(response: Response | VisitedPage, status: number): Promise<void> {
  expect(response.status).toBe(status);
  expect(response.headers.get('location')).toBeNull();
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const html = 'html' in response ? response.html : await response.text();
  expect(html).toMatch(/<h1>[^<]+<\/h1>/);
  expect(html).not.toMatch(/evil|stack|node_modules/);
}
