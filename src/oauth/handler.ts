import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import type { AuthorizationServerOptions } from './authorization-server.ts';
import { type ClientPolicy, redirectAllowed, registrationOf } from './clients.ts';
import { createCookieJar } from './cookie-jar.ts';
import { OAuthError } from './errors.ts';
import { FEDERATED_RETURN, type Federation } from './federation.ts';
import { isInteractionPath } from './interactions.ts';
import { problemPage, sendPage } from './pages.ts';
import { LIMITS, type RateLimits, SHARDS, subjectOf } from './rate-limits.ts';
import { ADDRESS_HEADER, SERVER_ERROR } from './reactions.ts';
import { addressOf, bodyOf, rewritten } from './request.ts';
import { USER_INFO_PATH } from './user-info.ts';
import { expired } from './visit.ts';

/** What a request may pass to. */
export interface HandlerParts {
  readonly options: AuthorizationServerOptions;
  readonly provider: Provider;
  readonly clients: ClientPolicy;
  readonly limits: RateLimits;
  readonly interactions: (visit: {
    req: IncomingMessage;
    res: ServerResponse;
    path: string;
    body: Buffer;
    query: URLSearchParams;
    address: string;
  }) => Promise<void>;
  readonly federation: Federation;
  readonly userInfo: (req: IncomingMessage, res: ServerResponse) => Promise<void>;
}

/** One request on its way. */
interface Passage {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly url: URL;
  readonly body: Buffer;
  /** Who asks, as the rate limits count. */
  readonly address: string;
  /** Headers that the request gets beside its own. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** Addresses that programs ask: there an error is JSON. */
const PROGRAMS = /^\/oauth\/(?:token|register|revoke|userinfo|jwks)(?:\?|$)/;

/** What a request passes through: cookies unpacked, limits asked, pages or library, refusals put into words. */
export function createHandler(parts: HandlerParts) {
  const { options } = parts;
  const origin = new URL(options.issuer);
  const openJar = createCookieJar({ keys: options.cookieKeys, secure: origin.protocol === 'https:' });
  const library = parts.provider.callback();
  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    try {
      const url = URL.parse(req.url ?? '/', origin) ?? new URL(origin);
      const body = await bodyOf(req);
      const jar = openJar(req.headers.cookie, url.pathname);
      jar.attach(res);
      const address = subjectOf(addressOf(req, options.proxyHops ?? 0));
      const headers = {
        [ADDRESS_HEADER]: address,
        cookie: jar.header,
        'x-forwarded-host': origin.host,
        'x-forwarded-proto': origin.protocol.slice(0, -1),
      };
      await pass(parts, library, { req, res, url, body, address, headers });
    } catch (error) {
      refuse(error, { res, program: PROGRAMS.test(req.url ?? '') }, options);
    }
  };
}

async function pass(
  parts: HandlerParts,
  library: (req: IncomingMessage, res: ServerResponse) => Promise<void>,
  passage: Passage,
): Promise<void> {
  const { req, res, url, body, address, headers } = passage;
  const { pathname: path } = url;
  if (path === USER_INFO_PATH) return parts.userInfo(req, res);
  if (isInteractionPath(path)) {
    return parts.interactions({
      req: rewritten(req, { url: path, headers, body }),
      res,
      path,
      body,
      query: url.searchParams,
      address,
    });
  }
  if (path === FEDERATED_RETURN) return sendOn(parts.federation, url, res);
  if (path === '/oauth/authorize') completeRequest(url, parts.options);
  const posted = req.method === 'POST';
  if (posted && path === '/oauth/token') await refuseSpent(parts.limits, address);
  const sent = posted && path === '/oauth/register' ? await register(parts, body, address) : body;
  await library(rewritten(req, { url: path + url.search, headers, body: sent }), res);
}

