import { hash } from 'node:crypto';
import { CONSENT_TOPICS } from '../access/consents.ts';
import { EMERGENCY_MINUTES } from '../access/emergency.ts';
import { ROLES } from '../access/members.ts';
import { loadPolicyEngine } from '../access/policy-engine.ts';
import { PURPOSES } from '../access/purposes.ts';
import { REVIEW_MS } from '../audit/reports/emergency.ts';
import { DEFAULT_YEARS, FLOOR_YEARS } from '../audit/retention.ts';
import { KEPT_MS } from '../clinic/idempotency.ts';
import { SELF_EXPIRING } from '../collections.ts';
import { TLS_FLOOR } from '../compliance/checks/platform.ts';
import type { PolicyFacts } from '../compliance/policies/facts.ts';
import { STORED_BYTES } from '../compliance/scan/stored-bytes.ts';
import { type Config, readConfig } from '../config.ts';
import { ABSOLUTE_MS, IDLE_MS } from '../console/sessions.ts';
import { DEFAULT_INDEX_BITS, EXACT_BITS } from '../crypto/blind-index.ts';
import { COMPARTMENTS } from '../crypto/context.ts';
import { DEFAULT_KEY_CACHE } from '../crypto/key-cache.ts';
import { WRAPPING_KEY_DAYS } from '../crypto/kms-tenant-keys.ts';
import { CIPHER } from '../crypto/sealed-value.ts';
import { ALARMS, HOSTING, SECRETS } from '../hosting.ts';
import { REQUEST_KINDS } from '../lifecycle/requests/request.ts';
import { REQUEST_LIMITS } from '../lifecycle/requests/rules.ts';
import { accessMatrix, matrixPage } from '../mcp/access-matrix.ts';
import { CHATGPT_HOSTS } from '../oauth/clients.ts';
import { LIFETIMES } from '../oauth/lifetimes.ts';
import { SESSION_MS } from '../oauth/page-session.ts';
import { configFacts } from './compliance-sources.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * What the policies are written from. Nothing that runs is asked: a configuration is enough.
 *
 * @throws InputError `CONFIG` for a configuration that the server would refuse as well.
 */
export async function policyFacts(env: Env): Promise<PolicyFacts> {
  const config = readConfig(env);
  return {
    config: configFacts(config, env),
    hosting: {
      ...HOSTING,
      kmsRegion: config.kms.kind === 'local' ? null : config.kms.region,
      documents: config.documents.kind,
      secrets: SECRETS,
    },
    encryption: {
      ...{ cipher: CIPHER.name, keyBits: CIPHER.keyBits, tagBits: CIPHER.tagBits, tlsFloor: TLS_FLOOR },
      indexBits: [EXACT_BITS, ...Object.values(DEFAULT_INDEX_BITS)],
      compartments: COMPARTMENTS,
      columns: tallied(Object.values(STORED_BYTES)),
    },
    keys: { cache: DEFAULT_KEY_CACHE, wrappingKeyDays: WRAPPING_KEY_DAYS },
    access: await accessOf(config),
    retention: {
      ...{ auditYears: DEFAULT_YEARS, auditFloorYears: FLOOR_YEARS, answerKeptMs: KEPT_MS },
      unusedClientS: LIFETIMES.unusedClient,
      expiring: SELF_EXPIRING.map(({ name }) => name),
    },
    requests: { ...REQUEST_LIMITS, kinds: REQUEST_KINDS },
    processors: {
      assistants: config.oauth.clientHosts ?? CHATGPT_HOSTS,
      identityProviders: config.oauth.identityProviders.map(({ id }) => id),
      externalIssuer: config.oauth.external?.issuer ?? null,
      witnesses: config.witnesses.map(({ url }) => url),
    },
    alarms: ALARMS,
  };
}

async function accessOf({ chartLimits }: Config): Promise<PolicyFacts['access']> {
  const cells = accessMatrix(await loadPolicyEngine());
  const tools = ROLES.map((role) => ({
    role,
    tools: [
      ...new Set(cells.filter((cell) => cell.role === role && cell.policy !== null).map(({ tool }) => tool)),
    ],
  }));
  return {
    ...{ roles: ROLES, purposes: PURPOSES, consents: CONSENT_TOPICS, tools, charts: chartLimits },
    matrixSha256: hash('sha256', matrixPage(cells), 'hex'),
    emergency: { minutes: EMERGENCY_MINUTES, reviewMs: REVIEW_MS },
    lifetimes: { ...LIFETIMES, pageMs: SESSION_MS, consoleIdleMs: IDLE_MS, consoleMs: ABSOLUTE_MS },
  };
}

function tallied(kinds: readonly string[]): Record<string, number> {
  const tally: Record<string, number> = {};
  for (const kind of kinds) tally[kind] = (tally[kind] ?? 0) + 1;
  return tally;
}
