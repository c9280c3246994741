import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  Client as NewClient,
  StreamableHTTPClientTransport as NewTransport,
} from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { wireOf } from '../../src/http/errors.ts';
import { sendJson } from '../../src/http/exchange.ts';
import { createMcpEndpoint } from '../../src/http/mcp-endpoint.ts';
import type { People, Person } from './people.ts';
import type { Call } from './script.ts';
import type { Spoken } from './transcript.ts';

/** A connected official client of one person. */
export interface Connected {
  readonly call: Call;
  close(): Promise<void>;
}

/** How the address is served. */
export interface MountOptions {
  readonly serverFor?: NonNullable<Parameters<typeof createMcpEndpoint>[0]['serverFor']>;
  /** For clients that cannot send a token: whose token a request without one is given. */
  readonly bearerOf?: Person;
  /** Told how long the server had a request, in ms. */
  readonly onServed?: (ms: number) => void;
}

const INFO = { name: 'conversation', version: '1.0.0' };
const GRANT_SECONDS = 600;

/** The real MCP address over HTTP for a clinic of a test's own, with tokens that the test signs. */
export async function mountMcp(people: People, { serverFor, bearerOf, onServed }: MountOptions = {}) {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' };
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const address = new URL('/mcp', origin);
  const [issuer, audience] = ['https://clinic.example', 'https://clinic.example/mcp'];
  const handle = createMcpEndpoint({
    origin,
    services: people.services,
    isLive: null,
    bearer: { issuer, audience, keys: createLocalJWKSet({ keys: [jwk] }), clock: people.now },
    ...(serverFor === undefined ? {} : { serverFor }),
  });
  const token = (person: Person): Promise<string> => {
    const { user, tenant, client, scopes } = people.principal(person);
    const iat = Math.floor(people.now() / 1000);
    const claims = { sub: user, tenant, client_id: client, grant_id: 'g', scope: scopes.join(' '), jti: 'j' };
    return new SignJWT({ ...claims, iss: issuer, aud: audience, iat, exp: iat + GRANT_SECONDS })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k' })
      .sign(privateKey);
  };
  const injected = bearerOf === undefined ? undefined : `Bearer ${await token(bearerOf)}`;
  server.on('request', (req, res) => {
    const began = performance.now();
    if (onServed !== undefined) res.once('finish', () => onServed(performance.now() - began));
    if (injected !== undefined) req.headers.authorization ??= injected;
    handle(req, res).catch((error: unknown) => {
      const { status, body } = wireOf(error);
      sendJson(res, status, body);
    });
  });
  return {
    address,
    token,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type Mount = Awaited<ReturnType<typeof mountMcp>>;

/** `@modelcontextprotocol/sdk` 1.32, at 2025-11-25. */
export async function oldClient(mount: Mount, person: Person): Promise<Connected> {
  const client = new OldClient(INFO);
  const requestInit = { headers: { authorization: `Bearer ${await mount.token(person)}` } };
  await client.connect(new OldTransport(mount.address, { requestInit }) as never);
  return {
    call: async (name, args) => (await client.callTool({ name, arguments: args })) as unknown as Spoken,
    close: () => client.close(),
  };
}

/** `@modelcontextprotocol/client` 2.x, at 2026-07-28. `prepare` is for handlers, before it connects. */
export async function newClient(
  mount: Mount,
  person: Person,
  { capabilities = {}, prepare = () => {} }: NewClientOptions = {},
): Promise<Connected> {
  const versionNegotiation = { mode: { pin: '2026-07-28' } } as const;
  const client = new NewClient(INFO, { versionNegotiation, capabilities });
  prepare(client);
  const requestInit = { headers: { authorization: `Bearer ${await mount.token(person)}` } };
  await client.connect(new NewTransport(mount.address, { requestInit }));
  return {
    call: async (name, args) => (await client.callTool({ name, arguments: args })) as unknown as Spoken,
    close: () => client.close(),
  };
}

interface NewClientOptions {
  readonly capabilities?: NonNullable<ConstructorParameters<typeof NewClient>[1]>['capabilities'] & object;
  readonly prepare?: (client: NewClient) => unknown;
}