/** Back from an account elsewhere, to the interaction that began it: only there is its cookie seen. */
function sendOn(federation: Federation, url: URL, res: ServerResponse): void {
  const answer = federation.returned(url.searchParams.get('state'));
  if (answer === null) throw expired();
  const query = new URLSearchParams();
  for (const name of ['state', 'code']) {
    const value = url.searchParams.get(name);
    if (value !== null) query.set(name, value);
  }
  const location = `/oauth/interaction/${answer.uid}/returned?${query}`;
  res.writeHead(303, { location, 'cache-control': 'private, no-store' }).end();
}

/** What a client may leave out is filled in, and what names a person is left out. */
function completeRequest(url: URL, { scopes, defaultScopes }: AuthorizationServerOptions): void {
  if ((url.searchParams.get('scope') ?? '').trim() === '') {
    url.searchParams.set('scope', (defaultScopes ?? Object.keys(scopes)).join(' '));
  }
  url.searchParams.delete('login_hint');
  url.searchParams.delete('id_token_hint');
}

async function refuseSpent(limits: RateLimits, address: string): Promise<void> {
  if (await limits.isSpent(LIMITS.token, address)) throw tooMany('token requests');
}

/** Counted once it is known to be well-formed, and before anything is stored. */
async function register({ clients, limits }: HandlerParts, body: Buffer, address: string): Promise<Buffer> {
  const registration = registrationOf(body, clients);
  const uris: unknown = registration['redirect_uris'];
  if (!Array.isArray(uris) || uris.length === 0 || !uris.every((uri) => redirectAllowed(uri, clients))) {
    throw new InvalidRedirect();
  }
  const mine = await limits.take(LIMITS.registration, address);
  const shard = String(Math.floor(Math.random() * SHARDS));
  const all = await limits.take(LIMITS.registrations, shard);
  if (mine > LIMITS.registration.max || all > LIMITS.registrations.max) throw tooMany('registrations');
  return Buffer.from(JSON.stringify(registration));
}

/** RFC 7591 §3.2.2 names this answer. */
class InvalidRedirect extends Error {}

const tooMany = (what: string): OAuthError =>
  new OAuthError('TOO_MANY', `Too many ${what} from one place. Try again later.`, { retryable: true });

/** What each code looks like to whoever sees it: JSON for programs, a page for people. */
function refuse(
  error: unknown,
  { res, program }: { res: ServerResponse; program: boolean },
  { pages, onFault }: AuthorizationServerOptions,
): void {
  if (res.headersSent) {
    res.end();
  } else if (error instanceof InvalidRedirect) {
    const description = 'redirect_uris may only name addresses that this server allows';
    sendJson(res, 400, { error: 'invalid_redirect_uri', error_description: description });
  } else if (error instanceof OAuthError && error.code === 'REQUEST_BODY') {
    sendJson(res, 400, { error: 'invalid_request', error_description: error.message });
  } else if (error instanceof OAuthError && error.code === 'TOO_MANY') {
    res.setHeader('retry-after', '300');
    sendJson(res, 429, { error: 'temporarily_unavailable', error_description: error.message });
  } else if (error instanceof OAuthError && error.code === 'CROSS_SITE') {
    sendPage(res, problemPage(pages, 403, 'This form was not accepted', error.message));
  } else if (error instanceof OAuthError) {
    sendPage(res, problemPage(pages, 400, 'This page has expired', error.message));
  } else {
    onFault?.(nameOf(error));
    const advice = 'Nothing was changed. Try again in a minute.';
    if (program) sendJson(res, 500, SERVER_ERROR);
    else sendPage(res, problemPage(pages, 503, 'Something went wrong here', advice));
  }
}

function sendJson(res: ServerResponse, status: number, body: Readonly<Record<string, string>>): void {
  res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  res.end(JSON.stringify(body));
}

/** An error without its values: what an operator may read. */
export function nameOf(error: unknown): { name: string; code: string } {
  const { name, code } =
    error instanceof Error ? (error as Error & { code?: unknown }) : { name: 'unknown', code: '' };
  return { name, code: typeof code === 'string' ? code : '' };
}
