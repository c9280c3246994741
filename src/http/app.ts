import type { ServerResponse } from 'node:http';
import { RESOURCE_SCOPES } from '../access/scopes.ts';
import type { AuthorizationServer } from '../oauth/authorization-server.ts';
import { HttpError, wireOf } from './errors.ts';
import { type Request, SECURITY_HEADERS, sendJson } from './exchange.ts';
import type { Readiness } from './readiness.ts';

/** A file of the browser code. */
export interface Asset {
  readonly body: Buffer;
  readonly type: string;
  readonly etag: string;
}

/** What the HTTP face stands on. */
export interface AppOptions {
  readonly origin: string;
  readonly health: () => Promise<Health>;
  readonly ready: () => Promise<Readiness>;
  readonly mcp: (req: Request, res: ServerResponse) => Promise<void>;
  /** Who issues the tokens: this origin, or an external issuer. */
  readonly authorizationServer: string;
  /** Loaded at its first use: importing it costs most of a cold start. Null with an external issuer. */
  readonly oauth: (() => Promise<Pick<AuthorizationServer, 'handle'>>) | null;
  /** Pages of ours by their first path segment, such as `console`, each loaded at its first use. */
  readonly pages: ReadonlyMap<string, () => Promise<{ handle: Handle }>>;
  /** URL path → file. */
  readonly assets: ReadonlyMap<string, Asset>;
  /** Faults of ours: name and code, never a value. */
  readonly onFault: (fault: { readonly name: string; readonly code: string }) => void;
}

/** What `/healthz` says. */
export interface Health {
  readonly status: 'ok' | 'degraded';
  readonly store: 'firestore' | 'postgres';
  readonly kms: 'aws' | 'emulator' | 'local';
  readonly version: string;
}

type Route = (req: Request, res: ServerResponse) => Promise<void> | void;

/** What answers every request. */
export type Handle = (req: Request, res: ServerResponse) => Promise<void>;

const OAUTH_PATHS = /^\/(oauth\/|\.well-known\/(openid-configuration|oauth-authorization-server)$)/;

/** One handler for node's http server and for Cloud Functions: finds the route, sets headers, turns errors into answers. */
export function createApp(options: AppOptions): Handle {
  const routes = new Map<string, Route>([
    ['/', (_req, res) => sendJson(res, 200, welcome(options.origin))],
    ['/healthz', async (_req, res) => sendHealth(res, await options.health())],
    ['/readyz', async (_req, res) => sendReady(res, await options.ready())],
    ['/mcp', options.mcp],
    ['/.well-known/oauth-protected-resource', (_req, res) => sendMetadata(res, options)],
    ['/.well-known/oauth-protected-resource/mcp', (_req, res) => sendMetadata(res, options)],
  ]);
  return async (req, res) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) res.setHeader(name, value);
    try {
      const { pathname } = new URL(req.url ?? '/', options.origin);
      if (options.oauth !== null && OAUTH_PATHS.test(pathname))
        return await (await options.oauth()).handle(req, res);
      const page = options.pages.get(pathname.split('/')[1] ?? '');
      if (page !== undefined) return await (await page()).handle(req, res);
      const asset = options.assets.get(pathname);
      if (asset !== undefined) return sendAsset(req, res, asset);
      const route = routes.get(pathname);
      if (route === undefined)
        throw new HttpError('NO_SUCH_ADDRESS', 'There is nothing at this address. MCP is at /mcp.');
      await route(req, res);
    } catch (error) {
      if (!(error instanceof HttpError)) options.onFault(describe(error));
      const { status, body } = wireOf(error);
      sendJson(res, status, body);
    }
  };
}

/** RFC 9728 §2. */
function sendMetadata(res: ServerResponse, { origin, authorizationServer }: AppOptions): void {
  const metadata = {
    resource: `${origin}/mcp`,
    authorization_servers: [authorizationServer],
    scopes_supported: RESOURCE_SCOPES,
    bearer_methods_supported: ['header'],
    resource_name: 'Chartseal',
  };
  sendJson(res, 200, metadata, {
    'cache-control': 'public, max-age=300',
    'access-control-allow-origin': '*',
  });
}

function sendHealth(res: ServerResponse, health: Health): void {
  sendJson(res, health.status === 'ok' ? 200 : 503, health);
}

function sendReady(res: ServerResponse, ready: Readiness): void {
  sendJson(res, ready.status === 'ready' ? 200 : 503, ready);
}

function sendAsset(req: Request, res: ServerResponse, asset: Asset): void {
  const headers = {
    'content-type': asset.type,
    etag: asset.etag,
    'cache-control': 'public, max-age=300',
    // A worker goes by the policy of its own file, and the console's reads the log.
    'content-security-policy': "default-src 'none'; connect-src 'self'; frame-ancestors 'none'",
  };
  if (req.headers['if-none-match'] === asset.etag) {
    res.writeHead(304, headers).end();
  } else {
    res.writeHead(200, { ...headers, 'content-length': asset.body.length }).end(asset.body);
  }
}

const welcome = (origin: string) => ({
  name: 'Chartseal',
  mcp: `${origin}/mcp`,
  health: `${origin}/healthz`,
});

function describe(error: unknown): { name: string; code: string } {
  if (!(error instanceof Error)) return { name: 'unknown', code: '' };
  return { name: error.name, code: 'code' in error ? String(error.code) : '' };
}
