import type { JWK } from 'jose';
import Provider, {
  type Configuration,
  errors,
  interactionPolicy,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import type { UserId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { createAdapterFactory } from './adapter.ts';
import { type ClientPolicy, fetchAllowed, redirectAllowed } from './clients.ts';
import type { OAuthEvent } from './events.ts';
import type { GrantRegistry } from './grants.ts';
import { withoutIssParameter } from './iss-parameter.ts';
import { LIFETIMES } from './lifetimes.ts';
import { type PageAssets, pageHeaders, problemPage } from './pages.ts';
import type { RateLimits } from './rate-limits.ts';
import { react, rememberEnd } from './reactions.ts';
import type { SignIn } from './sign-in.ts';
import { USER_INFO_PATH } from './user-info.ts';
import { SESSION_PATH } from './visit.ts';

export interface ProviderOptions {
  readonly issuer: string;
  readonly resource: string;
  /** Scope → its meaning in words. */
  readonly scopes: Readonly<Record<string, string>>;
  readonly store: Store;
  readonly grants: GrantRegistry;
  readonly signingKeys: readonly JWK[];
  readonly signIn: SignIn;
  readonly clients: ClientPolicy;
  readonly pages: PageAssets;
  readonly fetch: typeof globalThis.fetch;
  readonly limits: RateLimits;
  readonly issParameter?: boolean;
  readonly onEvent: (event: OAuthEvent) => Promise<void>;
}

/** Scopes that belong to the authorization server itself and name nothing at the resource. */
const OWN_SCOPES = ['openid', 'email', 'offline_access'];
const DISCOVERY = new Set(['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']);

/** Configures oidc-provider: what is on, what is off, and where its decisions come from. */
export function createProvider(options: ProviderOptions): Provider {
  const provider = new Provider(options.issuer, {
    adapter: createAdapterFactory(options.store),
    jwks: {
      keys: options.signingKeys.map((key) => ({ ...key })) as NonNullable<Configuration['jwks']>['keys'],
    },
    scopes: OWN_SCOPES,
    clients: predefinedOf(options.clients),
    responseTypes: ['code'],
    clientAuthMethods: ['none', 'private_key_jwt'],
    clientDefaults: {
      grant_types: ['authorization_code', 'refresh_token'],
      id_token_signed_response_alg: 'ES256',
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    pkce: { required: () => true },
    cookies: { long: { path: SESSION_PATH, sameSite: 'lax' }, short: { sameSite: 'lax' } },
    routes: {
      authorization: '/oauth/authorize',
      token: '/oauth/token',
      registration: '/oauth/register',
      revocation: '/oauth/revoke',
      jwks: '/oauth/jwks',
      end_session: '/oauth/end-session',
    },
    features: features(options),
    interactions: {
      url: (_ctx, interaction) => `${options.issuer}/oauth/interaction/${interaction.uid}`,
      policy: policy(),
    },
    ...tokens(options),
    clientBasedCORS: (_ctx, origin, client) =>
      (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin),
    fetch: options.fetch,
    fetchResponseBodyLimits: { jwks_uri: 64 * 1024, 'client_id metadata document': 16 * 1024 },
    renderError: (ctx) => renderError(ctx, options.pages),
  } as Configuration);
  // Behind Google's front end; the edge sets the forwarded headers itself, so nobody else's are believed.
  provider.proxy = true;
  provider.use(async (ctx, next) => {
    await next();
    if (DISCOVERY.has(ctx.path) && ctx.status === 200) {
      const metadata = ctx.body as Record<string, unknown>;
      metadata['scopes_supported'] = [...new Set([...Object.keys(options.scopes), ...OWN_SCOPES])];
      metadata['userinfo_endpoint'] = options.issuer + USER_INFO_PATH;
    }
  });
  if (options.issParameter === false) provider.use(withoutIssParameter(DISCOVERY));
  const onFault = (error: unknown): void => void provider.emit('server_error', {} as never, error as never);
  provider.on('grant.revoked', rememberEnd);
  provider.use(react({ ...options, onFault }));
  return provider;
}

/** Clients of the configuration, in the library's words. What they may do is what a registered client may. */
function predefinedOf({ predefined }: ClientPolicy): NonNullable<Configuration['clients']> {
  return predefined.map((client) => ({
    ...client,
    application_type: client.redirect_uris.every((uri) => uri.startsWith('https://')) ? 'web' : 'native',
  })) as unknown as NonNullable<Configuration['clients']>;
}

function features({ resource, scopes, clients, signingKeys }: ProviderOptions): Configuration['features'] {
  const ownScopes = Object.keys(scopes).filter((scope) => !OWN_SCOPES.includes(scope));
  return {
    devInteractions: { enabled: false },
    dPoP: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    // Its tokens would be opaque and have no audience; every token here is for the resource.
    userinfo: { enabled: false },
    registration: { enabled: true, issueRegistrationAccessToken: false },
    // A client may revoke its own tokens and learns nothing of others (RFC 7009 §2.1).
    revocation: {
      enabled: true,
      allowedPolicy: async (_ctx: unknown, client: { clientId: string }, token: { clientId?: string }) =>
        token.clientId === client.clientId,
    },
    clientIdMetadataDocument: {
      enabled: true,
      ack: 'draft-02',
      allowFetch: async (_ctx: unknown, clientId: string) => fetchAllowed(clientId, clients),
      allowClient: async (_ctx: unknown, client: { redirectUris?: string[]; jwksUri?: string }) =>
        (client.redirectUris ?? []).every((uri) => redirectAllowed(uri, clients)) &&
        (client.jwksUri === undefined || fetchAllowed(client.jwksUri, clients)),
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: async () => resource,
      useGrantedResource: async () => true,
      getResourceServerInfo: async (_ctx: unknown, asked: string) => {
        if (asked !== resource) throw new errors.InvalidTarget();
        return {
          scope: ownScopes.join(' '),
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: LIFETIMES.accessToken,
          jwt: { sign: { alg: 'ES256', kid: signingKeys[0]?.kid } },
        };
      },
    },
  } as unknown as Configuration['features'];
}

function tokens({ grants, signIn }: ProviderOptions): Partial<Configuration> {
  return {
    ttl: {
      AccessToken: LIFETIMES.accessToken,
      AuthorizationCode: LIFETIMES.authorizationCode,
      Grant: LIFETIMES.grant,
      IdToken: LIFETIMES.idToken,
      Interaction: LIFETIMES.interaction,
      // Rotation keeps the time of the first issue: a connection ends when it idles, and in any case at its end.
      RefreshToken: (_ctx, token) =>
        Math.max(1, Math.min(LIFETIMES.idleGrant, LIFETIMES.grant - token.totalLifetime())),
      Session: LIFETIMES.session,
    },
    rotateRefreshToken: true,
    expiresWithSession: async () => false,
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    // Every connection is consented to by itself: a grant of an earlier one is never picked up.
    loadExistingGrant: async (ctx) => {
      const grantId = ctx.oidc.result?.consent?.grantId;
      return grantId === undefined ? undefined : ctx.oidc.provider.Grant.find(grantId);
    },
    findAccount: async (ctx, sub, token) => {
      if (
        token !== undefined &&
        signIn.isActive !== undefined &&
        ctx.oidc.params?.['grant_type'] === 'refresh_token'
      ) {
        const connection = await grants.find(token.grantId ?? '');
        if (connection === null || !(await signIn.isActive(connection))) return undefined;
      }
      return { accountId: sub as UserId, claims: async () => ({ sub }) };
    },
    extraTokenClaims: async (_ctx, token) => {
      const connection = await grants.find(('grantId' in token && token.grantId) || '');
      if (connection === null) throw new errors.InvalidGrant('grant not found');
      const { tenant, grantId, authTime, amr } = connection;
      return { tenant, grant_id: grantId, auth_time: authTime, ...(amr.length > 0 ? { amr } : {}) };
    },
  };
}

/** No single sign-on: a connection is made by someone who signs in for it, not by whoever used the browser before. */
function policy(): interactionPolicy.DefaultPolicy {
  const prompts = interactionPolicy.base();
  prompts
    .get('login')
    ?.checks.add(
      new interactionPolicy.Check(
        'not_signed_in_for_this',
        'sign-in is required for each connection',
        'login_required',
        (ctx) => ctx.oidc.result?.login === undefined,
      ),
    );
  return prompts;
}

function renderError(ctx: KoaContextWithOIDC, pages: PageAssets): void {
  const status = ctx.status >= 400 ? ctx.status : 400;
  const page =
    status >= 500
      ? problemPage(pages, status, 'Something went wrong here', 'Nothing was changed. Try again in a minute.')
      : problemPage(
          pages,
          status,
          'This connection cannot go on',
          'The link is out of date or not one that this service takes. Go back to the app and connect again.',
        );
  ctx.status = status;
  ctx.set(pageHeaders(page));
  ctx.body = page.body.markup;
}
