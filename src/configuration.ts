import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { POLICIES } from './access/policy-engine.ts';
import type { AuditLog } from './audit/append.ts';
import { type Configuration, recordConfiguration } from './audit/configuration.ts';
import { auditSigners } from './audit/signers.ts';
import { clinicCalendar, locations, practitioners, tenants, visitTypes } from './clinic/clinic.ts';
import type { Config } from './config.ts';
import { type Collection, ref } from './kernel/collection.ts';
import { SYSTEM_TENANT, type TenantId } from './kernel/ids.ts';
import type { Store } from './kernel/store.ts';
import { VERSION } from './kernel/version.ts';

/** The registries of a tenant that govern what happens there, each small. Who is a member is told event by event. */
const REGISTRIES: readonly Collection[] = [
  visitTypes,
  practitioners,
  locations,
  clinicCalendar,
  auditSigners,
];
const MAX_ROWS = 1_000;

/**
 * Leaves an event in the log of each tenant whose policies, settings or registries are not what they were. Scheduled
 * each minute; one tenant's fault does not stop the others.
 */
export async function configurationRound(
  config: Config,
  parts: { readonly store: Store; readonly audit: AuditLog },
  round: {
    readonly tenants: readonly TenantId[];
    readonly signal?: AbortSignal;
    readonly onFault: (error: unknown) => void;
  },
): Promise<void> {
  const everywhere = new Map([...settingsOf(config), ...(await policyTexts())]);
  for (const tenant of round.tenants) {
    if (round.signal?.aborted === true) return;
    const governing = async (): Promise<Configuration> =>
      new Map([...everywhere, ...(await registriesOf(parts.store, tenant))]);
    await governing()
      .then((configuration) => recordConfiguration(parts, tenant, configuration))
      .catch(round.onFault);
  }
}

/** Of secrets only what names them: key ids, versions, how many. */
export function settingsOf(config: Config): [string, string][] {
  const { kms, store, signingKeys, cookieKeys, oauth, firebase, ...plain } = config;
  const { identityProviders, ...signIn } = oauth;
  const shown = {
    ...plain,
    version: VERSION,
    store: store.kind,
    kms: kms.kind === 'local' ? kms.keys.map(({ version, status }) => ({ version, status })) : kms,
    signingKeys: signingKeys.map((key) => ('kid' in key ? key.kid : '')),
    cookieKeys: cookieKeys.length,
    identityProviders: identityProviders.map(({ id, clientId }) => ({ id, clientId })),
    authEmulator: firebase.authEmulatorUrl,
    ...signIn,
  };
  return Object.entries(shown).map(([name, value]) => [`server.${name}`, JSON.stringify(value ?? null)]);
}

async function policyTexts(): Promise<[string, string][]> {
  const files = (await readdir(POLICIES)).sort();
  return Promise.all(
    files.map(
      async (file) => [`policies.${file}`, await readFile(join(POLICIES, file), 'utf8')] as [string, string],
    ),
  );
}

async function registriesOf(store: Store, tenant: TenantId): Promise<[string, string][]> {
  const rows = store.tenant(tenant);
  const [registered] = await store.tenant(SYSTEM_TENANT).get(ref(tenants, tenant));
  const listed = await Promise.all(REGISTRIES.map((of) => rows.list(of, { limit: MAX_ROWS })));
  return [
    ['clinic.registration', textOf(registered)],
    ...REGISTRIES.map(({ name }, at): [string, string] => [`clinic.${name}`, textOf(listed[at])]),
  ];
}

/** Keys in order and bytes as text, so that the same rows give the same text on both stores. */
const textOf = (value: unknown): string =>
  JSON.stringify(value ?? null, (_key, part: unknown) => {
    if (part instanceof Uint8Array) return Buffer.from(part).toString('base64url');
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
