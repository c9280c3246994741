import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { recordConsent } from '../../src/access/consents.ts';
import { emergencyGrants, emergencyRecords } from '../../src/access/emergency.ts';
import { type AliasOf, EmergencyOpenings } from '../../src/access/emergency-openings.ts';
import { EmergencyReviews } from '../../src/access/emergency-reviews.ts';
import { FactReader } from '../../src/access/facts.ts';
import { OpeningGuard } from '../../src/access/guard.ts';
import type { Role } from '../../src/access/members.ts';
import { endRelationship, putRelationship, relationshipsOf } from '../../src/access/relationships.ts';
import { AuditLog, auditEvents } from '../../src/audit/append.ts';
import { COLLECTIONS } from '../../src/collections.ts';
import { DEFAULT_KEY_CACHE, KeyCache } from '../../src/crypto/key-cache.ts';
import { LocalKeyring, localKeyId } from '../../src/crypto/local-keyring.ts';
import { TenantSecrets } from '../../src/crypto/tenant-secrets.ts';
import { ref } from '../../src/kernel/collection.ts';
import {
  newPatientAlias,
  newPatientId,
  type PatientId,
  randomId,
  type TenantId,
  type UserId,
} from '../../src/kernel/ids.ts';
import type { Store } from '../../src/kernel/store.ts';
import { openFirestoreStore } from '../../src/storage/firestore/open-store.ts';
import { ensureSchema } from '../../src/storage/postgres/ensure-schema.ts';
import { openPostgresStore } from '../../src/storage/postgres/open-store.ts';
import { putMember } from '../doubles/members.ts';
import { POLICIES_LOADED } from '../mcp/house.ts';
import { firestoreHost } from '../stack/addresses.ts';
import { describeOnBothStores } from '../stack/needs.ts';

const CLINICIAN = 'usr_clinician' as UserId;
const AUDITOR = 'usr_auditor' as UserId;

async function openStore(kind: 'firestore' | 'postgres'): Promise<Store> {
  if (kind === 'postgres') {
    const { adminConnectionString, appConnectionString } = inject('postgres');
    await ensureSchema(adminConnectionString, COLLECTIONS);
    return openPostgresStore({ connectionString: appConnectionString });
  }
  return openFirestoreStore({ projectId: 'demo-access', emulatorHost: firestoreHost() });
}

