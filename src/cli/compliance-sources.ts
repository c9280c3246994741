import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readCases, runCases } from '../access/cases.ts';
import { STAFF_ROLES } from '../access/members.ts';
import { loadPolicyEngine } from '../access/policy-engine.ts';
import { findClinic } from '../clinic/clinic.ts';
import { COLLECTIONS } from '../collections.ts';
import type { ConfigFacts, Facts } from '../compliance/facts.ts';
import type { Sources } from '../compliance/gather.ts';
import { readKeyPolicy } from '../compliance/scan/key-policy.ts';
import type { Composed } from '../compose.ts';
import type { Config } from '../config.ts';
import { settingsOf } from '../configuration.ts';
import type { TenantId } from '../kernel/ids.ts';
import { VERSION } from '../kernel/version.ts';
import { lastBackup } from '../lifecycle/backup/registers.ts';
import { keyStatus } from '../lifecycle/rotation/survey.ts';
import { accessMatrix, matrixPage } from '../mcp/access-matrix.ts';
import { LIFETIMES } from '../oauth/lifetimes.ts';
import { EMULATORS, isWeakKey } from '../production.ts';
import { knockAtFirestore } from '../storage/firestore/knock.ts';
import { inspectPostgres } from '../storage/postgres/inspect.ts';
import { probeTransport } from './probe-transport.ts';
import { verifyTenant } from './verify-tenant.ts';

type Env = Readonly<Record<string, string | undefined>>;
const CASES = join(import.meta.dirname, '../access/cases.md');
const REVIEWED = join(import.meta.dirname, '../../docs/access-matrix.md');
const sha256 = (text: string): string => hash('sha256', text, 'hex');

/** Where the facts of a report come from, on the parts that the command line composed. */
export async function sourcesOf(
  { composed, env, config }: { composed: Composed; env: Env; config: Config },
  asked: {
    readonly tenant: TenantId;
    readonly sample?: number;
    /** Where the public address is looked at; the configured origin unless given. */
    readonly url?: string;
    readonly onProgress: (seen: number, collection: string) => void;
  },
): Promise<Sources> {
  const { store } = composed;
  const { keyId } = await findClinic(store, asked.tenant);
  return {
    scan: { store, collections: COLLECTIONS, keyId, now: Date.now(), ...asked },
    config: configFacts(config, env),
    access: await accessFacts(),
    brought: { journal: false, keyUse: false },
    keys: () => keyStatus(composed.rotations, asked.tenant),
    keyPolicy: async () => {
      const policy = await composed.admin?.policy(keyId).catch(() => null);
      return policy == null ? null : readKeyPolicy(policy, asked.tenant);
    },
    verify: async (see) =>
      composed.proof === null
        ? null
        : (await verifyTenant(composed, asked.tenant, { onEvent: ({ event }) => see(event) })).report,
    database: () => databaseFacts(config, asked.tenant),
    transport: () => probeTransport({ url: asked.url ?? config.origin, now: Date.now() }),
    backups: async () => {
      const last = await lastBackup(store, asked.tenant);
      return last === null ? null : { madeAt: last.takenAt, verifiedAt: last.verifiedAt };
    },
  };
}

/** As the database answers now; null where it does not. */
async function databaseFacts({ store, projectId }: Config, tenant: TenantId): Promise<Facts['database']> {
  if (store.kind === 'firestore')
    return { kind: 'firestore', anonymous: await knockAtFirestore({ projectId, tenant }) };
  const found = await inspectPostgres(store.url, COLLECTIONS).catch(() => null);
  return found === null ? null : { kind: 'postgres', ...found };
}

/** The configuration without a secret. */
export function configFacts(config: Config, env: Env): ConfigFacts {
  const { kms, oauth, store } = config;
  const isSet = (name: string): boolean => (env[name] ?? '') !== '';
  return {
    version: VERSION,
    commit: env['CHARTSEAL_COMMIT'] ?? null,
    digest: sha256(JSON.stringify(settingsOf(config))),
    development: config.development,
    origin: config.origin,
    store: store.kind,
    kms: kms.kind,
    usesWebIdentity: kms.kind === 'aws' && kms.identity !== null,
    staticAwsKeys: ['AWS_SECRET_ACCESS_KEY'].filter(isSet),
    emulators: EMULATORS.filter(isSet),
    checkpoints: config.checkpoints?.kind ?? null,
    witnesses: config.witnesses.length,
    journal: config.journal,
    cookieKeys: {
      count: config.cookieKeys.length,
      shortest: Math.min(...config.cookieKeys.map((key) => key.length)),
      fewestDistinct: Math.min(...config.cookieKeys.map((key) => new Set(key).size)),
    },
    signingKeys: config.signingKeys.map((key) => ({
      kid: 'kid' in key ? String(key.kid) : '',
      crv: key.crv ?? '',
    })),
    weakLocalKeys:
      kms.kind === 'local' ? kms.keys.filter(({ hex }) => isWeakKey(hex)).map(({ version }) => version) : [],
    redirects: [...oauth.redirectUris, ...oauth.clients.flatMap((client) => client.redirect_uris)],
    withoutSecondFactor: oauth.withoutSecondFactor.length,
    staffRoles: STAFF_ROLES,
    personChartsAnHour: config.chartLimits.person.stopAfter,
    recordMs: config.retention.recordMs,
    backupMs: config.retention.backupMs,
    keyMaxAgeMs: config.keyMaxAgeMs,
    sessions: LIFETIMES,
    databaseTls:
      store.kind === 'firestore' ||
      /sslmode=(?:require|verify)/.test(store.url) ||
      /@(?:127\.0\.0\.1|localhost)[:/]/.test(store.url),
  };
}

async function accessFacts(): Promise<Facts['access']> {
  const engine = await loadPolicyEngine();
  const results = runCases(readCases(await readFile(CASES, 'utf8')), engine);
  const reviewed = await readFile(REVIEWED, 'utf8').catch(() => null);
  return {
    cases: {
      asked: results.length,
      refusals: results.filter(({ expected }) => !expected.permit).length,
      wrong: results.filter(({ ok }) => !ok).map(({ line }) => line),
    },
    matrix: {
      now: sha256(matrixPage(accessMatrix(engine))),
      reviewed: reviewed === null ? null : sha256(reviewed),
    },
  };
}
