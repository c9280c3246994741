import { createLocalJWKSet, type JWK } from 'jose';
import { RESOURCE_SCOPES, SCOPES } from './access/scopes.ts';
import type { Outside } from './audit/outside.ts';
import type { Config } from './config.ts';
import type { Console } from './console/console.ts';
import type { Keyring } from './crypto/keyring.ts';
import { type Asset, createApp, type Handle, type Health } from './http/app.ts';
import { createMcpEndpoint } from './http/mcp-endpoint.ts';
import type { Store } from './kernel/store.ts';
import { VERSION } from './kernel/version.ts';
import type { Services } from './mcp/tool.ts';
import type { AuthorizationServer } from './oauth/authorization-server.ts';
import { developmentOnly } from './oauth/development.ts';
import { createGrantRegistry } from './oauth/grants.ts';
import type { PageAssets } from './oauth/pages.ts';

/** What the HTTP face is put on. */
export interface HttpParts {
  readonly services: Services;
  readonly keyring: Keyring;
  /** Where checkpoints are; null when nowhere. */
  readonly outside: Outside | null;
  /** The browser code, URL path → file. */
  readonly assets: ReadonlyMap<string, Asset>;
  /** Faults of ours: name and code, never a value. */
  readonly onFault: (fault: { readonly name: string; readonly code: string }) => void;
}

/** The routes, the MCP address and, at its first use, the authorization server. */
export function httpOf(config: Config, parts: HttpParts): Handle {
  const { services, keyring, assets, onFault } = parts;
  const grants = createGrantRegistry(services.store, services.clock);
  const publicKeys = config.signingKeys.map(({ d: _private, ...key }) => key as JWK);
  const mcp = createMcpEndpoint({
    origin: config.origin,
    services,
    isLive: (grant) => grants.isLive(grant),
    bearer: {
      issuer: config.origin,
      audience: `${config.origin}/mcp`,
      keys: createLocalJWKSet({ keys: publicKeys }),
      clock: services.clock,
    },
  });
  let oauth: Promise<AuthorizationServer> | undefined;
  let auditor: Promise<Console> | undefined;
  return createApp({
    origin: config.origin,
    mcp,
    assets,
    onFault,
    health: () => healthOf(services.store, keyring),
    oauth: () => {
      oauth ??= loadOAuth(config, parts);
      return oauth;
    },
    console: () => {
      auditor ??= loadConsole(config, parts);
      return auditor;
    },
  });
}

async function loadOAuth(config: Config, parts: HttpParts): Promise<AuthorizationServer> {
  const [{ createAuthorizationServer }, { firebaseSignIn }, { auditEntryOf }] = await Promise.all([
    import('./oauth/authorization-server.ts'),
    import('./oauth/sign-in-firebase.ts'),
    import('./oauth/audit-entry.ts'),
  ]);
  const development = config.development ? ({ [developmentOnly]: true } as const) : {};
  return createAuthorizationServer({
    issuer: config.origin,
    resource: `${config.origin}/mcp`,
    scopes: SCOPES,
    defaultScopes: RESOURCE_SCOPES,
    store: parts.services.store,
    signingKeys: config.signingKeys as JWK[],
    cookieKeys: config.cookieKeys,
    signIn: firebaseSignIn({ projectId: config.projectId, ...development }),
    pages: pagesOf(config),
    onEvent: (event) => {
      const { tenant, entry } = auditEntryOf(event);
      return parts.services.audit.append(tenant, entry);
    },
    onFault: parts.onFault,
    ...development,
  });
}

async function loadConsole(config: Config, parts: HttpParts): Promise<Console> {
  const [{ createConsole }, { firebaseSignIn }] = await Promise.all([
    import('./console/console.ts'),
    import('./oauth/sign-in-firebase.ts'),
  ]);
  const development = config.development ? ({ [developmentOnly]: true } as const) : {};
  const { store, audit, clock } = parts.services;
  return createConsole({
    origin: config.origin,
    cookieKeys: config.cookieKeys,
    projectId: config.projectId,
    outside: parts.outside,
    pages: pagesOf(config),
    signIn: firebaseSignIn({ projectId: config.projectId, ...development }),
    needsSecondFactor: !config.development,
    onFault: parts.onFault,
    store,
    audit,
    clock,
  });
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

async function healthOf(store: Store, keyring: Keyring): Promise<Health> {
  const reachable = await store.ping().then(
    () => true,
    () => false,
  );
  return { status: reachable ? 'ok' : 'degraded', store: store.kind, kms: keyring.kind, version: VERSION };
}
