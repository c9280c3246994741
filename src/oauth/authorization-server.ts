import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JWK } from 'jose';
import type Provider from 'oidc-provider';
import { systemClock } from '../kernel/clock.ts';
import type { Store } from '../kernel/store.ts';
import { type ClientPolicy, redirectAllowed, registrationOf } from './clients.ts';
import { createCookieJar } from './cookie-jar.ts';
import { developmentOnly } from './development.ts';
import { OAuthError } from './errors.ts';
import { createGrantRegistry, type GrantRegistry } from './grants.ts';
import { createInteractions, isInteractionPath, type OAuthEvent } from './interactions.ts';
import { type PageAssets, problemPage, sendPage } from './pages.ts';
import { createProvider } from './provider.ts';
import { bodyOf, rewritten } from './request.ts';
import type { SignIn } from './sign-in.ts';

/** How {@link createAuthorizationServer} is set up. */
export interface AuthorizationServerOptions {
  /** The public origin, without a trailing slash: `https://clinic.example`. It is the `iss` of every token. */
  readonly issuer: string;
  /** The MCP address: the only audience that tokens are issued for. */
  readonly resource: string;
  /** Every scope and what it lets a client do, in the words of the consent page. */
  readonly scopes: Readonly<Record<string, string>>;
  /** What a request without `scope` asks for; all of `scopes` when left out. */
  readonly defaultScopes?: readonly string[];
  readonly store: Store;
  /** Private ES256 keys, each with a `kid`. The first signs; all are published, so a new key can be known before it signs. */
  readonly signingKeys: readonly JWK[];
  /** Secrets of at least 32 characters for cookies and forms. The first signs, all verify. */
  readonly cookieKeys: readonly string[];
  readonly signIn: SignIn;
  readonly pages: PageAssets;
  /** Exact redirect addresses to take beside ChatGPT's own. */
  readonly redirectUris?: readonly string[];
  /** Hosts of client documents (CIMD) and key sets; ChatGPT's own when left out. */
  readonly clientHosts?: readonly string[];
  /** For the audit log. Awaited: when it fails, the step fails. */
  readonly onEvent?: (event: OAuthEvent) => Promise<void>;
  /** Faults of the server, without values: the error's name and code. */
  readonly onFault?: (fault: { readonly name: string; readonly code: string }) => void;
  /** Fetches client documents; the platform's `fetch` when left out. */
  readonly fetch?: typeof globalThis.fetch;
  readonly [developmentOnly]?: true;
}

/** An OAuth 2.1 authorization server for MCP clients, to be mounted at the root of its origin. */
export interface AuthorizationServer {
  /** Answers one request. Takes node's own request and response, or those of Cloud Functions (`rawBody`). */
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>;
  isOAuthPath(path: string): boolean;
  /** The public halves of the signing keys, as at `/oauth/jwks`. */
  jwks(): { keys: JWK[] };
  /** Which connections are live; asked before PHI is opened. */
  readonly grants: GrantRegistry;
}

const CHATGPT_HOSTS = ['chatgpt.com', 'openai.com'];
const METADATA = new Set(['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']);

/**
 * @throws OAuthError `SETUP` for an http issuer or an Auth emulator without {@link developmentOnly}, and for keys
 *   that are missing, weak or not private ES256.
 */
export function createAuthorizationServer(options: AuthorizationServerOptions): AuthorizationServer {
  assertSafe(options);
  const clients: ClientPolicy = {
    redirectUris: options.redirectUris ?? [],
    hosts: options.clientHosts ?? CHATGPT_HOSTS,
    loopback: options[developmentOnly] === true,
  };
  const grants = createGrantRegistry(options.store);
  const provider = createProvider({
    ...options,
    grants,
    clients,
    fetch: options.fetch ?? globalThis.fetch,
  });
  const fault = options.onFault ?? (() => {});
  provider.on('server_error', (_ctx, error) => fault(nameOf(error)));
  (provider as NodeJS.EventEmitter).on('error', (error) => fault(nameOf(error)));
  return {
    handle: createHandler(options, provider, clients, grants),
    isOAuthPath: (path) => path.startsWith('/oauth/') || METADATA.has(path),
    jwks: () => ({
      keys: options.signingKeys.map(({ d: _private, ...key }) => ({ ...key, use: 'sig', alg: 'ES256' })),
    }),
    grants,
  };
}

