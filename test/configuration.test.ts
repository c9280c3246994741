import { beforeEach, describe, expect, test } from 'vitest';
import { auditEvents } from '../src/audit/append.ts';
import type { AuditEvent } from '../src/audit/event.ts';
import { setUpClinic } from '../src/clinic/tenants.ts';
import { type Config, readConfig } from '../src/config.ts';
import { configurationRound } from '../src/configuration.ts';
import { DEMO_CLINICS } from '../src/dev/clinics.ts';
import type { TenantId } from '../src/kernel/ids.ts';
import { logOf } from './doubles/audit-log.ts';
import { createMemoryStore } from './doubles/memory-store.ts';

const tenant = 'riverside' as TenantId;
const SECRETS = { cookie: 'a-cookie-key-of-at-least-32-characters', local: '7'.repeat(64) };
const ENV = {
  CHARTSEAL_ENV: 'development',
  CHARTSEAL_ORIGIN: 'http://127.0.0.1:8787',
  CHARTSEAL_KMS: 'local',
  CHARTSEAL_LOCAL_KEYS: `1:${SECRETS.local}:active`,
  CHARTSEAL_SIGNING_KEYS: JSON.stringify([
    { kty: 'EC', crv: 'P-256', kid: 'k1', x: 'x', y: 'y', d: 'd', alg: 'ES256' },
  ]),
  CHARTSEAL_COOKIE_KEYS: SECRETS.cookie,
  CHARTSEAL_DOCUMENTS: '/nonexistent/documents',
  CHARTSEAL_FIREBASE_API_KEY: 'demo',
  GCLOUD_PROJECT: 'demo-chartseal',
};

describe('what governs a tenant', () => {
  let store: ReturnType<typeof createMemoryStore>;
  let audit: ReturnType<typeof logOf>;
  beforeEach(async () => {
    store = createMemoryStore();
    audit = logOf(store);
    await setUp('Riverside');
  });
  const setUp = async (name: string): Promise<void> => {
    const [demo] = DEMO_CLINICS;
    if (demo === undefined) throw new Error('no clinic');
    const { phone, zone } = demo;
    await setUpClinic(store, tenant, { ...demo, clinic: { name, phone, zone, keyId: 'k', state: 'active' } });
  };
  const look = async (config: Config = readConfig(ENV)): Promise<void> =>
    configurationRound(
      config,
      { store, audit },
      {
        tenants: [tenant],
        onFault: (error) => {
          throw error;
        },
      },
    );
  const events = async (): Promise<AuditEvent[]> => {
    const rows = await store.tenant(tenant).list(auditEvents, { limit: 100 });
    const all = rows.map(({ row }) => JSON.parse(Buffer.from(row.leaf).toString('utf8')) as AuditEvent);
    return all.sort((a, b) => a.writer.count - b.writer.count);
  };

  test('is told once, whole, and then only when it changes', async () => {
    await look();
    await look();
    const [first, ...more] = await events();
    expect(more).toEqual([]);
    expect(first).toMatchObject({ action: 'C', operation: 'configuration-changed', outcome: '0' });
    const names = first?.entity?.fields ?? [];
    expect(names).toContain('policies.patients.cedar');
    expect(names).toContain('server.chartLimits');
    expect(names).toContain('clinic.visitTypes');
  });

  test('a setting that changes is named, and nothing else', async () => {
    await look();
    await look(readConfig({ ...ENV, CHARTSEAL_PERSON_CHARTS: '10,20' }));
    const last = (await events()).at(-1);
    expect([last?.action, last?.entity?.fields]).toEqual(['U', ['server.chartLimits']]);
  });

  test('a registry that somebody edits behind the server’s back is named', async () => {
    await look();
    await setUp('Another name');
    await look();
    expect((await events()).at(-1)?.entity?.fields).toEqual(['clinic.registration']);
  });

  test('two that look at once leave one event', async () => {
    await Promise.all([look(), look(), look()]);
    expect(await events()).toHaveLength(1);
  });

  test('no value is in the event or the row, and of secrets not even a digest', async () => {
    await look();
    const before = [...(store.rows.get(tenant) ?? [])].filter(([key]) =>
      key.startsWith('auditConfiguration'),
    );
    const texts = JSON.stringify([await events(), before]);
    for (const value of [SECRETS.cookie, SECRETS.local, 'Riverside', '127.0.0.1'])
      expect(texts).not.toContain(value);
    await look(readConfig({ ...ENV, CHARTSEAL_COOKIE_KEYS: `${SECRETS.cookie}-another` }));
    expect(await events()).toHaveLength(1);
  });
});
