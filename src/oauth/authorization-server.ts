import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JWK } from 'jose';
import { systemClock } from '../kernel/clock.ts';
import type { Store } from '../kernel/store.ts';
import { keepClient } from './adapter.ts';
import { CHATGPT_HOSTS, type ClientPolicy } from './clients.ts';
import { developmentOnly } from './development.ts';
import type { OAuthEvent } from './events.ts';
import { createFederation, type IdentityProvider } from './federation.ts';
import { createGrantRegistry, type GrantRegistry } from './grants.ts';
import { createGuardedFetch } from './guarded-fetch.ts';
import { createHandler, nameOf } from './handler.ts';
import { createInteractions } from './interactions.ts';
import type { PageAssets } from './pages.ts';
import type { PersonDirectory } from './people.ts';
import { createProvider } from './provider.ts';
import { createRateLimits } from './rate-limits.ts';
import type { PredefinedClient } from './settings.ts';
import { assertSafe } from './setup.ts';
import type { SignIn } from './sign-in.ts';
import { createUserInfo } from './user-info.ts';

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
  /** The scopes that suit a role: the consent page offers no others. All of them when left out. */
  readonly scopesFor?: (role: string) => readonly string[];
  readonly store: Store;
  /** Private ES256 keys, each with a `kid`. The first signs; all are published, so a new key can be known before it signs. */
  readonly signingKeys: readonly JWK[];
  /** Secrets of at least 32 characters for cookies and forms. The first signs, all verify. */
  readonly cookieKeys: readonly string[];
  readonly signIn: SignIn;
  /** Who somebody is in their clinic. */
  readonly people: PersonDirectory;
  /** Accounts that need no second factor though their role does: synthetic people, with {@link developmentOnly}. */
  readonly withoutSecondFactor?: readonly string[];
  readonly pages: PageAssets;
  /** Exact redirect addresses to take beside ChatGPT's own. */
  readonly redirectUris?: readonly string[];
  /** Clients that need no registration. */
  readonly predefinedClients?: readonly PredefinedClient[];
  /** Hosts of client documents (CIMD) and key sets; ChatGPT's own when left out. */
  readonly clientHosts?: readonly string[];
  /** False takes `iss` (RFC 9207) off authorization responses and out of the metadata. */
  readonly issParameter?: boolean;
  /** How many entries of `X-Forwarded-For` the platform itself writes; none when left out. */
  readonly proxyHops?: number;
  /** Accounts elsewhere by which people may sign in. */
  readonly identityProviders?: readonly IdentityProvider[];
  /** For the audit log. Awaited: when it fails, the step fails. */
  readonly onEvent?: (event: OAuthEvent) => Promise<void>;
  /** Faults of the server, without values: the error's name and code. */
  readonly onFault?: (fault: { readonly name: string; readonly code: string }) => void;
  /** Fetches client documents; when left out, one that asks public addresses of `clientHosts` alone. */
  readonly fetch?: typeof globalThis.fetch;
  readonly [developmentOnly]?: true;
}

/** An OAuth 2.1 authorization server for MCP clients, to be mounted at the root of its origin. */
export interface AuthorizationServer {
  /** Answers one request. Takes node's own request and response, or those of Cloud Functions (`rawBody`). */
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** The public halves of the signing keys, as at `/oauth/jwks`. */
  jwks(): { keys: JWK[] };
  /** Which connections are live; asked before PHI is opened. */
  readonly grants: GrantRegistry;
}

const IDENTITY_TOOLKIT = 'https://identitytoolkit.googleapis.com';

/**
 * @throws OAuthError `SETUP` for an http issuer, an Auth emulator or an exempted account without
 *   {@link developmentOnly}, and for keys that are missing, weak or not private ES256.
 */
export function createAuthorizationServer(options: AuthorizationServerOptions): AuthorizationServer {
  assertSafe(options);
  const grants = createGrantRegistry(options.store);
  const now = systemClock;
  const onEvent = options.onEvent ?? (async () => {});
  const fault = options.onFault ?? (() => {});
  const clients = policyOf(options);
  const limits = createRateLimits({ store: options.store, key: options.cookieKeys[0] ?? '', now });
  const fetch = options.fetch ?? createGuardedFetch({ hosts: clients.hosts });
  const provider = createProvider({ ...options, grants, clients, limits, fetch, onEvent });
  provider.on('server_error', (_ctx, error) => fault(nameOf(error)));
  (provider as NodeJS.EventEmitter).on('error', (error) => fault(nameOf(error)));
  const emulator = options.pages.authEmulatorUrl;
  const federation = createFederation({
    issuer: options.issuer,
    providers: options.identityProviders ?? [],
    toolkitUrl: emulator === undefined ? IDENTITY_TOOLKIT : `${emulator}/identitytoolkit.googleapis.com`,
    apiKey: options.pages.apiKey,
    key: options.cookieKeys[0] ?? '',
    fetch: globalThis.fetch,
  });
  const interactions = createInteractions({
    ...options,
    pages: { ...options.pages, providers: federation.providers },
    provider,
    federation,
    grants,
    limits,
    now,
    formKey: options.cookieKeys[0] ?? '',
    withoutSecondFactor: options.withoutSecondFactor ?? [],
    scopesFor: options.scopesFor ?? (() => Object.keys(options.scopes)),
    keepClient: (clientId) => keepClient(options.store, clientId, now),
    onEvent,
  });
  const userInfo = createUserInfo({ ...options, grants, now, onEvent });
  return {
    handle: createHandler({ options, provider, clients, limits, federation, interactions, userInfo }),
    jwks: () => ({
      keys: options.signingKeys.map(({ d: _private, ...key }) => ({ ...key, use: 'sig', alg: 'ES256' })),
    }),
    grants,
  };
}

const policyOf = (options: AuthorizationServerOptions): ClientPolicy => ({
  redirectUris: options.redirectUris ?? [],
  hosts: options.clientHosts ?? CHATGPT_HOSTS,
  predefined: options.predefinedClients ?? [],
  loopback: options[developmentOnly] === true,
});