function createHandler(
  options: AuthorizationServerOptions,
  provider: Provider,
  clients: ClientPolicy,
  grants: GrantRegistry,
): AuthorizationServer['handle'] {
  const origin = new URL(options.issuer);
  const openJar = createCookieJar({ keys: options.cookieKeys, secure: origin.protocol === 'https:' });
  const interactions = createInteractions({
    ...options,
    provider,
    grants,
    now: systemClock,
    formKey: options.cookieKeys[0] ?? '',
    onEvent: options.onEvent ?? (async () => {}),
  });
  const library = provider.callback();
  return async (req, res) => {
    try {
      const url = URL.parse(req.url ?? '/', origin) ?? new URL(origin);
      const body = await bodyOf(req);
      const jar = openJar(req.headers.cookie, url.pathname);
      jar.attach(res);
      const headers = {
        cookie: jar.header,
        'x-forwarded-host': origin.host,
        'x-forwarded-proto': origin.protocol.slice(0, -1),
      };
      if (isInteractionPath(url.pathname)) {
        return await interactions(
          rewritten(req, { url: url.pathname, headers, body }),
          res,
          url.pathname,
          body,
        );
      }
      if (url.pathname === '/oauth/authorize') completeRequest(url, options);
      const sent =
        url.pathname === '/oauth/register' && req.method === 'POST' ? register(body, clients) : body;
      await library(rewritten(req, { url: url.pathname + url.search, headers, body: sent }), res);
    } catch (error) {
      refuse(error, res, options);
    }
  };
}

/** What a client may leave out is filled in, and what names a person is left out. */
function completeRequest(url: URL, { scopes, defaultScopes }: AuthorizationServerOptions): void {
  if ((url.searchParams.get('scope') ?? '').trim() === '') {
    url.searchParams.set('scope', (defaultScopes ?? Object.keys(scopes)).join(' '));
  }
  url.searchParams.delete('login_hint');
  url.searchParams.delete('id_token_hint');
}

function register(body: Buffer, clients: ClientPolicy): Buffer {
  const registration = registrationOf(body, clients);
  const uris: unknown = registration['redirect_uris'];
  if (!Array.isArray(uris) || uris.length === 0 || !uris.every((uri) => redirectAllowed(uri, clients))) {
    throw new InvalidRedirect();
  }
  return Buffer.from(JSON.stringify(registration));
}

/** RFC 7591 §3.2.2 names this answer. */
class InvalidRedirect extends Error {}

function refuse(error: unknown, res: ServerResponse, { pages, onFault }: AuthorizationServerOptions): void {
  if (res.headersSent) {
    res.end();
  } else if (error instanceof InvalidRedirect) {
    sendJson(res, 'invalid_redirect_uri', 'redirect_uris may only name addresses that this server allows');
  } else if (error instanceof OAuthError && error.code === 'REQUEST_BODY') {
    sendJson(res, 'invalid_request', error.message);
  } else if (error instanceof OAuthError && error.code === 'CROSS_SITE') {
    sendPage(res, problemPage(pages, 403, 'This form was not accepted', error.message));
  } else if (error instanceof OAuthError) {
    sendPage(res, problemPage(pages, 400, 'This page has expired', error.message));
  } else {
    onFault?.(nameOf(error));
    sendPage(
      res,
      problemPage(pages, 503, 'Something went wrong here', 'Nothing was changed. Try again in a minute.'),
    );
  }
}

function sendJson(res: ServerResponse, error: string, description: string): void {
  res.writeHead(400, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  res.end(JSON.stringify({ error, error_description: description }));
}

function nameOf(error: unknown): { name: string; code: string } {
  const { name, code } =
    error instanceof Error ? (error as Error & { code?: unknown }) : { name: 'unknown', code: '' };
  return { name, code: typeof code === 'string' ? code : '' };
}

function assertSafe(options: AuthorizationServerOptions): void {
  const development = options[developmentOnly] === true;
  const refuseSetup = (message: string): never => {
    throw new OAuthError('SETUP', message);
  };
  if (new URL(options.issuer).origin !== options.issuer)
    refuseSetup('The issuer is an origin without a path.');
  if (!development && !options.issuer.startsWith('https://')) refuseSetup('The issuer must be https.');
  if (!development && options.pages.authEmulatorUrl !== undefined) {
    refuseSetup('The Auth emulator is for development only.');
  }
  if (options.cookieKeys.length === 0 || options.cookieKeys.some((key) => key.length < 32)) {
    refuseSetup('Give at least one cookie key of 32 characters or more.');
  }
  const es256 = options.signingKeys.every(
    ({ kty, crv, d, kid }) => kty === 'EC' && crv === 'P-256' && d !== undefined && kid !== undefined,
  );
  if (options.signingKeys.length === 0 || !es256)
    refuseSetup('Give at least one private ES256 signing key, each with its kid.');
}
