import type { AliasOf } from './access/emergency-openings.ts';
import { findClinic } from './clinic/clinic.ts';
import { type HttpParts, VERIFIER_PATH } from './compose-parts.ts';
import type { Config } from './config.ts';
import type { Console } from './console/console.ts';
import type { Handle } from './http/app.ts';
import type { TenantId } from './kernel/ids.ts';
import { developmentOnly } from './oauth/development.ts';
import type { PageAssets } from './oauth/pages.ts';

/** Every page of ours with a sign-in, by its first path segment. None is loaded before its first use. */
export const ownPages = (config: Config, parts: HttpParts) =>
  new Map<string, () => Promise<{ handle: Handle }>>([
    ['console', once(() => loadConsole(config, parts))],
    ['documents', once(() => loadDocuments(config, parts))],
    ['emergency', once(() => loadEmergency(config, parts))],
    ['privacy', once(() => loadPrivacy(config, parts))],
    ['wallet', once(() => loadWallet(config, parts))],
  ]);

/** Loads at the first call, and then answers with the same. */
export function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
}

async function loadEmergency(config: Config, parts: HttpParts): Promise<{ handle: Handle }> {
  const [{ createEmergencyPages }, { EmergencyOpenings }, { EmergencyReviews }, staff] = await Promise.all([
    import('./emergency/emergency.ts'),
    import('./access/emergency-openings.ts'),
    import('./access/emergency-reviews.ts'),
    groundOf(config, parts),
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

async function loadPrivacy(config: Config, parts: HttpParts): Promise<{ handle: Handle }> {
  const [{ createPrivacyPages }, { PrivacyDesk }, { RequestReviews }, ours] = await Promise.all([
    import('./privacy/privacy.ts'),
    import('./privacy/desk.ts'),
    import('./privacy/reviews.ts'),
    groundOf(config, parts),
  ]);
  const { services, privacy } = parts;
  return createPrivacyPages({
    ...ours,
    desk: new PrivacyDesk({ ...services, ...privacy, documents: parts.documents }),
    reviews: new RequestReviews({ ...privacy, policies: services.policies }),
  });
}

/** So many patients' keys are looked at for one screen; `chartseal keys status` looks at all. */
const CONSOLE_PATIENTS = 2_000;

async function loadConsole(config: Config, parts: HttpParts): Promise<Console> {
  const [{ createConsole }, ground, { keyStatus }] = await Promise.all([
    import('./console/console.ts'),
    groundOf(config, parts),
    import('./lifecycle/rotation/survey.ts'),
  ]);
  const verifier = parts.assets.get(VERIFIER_PATH)?.body.toString() ?? '';
  return createConsole({
    ...{ ...ground, verifier, projectId: config.projectId, outside: parts.outside },
    keyStatus: (tenant) => keyStatus(parts.rotations, tenant, { most: CONSOLE_PATIENTS }),
  });
}

async function loadWallet(config: Config, parts: HttpParts): Promise<{ handle: Handle }> {
  const [{ createOwnPages }, { walletPart }, { CardVault }, ground] = await Promise.all([
    import('./oauth/own-pages.ts'),
    import('./wallet/wallet.ts'),
    import('./payments/card-vault.ts'),
    groundOf(config, parts),
  ]);
  const { services, keyring, secrets } = parts;
  const { store, audit, clock } = services;
  const tenantKeyId = async (tenant: TenantId) => (await findClinic(store, tenant)).keyId;
  const vault = new CardVault({ store, keyring, secrets, audit, clock, tenantKeyId });
  return createOwnPages(ground, walletPart({ ...services, vault }));
}

async function loadDocuments(config: Config, parts: HttpParts): Promise<{ handle: Handle }> {
  const [{ createOwnPages }, { documentsPart }, ground] = await Promise.all([
    import('./oauth/own-pages.ts'),
    import('./documents/documents.ts'),
    groundOf(config, parts),
  ]);
  const { services, documents, index } = parts;
  return createOwnPages(
    ground,
    documentsPart({ ...services, documents, find: (tenant, by) => index.find(tenant, by) }),
  );
}

/** What every page of ours with a sign-in stands on. */
async function groundOf(config: Config, { services, onFault }: HttpParts) {
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
    pages: assetsOf(config),
    signIn: firebaseSignIn({ projectId: config.projectId, ...development }),
    withoutSecondFactor: config.oauth.withoutSecondFactor,
    limits: createRateLimits({ store, key: config.cookieKeys[0] ?? '', now: clock }),
    proxyHops: config.oauth.proxyHops,
  };
}

export function assetsOf({ firebase: { apiKey, authEmulatorUrl } }: Config): PageAssets {
  return {
    script: '/assets/sign-in.js',
    style: '/assets/pages.css',
    name: 'Chartseal',
    apiKey,
    ...(authEmulatorUrl === null ? {} : { authEmulatorUrl }),
  };
}
