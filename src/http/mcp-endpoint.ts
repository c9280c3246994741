import type { ServerResponse } from 'node:http';
import { NodeStreamableHTTPServerTransport, toNodeHandler, toWebRequest } from '@modelcontextprotocol/node';
import { type AuthInfo, createMcpHandler, isLegacyRequest, type Server } from '@modelcontextprotocol/server';
import { type BearerOptions, type Principal, refuseMisplacedToken, verifyBearer } from '../access/bearer.ts';
import { AccessError } from '../access/errors.ts';
import { RESOURCE_SCOPES } from '../access/scopes.ts';
import { challenge } from '../mcp/answers.ts';
import { appsSessionFor, isAppsSession } from '../mcp/apps.ts';
import type { Caller } from '../mcp/call-tool.ts';
import { createServer } from '../mcp/server.ts';
import type { Services } from '../mcp/tool.ts';
import { HttpError, rpcError } from './errors.ts';
import { type Request, readJson, sendJson } from './exchange.ts';
import { stepUpByHttp } from './step-up.ts';

/** What the MCP address stands on. */
export interface McpEndpointOptions {
  readonly origin: string;
  readonly services: Services;
  readonly bearer: BearerOptions;
  /**
   * Asked for each request: false when the person has ended the connection that the token belongs to. Null with an
   * external issuer, whose connections are not known here: its tokens end by their short life.
   */
  readonly isLive: ((grant: string) => Promise<boolean>) | null;
  /** Makes the server that answers one request; our own when left out. Conformance tests add what their suite calls. */
  readonly serverFor?: (caller: Caller) => Server;
}

const BROWSERS_ALLOWED = ['https://chatgpt.com', 'https://chat.openai.com'];

/**
 * `/mcp`: the bearer token first, then the protocol. Stateless in both eras: one JSON answer for one POST; no
 * sessions, no streams, so GET and DELETE are a clean 405.
 */
export function createMcpEndpoint(
  options: McpEndpointOptions,
): (req: Request, res: ServerResponse) => Promise<void> {
  const { services, serverFor = createServer } = options;
  const modern = toNodeHandler(
    createMcpHandler(({ authInfo }) => serverFor(callerOf(authInfo)), {
      legacy: 'reject',
      maxSubscriptions: 0,
      keepAliveMs: 0,
    }),
  );
  return async (req, res) => {
    checkOrigin(req, options.origin);
    if (req.method !== 'POST') {
      sendJson(res, 405, rpcError(-32600, 'Send POST requests to this address.', 'METHOD_NOT_ALLOWED'), {
        allow: 'POST',
      });
      return;
    }
    const principal = await authenticate(req, res, options);
    if (principal === null) return;
    const body = await readJson(req);
    if (isListening(body)) {
      sendJson(res, 404, { ...rpcError(-32601, 'Method not found', 'NO_SUBSCRIPTIONS'), id: body.id });
      return;
    }
    const onStepUp = stepUpByHttp(req, res, { client: principal.client, body });
    const caller: Caller = { principal, services, ...(onStepUp === undefined ? {} : { onStepUp }) };
    const auth: AuthInfo = {
      token: '',
      clientId: principal.client,
      scopes: [...principal.scopes],
      extra: { caller },
    };
    const authenticated = Object.assign(req, { auth }) as Request & { auth: AuthInfo };
    if (await isLegacyRequest(await toWebRequest(authenticated as never, body))) {
      const session = appsSessionFor(body);
      if (session !== null) res.setHeader('mcp-session-id', session);
      const showsWidgets = isAppsSession(req.headers['mcp-session-id']);
      await serveLegacy(serverFor({ ...caller, showsWidgets }), { req: authenticated, res, body });
    } else {
      await modern(authenticated as never, res, body);
    }
  };
}

/**
 * The revisions up to 2025-11-25, which ChatGPT opens with. Wired by hand because the library's own fallback
 * answers each call as an event stream, and a function instance should answer with JSON and be done.
 */
async function serveLegacy(
  server: Server,
  exchange: { req: Request; res: ServerResponse; body: unknown },
): Promise<void> {
  const transport = new NodeStreamableHTTPServerTransport({ enableJsonResponse: true });
  await server.connect(transport);
  exchange.res.once('close', () => void server.close());
  await transport.handleRequest(exchange.req, exchange.res, exchange.body);
}

/**
 * Nothing here changes behind a client's back, so there is nothing to listen to; a stream that is held open would cost
 * a function instance. The library would say that there are too many listeners, which is not the reason.
 */
function isListening(body: unknown): body is { readonly id: unknown } {
  return (
    typeof body === 'object' && body !== null && 'method' in body && body.method === 'subscriptions/listen'
  );
}

/** Null when the challenge was sent. */
async function authenticate(
  req: Request,
  res: ServerResponse,
  options: McpEndpointOptions,
): Promise<Principal | null> {
  try {
    refuseMisplacedToken({ url: req.url, contentType: req.headers['content-type'] });
    const principal = await verifyBearer(req.headers.authorization, options.bearer);
    if (!(await stillGood(principal, options.isLive)))
      throw new AccessError('TOKEN_INVALID', 'This connection was ended. Sign in again.');
    return principal;
  } catch (error) {
    if (!(error instanceof AccessError)) throw error;
    if (error.code === 'TOKEN_MISPLACED') {
      sendJson(res, 400, rpcError(-32600, error.message, error.code));
      return null;
    }
    const asking = new AccessError(error.code, error.message, RESOURCE_SCOPES);
    sendJson(res, 401, rpcError(-32001, error.message, error.code), {
      'www-authenticate': challenge(asking, options.services.resourceMetadataUrl),
    });
    return null;
  }
}

async function stillGood({ grant }: Principal, isLive: McpEndpointOptions['isLive']): Promise<boolean> {
  return isLive === null || (grant !== null && (await isLive(grant)));
}

/** A page of another site must not talk to this address through a person's browser (DNS rebinding). */
function checkOrigin(req: Request, own: string): void {
  const { origin } = req.headers;
  if (origin === undefined || origin === own || BROWSERS_ALLOWED.includes(origin)) return;
  throw new HttpError('ORIGIN_REFUSED', 'This address is not for pages of other sites.');
}

function callerOf(authInfo: AuthInfo | undefined): Caller {
  const caller = authInfo?.extra?.['caller'];
  if (caller === undefined) throw new TypeError('The MCP handler ran before the token was verified.');
  return caller as Caller;
}
