import { createLocalJWKSet, type JWK } from 'jose';
import type { BearerOptions } from './access/bearer.ts';
import { findMember, ROLES } from './access/members.ts';
import { remoteKeys } from './access/remote-keys.ts';
import { RESOURCE_SCOPES, SCOPES, scopesFor } from './access/scopes.ts';
import { OWN_ISSUER } from './access/token-profile.ts';
import { findClinic } from './clinic/clinic.ts';
import { assetsOf, once, ownPages } from './compose-pages.ts';
import type { HttpParts } from './compose-parts.ts';
import { readyOf } from './compose-ready.ts';
import type { Config } from './config.ts';
import type { Keyring } from './crypto/keyring.ts';
import { createApp, type Handle, type Health } from './http/app.ts';
import { createMcpEndpoint } from './http/mcp-endpoint.ts';
import type { Clock } from './kernel/clock.ts';
import type { Store } from './kernel/store.ts';
import { VERSION } from './kernel/version.ts';
import type { AuthorizationServer } from './oauth/authorization-server.ts';
import { developmentOnly } from './oauth/development.ts';
import { createGrantRegistry } from './oauth/grants.ts';
import type { PersonDirectory } from './oauth/people.ts';

/** The routes, the MCP address and, at its first use, the authorization server. */
export function httpOf(config: Config, parts: HttpParts): Handle {
  const { services, keyring, assets, onFault } = parts;
  const grants = createGrantRegistry(services.store, services.clock);
  const { external } = config.oauth;
  const issuer = issuerOf(config, services.clock);
  const mcp = createMcpEndpoint({
    origin: config.origin,
    services,
    isLive: external === null ? (grant) => grants.isLive(grant) : null,
    bearer: { audience: `${config.origin}/mcp`, clock: services.clock, ...issuer },
  });
  return createApp({
    origin: config.origin,
    authorizationServer: external?.issuer ?? config.origin,
    mcp,
    assets,
    onFault,
    health: () => healthOf(services.store, keyring),
    ready: readyOf(parts, issuer.keys),
    oauth: external === null ? once(() => loadOAuth(config, parts)) : null,
    pages: ownPages(config, parts),
  });
}

/** Who signs the tokens, and where the keys are: in the configuration for our own, at the issuer for another's. */
function issuerOf(config: Config, clock: Clock): Pick<BearerOptions, 'issuer' | 'keys' | 'profile'> {
  const { external } = config.oauth;
  if (external !== null) return { ...external, keys: remoteKeys({ issuer: external.issuer, clock }) };
  const keys = config.signingKeys.map(({ d: _private, ...key }) => key as JWK);
  return { issuer: config.origin, keys: createLocalJWKSet({ keys }), profile: OWN_ISSUER };
}

async function loadOAuth(config: Config, parts: HttpParts): Promise<AuthorizationServer> {
  const [{ createAuthorizationServer }, { firebaseSignIn }, { auditEntryOf }, { identityProvider }] =
    await Promise.all([
      import('./oauth/authorization-server.ts'),
      import('./oauth/sign-in-firebase.ts'),
      import('./oauth/events.ts'),
      import('./oauth/federation.ts'),
    ]);
  const development = config.development ? ({ [developmentOnly]: true } as const) : {};
  return createAuthorizationServer({
    issuer: config.origin,
    resource: `${config.origin}/mcp`,
    scopes: SCOPES,
    defaultScopes: RESOURCE_SCOPES,
    scopesFor: (name) => {
      const role = ROLES.find((one) => one === name);
      return role === undefined ? [] : scopesFor(role);
    },
    store: parts.services.store,
    signingKeys: config.signingKeys as JWK[],
    cookieKeys: config.cookieKeys,
    signIn: firebaseSignIn({ projectId: config.projectId, ...development }),
    people: peopleOf(parts.services.store),
    withoutSecondFactor: config.oauth.withoutSecondFactor,
    predefinedClients: config.oauth.clients,
    redirectUris: config.oauth.redirectUris,
    ...(config.oauth.clientHosts === null ? {} : { clientHosts: config.oauth.clientHosts }),
    issParameter: config.oauth.issParameter,
    proxyHops: config.oauth.proxyHops,
    identityProviders: config.oauth.identityProviders.map(identityProvider),
    pages: assetsOf(config),
    onEvent: (event) => {
      const { tenant, entry } = auditEntryOf(event);
      return parts.services.audit.append(tenant, entry);
    },
    onFault: parts.onFault,
    ...development,
  });
}

const peopleOf = (store: Store): PersonDirectory => ({
  find: async (tenant, user) => {
    const member = await findMember(store, tenant, user);
    return member === null ? null : { role: member.role, clinic: (await findClinic(store, tenant)).name };
  },
});

async function healthOf(store: Store, keyring: Keyring): Promise<Health> {
  const reachable = await store.ping().then(
    () => true,
    () => false,
  );
  return { status: reachable ? 'ok' : 'degraded', store: store.kind, kms: keyring.kind, version: VERSION };
}