describeOnBothStores(
  (kind) => `access on real ${kind}`,
  (kind) => {
    const tenant = randomId('t') as TenantId;
    const patient = newPatientId();
    const alias = newPatientAlias();
    let store: Store;
    let audit: AuditLog;
    let openings: EmergencyOpenings;
    let reviews: EmergencyReviews;
    let facts: FactReader;
    beforeAll(async () => {
      store = await openStore(kind);
      const clock = Date.now;
      audit = new AuditLog({ store, clock, journal: () => {} });
      const secrets = new TenantSecrets({
        store,
        keyring: new LocalKeyring([{ version: 1, hex: 'ab'.repeat(32), status: 'active' }]),
        cache: new KeyCache(DEFAULT_KEY_CACHE, clock),
        clock,
        tenantKeyId: async () => localKeyId(1),
      });
      await secrets.ensure(tenant);
      const aliasOf: AliasOf = async (of) => (of.patient === patient ? alias : null);
      const stands = { store, audit, clock, policies: POLICIES_LOADED, secrets, aliasOf };
      openings = new EmergencyOpenings({
        ...stands,
        onAlert: () => {},
      });
      reviews = new EmergencyReviews(stands);
      facts = new FactReader(store);
      const people: [UserId, Role][] = [
        [CLINICIAN, 'clinician'],
        [AUDITOR, 'auditor'],
      ];
      for (const [user, role] of people) await putMember(store, tenant, { user, role, patient: null });
    });
    afterAll(async () => store?.close());
    const gather = async () => {
      const question = { asked: patient, aboutChart: true, now: Date.now() };
      return (await facts.gather({ tenant, user: CLINICIAN, client: 'c' }, question)).chart;
    };
    const request = (record: string, change: { patient?: PatientId } = {}) => ({
      tenant,
      user: CLINICIAN,
      patient,
      reason: 'danger-to-life' as const,
      words: 'Found unconscious at the reception.',
      minutes: 30 as const,
      record,
      ...change,
    });
    const newRecord = () => randomId('eg');

    test('a relationship, its end, and a consent hold on the very next read', async () => {
      expect(await gather()).toMatchObject({ relationship: 'none', emergency: false });
      const pair = { user: CLINICIAN, patient };
      const expiresAt = Date.now() + 60_000;
      await store
        .tenant(tenant)
        .transact(async (tx) => putRelationship(tx, { ...pair, kind: 'care-team', expiresAt }));
      expect(await gather()).toMatchObject({ relationship: 'care-team' });
      expect(await relationshipsOf(store, { tenant, user: CLINICIAN }, Date.now())).toEqual([
        { patient, kind: 'care-team' },
      ]);
      const now = Date.now();
      await store
        .tenant(tenant)
        .transact((tx) => recordConsent(tx, { patient, topic: 'treatment', state: 'refused', now }));
      expect((await gather())?.consent.treatment).toBe('refused');
      await store.tenant(tenant).transact(async (tx) => endRelationship(tx, pair));
      expect(await gather()).toMatchObject({ relationship: 'none' });
    });

    test('the guard counts exactly under contention, in two processes’ worth of guards', async () => {
      const limits = { slowAfter: 50, stopAfter: 5 };
      const guards = [1, 2].map(
        () =>
          new OpeningGuard({
            store,
            audit,
            clock: Date.now,
            limits: { person: limits, client: { slowAfter: 90, stopAfter: 99 } },
            onAlert: () => {},
            wait: async () => {},
          }),
      );
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          (guards[index % 2] as OpeningGuard)
            .admit({
              tenant,
              patient: newPatientId(),
              actor: { user: 'usr_many' as UserId, role: 'frontdesk', client: `c${index}` },
              rows: { person: null, client: null },
            })
            .then(
              () => 'open',
              (error: { code: string }) => error.code,
            ),
        ),
      );
      expect(outcomes.filter((outcome) => outcome === 'open')).toHaveLength(5);
      expect(outcomes.filter((outcome) => outcome === 'CHART_LIMIT')).toHaveLength(5);
    }, 90_000);

    test('one sign-in opens one chart once, however often it is sent at once', async () => {
      const record = newRecord();
      const outcomes = await Promise.all(
        [1, 2, 3, 4].map(() =>
          openings.open(request(record)).then(
            () => 'open',
            (error: { code: string }) => error.code,
          ),
        ),
      );
      expect(outcomes.filter((outcome) => outcome === 'open')).toHaveLength(1);
      expect(await gather()).toMatchObject({ emergency: true });
    }, 60_000);

    test('an unknown chart opens nothing and leaves one event', async () => {
      const before = await store.tenant(tenant).list(auditEvents, { limit: 1000 });
      const refused = openings.open(request(newRecord(), { patient: newPatientId() }));
      await expect(refused).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect(await store.tenant(tenant).list(auditEvents, { limit: 1000 })).toHaveLength(before.length + 1);
    });

    test('two verdicts at once: one counts, and access ends with it', async () => {
      const [waiting] = await reviews.queue({ tenant, user: AUDITOR });
      const record = waiting?.record ?? '';
      expect((await reviews.read({ tenant, user: AUDITOR }, record)).words).toBe(
        'Found unconscious at the reception.',
      );
      const given = { record, verdict: 'unjustified' } as const;
      const outcomes = await Promise.allSettled([
        reviews.review({ tenant, user: AUDITOR }, given),
        reviews.review({ tenant, user: AUDITOR }, given),
      ]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await gather()).toMatchObject({ emergency: false });
      expect(await store.tenant(tenant).list(emergencyGrants, { limit: 10 })).toEqual([]);
      const [row] = await store.tenant(tenant).get(ref(emergencyRecords, record));
      expect(row).toMatchObject({ state: 'unjustified', reviewer: AUDITOR });
    }, 60_000);

    test('another tenant sees none of it', async () => {
      const other = randomId('t') as TenantId;
      expect(await store.tenant(other).list(emergencyRecords, { limit: 10 })).toEqual([]);
      expect(await relationshipsOf(store, { tenant: other, user: CLINICIAN }, Date.now())).toEqual([]);
    });
  },
);
