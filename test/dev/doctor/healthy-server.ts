import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { CHATGPT_REDIRECT } from '../../../src/dev/doctor/flow-facts.ts';

/** One answer of the stub. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON unless it is a string. */
  readonly body?: unknown;
}

/** One request as the stub sees it. */
export interface Asked {
  readonly req: IncomingMessage;
  readonly url: URL;
  readonly body: string;
}

/** Which address of the stub answers otherwise: the planted fault. */
export type Fault = Partial<Record<Route, (asked: Asked, healthy: Answer) => Answer | null>>;
export type Route =
  | 'mcp'
  | 'rootMetadata'
  | 'pathMetadata'
  | 'issuerMetadata'
  | 'keys'
  | 'register'
  | 'authorize'
  | 'token';

/** An MCP server and its issuer that do everything right, small enough to be read; `fault` spoils one address. */
export async function startHealthyServer(fault: Fault = {}): Promise<{ url: string; close(): void }> {
  const server: Server = createServer((req, res) => void serve(req, res));
  const serve = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const url = new URL(req.url ?? '/', origin);
    const asked = { req, url, body: await text(req) };
    const route = ROUTES[url.pathname];
    if (route === undefined) return send(res, { status: 404, body: 'nothing here' });
    const healthy = HEALTHY[route](asked, origin);
    const answer = fault[route] === undefined ? healthy : fault[route](asked, healthy);
    // Null hangs: the client's own bound must end it.
    if (answer !== null) send(res, answer);
  };
  let origin = '';
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `${origin}/mcp`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const ROUTES: Readonly<Record<string, Route>> = {
  '/mcp': 'mcp',
  '/.well-known/oauth-protected-resource': 'rootMetadata',
  '/.well-known/oauth-protected-resource/mcp': 'pathMetadata',
  '/.well-known/oauth-authorization-server': 'issuerMetadata',
  '/keys': 'keys',
  '/register': 'register',
  '/authorize': 'authorize',
  '/token': 'token',
};

function send(res: ServerResponse, { status = 200, headers = {}, body }: Answer): void {
  const type = typeof body === 'string' ? 'text/html' : 'application/json';
  res.writeHead(status, { 'content-type': type, ...headers });
  res.end(typeof body === 'string' ? body : JSON.stringify(body));
}

const metadataOf = (_asked: Asked, origin: string): Answer => ({
  body: {
    resource: `${origin}/mcp`,
    authorization_servers: [origin],
    scopes_supported: ['read', 'write'],
    bearer_methods_supported: ['header'],
  },
});

const TOOL = {
  name: 'whoAmI',
  annotations: { readOnlyHint: true, destructiveHint: false, openWorldHint: false },
  securitySchemes: [{ type: 'oauth2', scopes: ['read'] }],
};

const HEALTHY: Readonly<Record<Route, (asked: Asked, origin: string) => Answer>> = {
  mcp: ({ req, url }, origin) => {
    if (req.method !== 'POST') return { status: 405, headers: { allow: 'POST' }, body: {} };
    if (url.searchParams.has('access_token')) return { status: 400, body: {} };
    const { authorization } = req.headers;
    if (authorization !== undefined && authorization !== 'Bearer made-up')
      return { body: { jsonrpc: '2.0', id: 2, result: { tools: [TOOL] } } };
    const error = authorization === undefined ? '' : ', error="invalid_token"';
    const challenge = `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp", scope="read"${error}`;
    return { status: 401, headers: { 'www-authenticate': challenge }, body: { error: {} } };
  },
  rootMetadata: metadataOf,
  pathMetadata: metadataOf,
  issuerMetadata: (_asked, origin) => ({
    body: {
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      registration_endpoint: `${origin}/register`,
      jwks_uri: `${origin}/keys`,
      code_challenge_methods_supported: ['S256'],
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
      scopes_supported: ['read', 'write', 'offline_access'],
      authorization_response_iss_parameter_supported: true,
    },
  }),
  keys: () => ({ body: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'k1' }] } }),
  register: ({ body }) =>
    body.includes(CHATGPT_REDIRECT)
      ? { status: 201, body: { client_id: 'c1', redirect_uris: [CHATGPT_REDIRECT] } }
      : { status: 400, body: { error: 'invalid_redirect_uri' } },
  authorize: ({ url }, origin) => {
    const asked = Object.fromEntries(url.searchParams);
    const back = (error: string): Answer => {
      const location = `${CHATGPT_REDIRECT}?${new URLSearchParams({ error, iss: origin })}`;
      return { status: 303, headers: { location }, body: {} };
    };
    if (asked['redirect_uri'] !== CHATGPT_REDIRECT) return { status: 400, body: '<h1>No</h1>' };
    if (asked['code_challenge_method'] !== 'S256') return back('invalid_request');
    if (asked['resource'] !== `${origin}/mcp`) return back('invalid_target');
    if (asked['prompt'] === 'none') return back('login_required');
    return { headers: { 'content-security-policy': "frame-ancestors 'none'" }, body: '<h1>Sign in</h1>' };
  },
  token: () => ({ body: { access_token: 'x', refresh_token: 'y' } }),
};
