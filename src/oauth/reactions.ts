import { createLocalJWKSet, type JWK, jwtVerify } from 'jose';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { OAuthEvent } from './events.ts';
import type { GrantRegistry } from './grants.ts';
import { LIMITS, type RateLimits } from './rate-limits.ts';

/** What {@link react} stands on. */
export interface ReactionOptions {
  readonly issuer: string;
  readonly resource: string;
  readonly signingKeys: readonly JWK[];
  readonly grants: GrantRegistry;
  readonly limits: RateLimits;
  /** Awaited before the answer leaves: if it fails, so does the request. */
  readonly onEvent: (event: OAuthEvent) => Promise<void>;
  readonly onFault: (error: unknown) => void;
}

type Middleware = Parameters<Provider['use']>[0];
type Context = Parameters<Middleware>[0];

/** Names, between the handler and here, whence a request came. The handler sets it on every request. */
export const ADDRESS_HEADER = 'x-chartseal-address';

/** Where {@link rememberEnd} leaves the connection that the library ended during a request. */
const ENDED = 'endedGrant';

/** For the library's event `grant.revoked`. */
export function rememberEnd(ctx: Context, grantId: string): void {
  ctx.state[ENDED] = grantId;
}

/**
 * Middleware around the library: tells the audit log what it decided, and ends a connection by an access token,
 * which the library cannot, because it keeps no JWT.
 */
export function react(options: ReactionOptions): Middleware {
  return async (ctx, next) => {
    await next();
    if (ctx.method !== 'POST') return;
    const refused = ctx.status >= 400 && ctx.status < 500;
    try {
      // Before the answer leaves: a function's instance may sleep afterwards.
      if (ctx.path === '/oauth/token' && refused)
        await options.limits.take(LIMITS.token, ctx.get(ADDRESS_HEADER));
      if (ctx.path === '/oauth/register' && ctx.status === 201) await tellRegistration(options, ctx);
      if (ctx.path === '/oauth/token' && ctx.status === 400) await tellReuse(options, ctx);
      if (ctx.path === '/oauth/revoke') await revoked(options, ctx);
    } catch (error) {
      options.onFault(error);
      ctx.status = 500;
      ctx.body = SERVER_ERROR;
    }
  };
}

/** RFC 6749 §5.2 has no name for it; this is the one of §4.1.2.1. */
export const SERVER_ERROR = {
  error: 'server_error',
  error_description: 'Nothing was released. Try again.',
} as const;

const tellRegistration = (options: ReactionOptions, ctx: Context): Promise<void> =>
  options.onEvent({
    kind: 'client-registered',
    clientId: String((ctx.body as { client_id?: unknown }).client_id),
  });

/** A code or refresh token that was used before: somebody else may have it, and the library ended the connection. */
async function tellReuse(options: ReactionOptions, ctx: Context): Promise<void> {
  const refresh = contextOf(ctx).params?.['grant_type'] === 'refresh_token';
  await tell(options, refresh ? 'refresh-reused' : 'code-reused', endedBy(ctx));
}

async function revoked(options: ReactionOptions, ctx: Context): Promise<void> {
  const { client, params } = contextOf(ctx);
  const isJwt = (ctx.body as { error?: unknown } | undefined)?.error === 'unsupported_token_type';
  if (isJwt) Object.assign(ctx, { body: '', status: 200 });
  if (ctx.status !== 200) return;
  const grantId = isJwt ? await grantOfJwt(options, String(params?.['token'] ?? '')) : endedBy(ctx);
  const owner = grantId === null ? null : await options.grants.ownerOf(grantId);
  // A client ends its own connections, and learns nothing of others (RFC 7009 §2.1).
  if (grantId === null || owner === null || owner.clientId !== client?.clientId) return;
  await options.grants.revoke(grantId);
  await tell(options, 'token-revoked', grantId);
}

/** The connection of an access token of ours; null for anything else. */
async function grantOfJwt(
  { issuer, resource, signingKeys }: ReactionOptions,
  token: string,
): Promise<string | null> {
  if (token.split('.').length !== 3) return null;
  const keys = createLocalJWKSet({ keys: signingKeys.map(({ d: _private, ...key }) => key) });
  const expected = { issuer, audience: resource, typ: 'at+jwt', algorithms: ['ES256'] };
  const grant = await jwtVerify(token, keys, expected).then(
    ({ payload }) => payload['grant_id'],
    () => null,
  );
  return typeof grant === 'string' ? grant : null;
}

async function tell(
  { grants, onEvent }: ReactionOptions,
  kind: 'refresh-reused' | 'code-reused' | 'token-revoked',
  grantId: string | null,
): Promise<void> {
  const owner = grantId === null ? null : await grants.ownerOf(grantId);
  if (owner !== null) await onEvent({ kind, ...owner });
}

/** What the library knows of a request; nothing of one that was refused before it looked. */
const contextOf = (ctx: Context): Partial<KoaContextWithOIDC['oidc']> =>
  (ctx['oidc'] as KoaContextWithOIDC['oidc'] | undefined) ?? {};

const endedBy = (ctx: Context): string | null => {
  const grantId: unknown = ctx.state[ENDED];
  return typeof grantId === 'string' ? grantId : null;
};
