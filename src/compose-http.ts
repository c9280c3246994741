import { createLocalJWKSet, type JWK } from 'jose';
import type { BearerOptions } from './access/bearer.ts';
import { findMember, ROLES } from './access/members.ts';
import { remoteKeys } from './access/remote-keys.ts';
import { RESOURCE_SCOPES, SCOPES, scopesFor } from './access/scopes.ts';
import { OWN_ISSUER } from './access/token-profile.ts';
import { findClinic } from './clinic/clinic.ts';
import { assetsOf, once, ownPages } from './compose-pages.ts';
import type { HttpParts } from './compose-parts.ts';
import type { Config } from './config.ts';
import type { Keyring } from './crypto/keyring.ts';
import { createApp, type Handle, type Health } from './http/app.ts';
import { createMcpEndpoint } from './http/mcp-endpoint.ts';
import type { Clock } from './kernel/clock.ts';
import type { Store } from './kernel/store.ts';
import { VERSION } from './kernel/version.ts';
import type { ErasureParts } from './lifecycle/erasure/erase.ts';
import type { KeyRotations } from './lifecycle/rotation/rotations.ts';
import type { Services } from './mcp/tool.ts';
import type { AuthorizationServer } from './oauth/authorization-server.ts';
import { developmentOnly } from './oauth/development.ts';
import { createGrantRegistry } from './oauth/grants.ts';
import type { PersonDirectory } from './oauth/people.ts';
import type { PrivacyPages } from './privacy/privacy.ts';

/** What the HTTP face is put on. */
export interface HttpParts {
  readonly services: Services;
  readonly privacy: ErasureParts;
  readonly keyring: Keyring;
  readonly secrets: TenantSecrets;
  readonly index: PatientIndex;
  readonly rotations: KeyRotations;
  readonly onAlert: OnAlert;
  /** Where checkpoints are; null when nowhere. */
  readonly outside: Outside | null;
  /** The browser code, URL path → file. */
  readonly assets: ReadonlyMap<string, Asset>;
  /** Faults of ours: name and code, never a value. */
  readonly onFault: (fault: { readonly name: string; readonly code: string }) => void;
}

/** Where the offline verifier is among the assets. It is served too: whoever wants to check it can. */
export const VERIFIER_PATH = '/assets/verify.mjs';

/** The routes, the MCP address and, at its first use, the authorization server. */
export function httpOf(config: Config, parts: HttpParts): Handle {
  const { services, keyring, assets, onFault } = parts;
  const grants = createGrantRegistry(services.store, services.clock);
  const { external } = config.oauth;
  const mcp = createMcpEndpoint({
    origin: config.origin,
    services,
    isLive: external === null ? (grant) => grants.isLive(grant) : null,
    bearer: { audience: `${config.origin}/mcp`, clock: services.clock, ...issuerOf(config, services.clock) },
  });
  return createApp({
    origin: config.origin,
    authorizationServer: external?.issuer ?? config.origin,
    mcp,
    assets,
    onFault,
    health: () => healthOf(services.store, keyring),
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

async function loadEmergency(config: Config, parts: HttpParts): Promise<EmergencyPages> {
  const [{ createEmergencyPages }, { EmergencyOpenings }, { EmergencyReviews }, staff] = await Promise.all([
    import('./emergency/emergency.ts'),
    import('./access/emergency-openings.ts'),
    import('./access/emergency-reviews.ts'),
    ownPages(config, parts),
  ]);
  const { store, audit, clock, policies, patients } = parts.services;
  const aliasOf: AliasOf = (of) => patients.aliasOf(of);
  const stands = { store, audit, clock, policies, secrets: parts.secrets, aliasOf };
  return createEmergencyPages({
    ...staff,
    openings: new EmergencyOpenings({ ...stands, onAlert: parts.onAlert }),
    reviews: new EmergencyReviews(stands),
    find: (tenant, by) => parts.index.find(tenant, by),
  });
}

async function loadPrivacy(config: Config, parts: HttpParts): Promise<PrivacyPages> {
  const [{ createPrivacyPages }, { PrivacyDesk }, { RequestReviews }, ours] = await Promise.all([
    import('./privacy/privacy.ts'),
    import('./privacy/desk.ts'),
    import('./privacy/reviews.ts'),
    ownPages(config, parts),
  ]);
  const { services, privacy } = parts;
  return createPrivacyPages({
    ...ours,
    desk: new PrivacyDesk({ ...services, ...privacy }),
    reviews: new RequestReviews({ ...privacy, policies: services.policies }),
  });
}

/** So many patients' keys are looked at for one screen; `chartseal keys status` looks at all. */
const CONSOLE_PATIENTS = 2_000;

async function loadConsole(config: Config, parts: HttpParts): Promise<Console> {
  const [{ createConsole }, staff, { keyStatus }] = await Promise.all([
    import('./console/console.ts'),
    ownPages(config, parts),
    import('./lifecycle/rotation/survey.ts'),
  ]);
  const verifier = parts.assets.get(VERIFIER_PATH)?.body.toString() ?? '';
  return createConsole({
    ...{ ...staff, verifier, projectId: config.projectId, outside: parts.outside },
    keyStatus: (tenant) => keyStatus(parts.rotations, tenant, { most: CONSOLE_PATIENTS }),
  });
}

/** What every page of ours with a sign-in stands on. */
async function ownPages(config: Config, { services, onFault }: HttpParts) {
  const [{ firebaseSignIn }, { createRateLimits }] = await Promise.all([
    import('./oauth/sign-in-firebase.ts'),
    import('./oauth/rate-limits.ts'),
  ]);
  const { store, audit, clock } = services;
  const development = config.development ? ({ [developmentOnly]: true } as const) : {};
  return {
    store,
    audit,
    clock,
    onFault,
    origin: config.origin,
    cookieKeys: config.cookieKeys,
    pages: pagesOf(config),
    signIn: firebaseSignIn({ projectId: config.projectId, ...development }),
    withoutSecondFactor: config.oauth.withoutSecondFactor,
    limits: createRateLimits({ store, key: config.cookieKeys[0] ?? '', now: clock }),
    proxyHops: config.oauth.proxyHops,
  };
}

function pagesOf({ firebase: { apiKey, authEmulatorUrl } }: Config): PageAssets {
  return {
    script: '/assets/sign-in.js',
    style: '/assets/pages.css',
    name: 'Chartseal',
    apiKey,
    ...(authEmulatorUrl === null ? {} : { authEmulatorUrl }),
  };
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
