import type { Alert } from '../../src/access/alerts.ts';
import type { Principal } from '../../src/access/bearer.ts';
import { FactReader } from '../../src/access/facts.ts';
import { OpeningGuard, type OpeningLimits } from '../../src/access/guard.ts';
import { Policies } from '../../src/access/policy-engine.ts';
import { AuditLog, auditEvents } from '../../src/audit/append.ts';
import type { AuditEvent } from '../../src/audit/event.ts';
import { Bookings } from '../../src/clinic/booking.ts';
import { ConfirmTokens } from '../../src/clinic/confirm-token.ts';
import { importPatient } from '../../src/clinic/import-patient.ts';
import { Patients } from '../../src/clinic/patients.ts';
import { SlotTokens } from '../../src/clinic/slot-token.ts';
import { setUpClinic } from '../../src/clinic/tenants.ts';
import { VisitReader } from '../../src/clinic/visits.ts';
import { Waitlist } from '../../src/clinic/waitlist.ts';
import { IndexKeys } from '../../src/crypto/index-keys.ts';
import { DEFAULT_KEY_CACHE, KeyCache } from '../../src/crypto/key-cache.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { LocalKeyring, localKeyId } from '../../src/crypto/local-keyring.ts';
import { PatientIndex } from '../../src/crypto/patient-index.ts';
import { PatientKeys } from '../../src/crypto/patient-keys.ts';
import { SealedCharts } from '../../src/crypto/sealed-charts.ts';
import { TenantSecrets } from '../../src/crypto/tenant-secrets.ts';
import { DEMO_CLINICS } from '../../src/dev/clinics.ts';
import type { PatientId, TenantId, UserId } from '../../src/kernel/ids.ts';
import type { Store } from '../../src/kernel/store.ts';
import { Requests } from '../../src/lifecycle/requests/requests.ts';
import type { Services } from '../../src/mcp/tool.ts';
import { WidgetPages } from '../../src/mcp/widget-pages.ts';
import { putMember } from '../doubles/members.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';

export const TENANT = 'riverside' as TenantId;
export const JOHN = 'usr_john' as UserId;

/** The real policies, loaded once for all tests. */
export const POLICIES_LOADED = new Policies();
const LIMITS = { slowAfter: 40, stopAfter: 80 };

/** What a test may have otherwise. */
export interface HouseOptions {
  readonly policies?: Policies;
  readonly limits?: { person: OpeningLimits; client: OpeningLimits };
  readonly wait?: (ms: number) => Promise<void>;
  readonly keyring?: Keyring;
}

/** The domain on any store with a local key and the first demo clinic, at a time that the test says. */
export async function openDomain(
  { store, tenant, now }: { store: Store; tenant: TenantId; now: () => number },
  options: HouseOptions = {},
) {
  const keyring =
    options.keyring ?? new LocalKeyring([{ version: 1, hex: 'ab'.repeat(32), status: 'active' }]);
  const cache = new KeyCache(DEFAULT_KEY_CACHE, now);
  const keyOptions = { store, keyring, cache, clock: now, tenantKeyId: async () => localKeyId(1) };
  const keys = new PatientKeys(keyOptions);
  const secrets = new TenantSecrets(keyOptions);
  const indexKeys = new IndexKeys(keyOptions);
  const index = new PatientIndex({ store, keys: indexKeys });
  const charts = new SealedCharts({ store, keys });
  const alerts: Alert[] = [];
  const journal: { id: string; leafHash: string }[] = [];
  const audit = new AuditLog({ store, clock: now, journal: (line) => journal.push(line) });
  const services: Services = {
    store,
    patients: new Patients({ charts, keys, index }),
    bookings: new Bookings({ store, charts, secrets }),
    visits: new VisitReader({ store, charts }),
    waitlist: new Waitlist({ store, charts, secrets }),
    requests: new Requests({ store, charts, secrets }),
    slotTokens: new SlotTokens(secrets),
    confirmTokens: new ConfirmTokens(secrets),
    index,
    audit,
    facts: new FactReader(store),
    policies: options.policies ?? POLICIES_LOADED,
    guard: new OpeningGuard({
      store,
      audit,
      clock: now,
      limits: options.limits ?? { person: LIMITS, client: LIMITS },
      onAlert: (alert) => alerts.push(alert),
      wait: options.wait ?? (async () => {}),
    }),
    clock: now,
    widgets: new WidgetPages(new Map()),
    resourceMetadataUrl: 'https://clinic.example/.well-known/oauth-protected-resource/mcp',
    emergencyUrl: 'https://clinic.example/emergency',
    privacyUrl: 'https://clinic.example/privacy',
    documentsUrl: 'https://clinic.example/documents',
  };
  const [clinic] = DEMO_CLINICS;
  if (clinic === undefined) throw new Error('no clinic');
  const { name, phone, zone } = clinic;
  await setUpClinic(store, tenant, {
    ...clinic,
    clinic: { name, phone, zone, keyId: localKeyId(1), state: 'active' },
  });
  await secrets.ensure(tenant);
  await indexKeys.ensure(tenant);
  return { services, journal, alerts, keys, secrets, indexKeys, index, charts };
}

/** The domain on a memory store, with one clinic and one patient, at a fixed time. */
export async function buildHouse(bundle: string, now: () => number, options: HouseOptions = {}) {
  const store = createMemoryStore();
  const domain = await openDomain({ store, tenant: TENANT, now }, options);
  const { patient } = await importPatient(bundle, { ...domain.services, tenant: TENANT, by: 'test' });
  await putMember(store, TENANT, { user: JOHN, role: 'patient', patient });
  return { store, ...domain, patient };
}

export function principalOf(scopes: readonly string[]): Principal {
  return { user: JOHN, tenant: TENANT, client: 'client-1', grant: 'g', scopes, expiresAt: 0 };
}

/** Every event in the log, in the order in which they were recorded. */
export const eventsOf = (services: Services): Promise<AuditEvent[]> => eventsIn(services, TENANT);

/** The same of any tenant. */
export async function eventsIn(services: Services, tenant: TenantId): Promise<AuditEvent[]> {
  const rows = await services.store.tenant(tenant).list(auditEvents, { limit: 1000 });
  const events = rows.map(({ row }) => JSON.parse(Buffer.from(row.leaf).toString('utf8')) as AuditEvent);
  return events.sort((a, b) => a.writer.count - b.writer.count);
}

export const holderOf = (patient: PatientId) => ({ tenant: TENANT, user: JOHN, patient });
