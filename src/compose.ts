import { setTimeout as wait } from 'node:timers/promises';
import type { OnAlert } from './access/alerts.ts';
import { FactReader } from './access/facts.ts';
import { OpeningGuard } from './access/guard.ts';
import { Policies } from './access/policy-engine.ts';
import { AuditLog, type Journal } from './audit/append.ts';
import { Checkpoints } from './audit/checkpoints.ts';
import { nodeSha256 } from './audit/node-sha256.ts';
import { Outside } from './audit/outside.ts';
import { parseKey } from './audit/signed-note.ts';
import { Bookings } from './clinic/booking.ts';
import { findClinic } from './clinic/clinic.ts';
import { ConfirmTokens } from './clinic/confirm-token.ts';
import { Documents } from './clinic/documents/documents.ts';
import type { ObjectStore } from './clinic/documents/object-store.ts';
import { Patients } from './clinic/patients.ts';
import { SlotTokens } from './clinic/slot-token.ts';
import { listTenants } from './clinic/tenants.ts';
import { VisitReader } from './clinic/visits.ts';
import { Waitlist } from './clinic/waitlist.ts';
import { httpOf } from './compose-http.ts';
import type { AwsIdentity, Config } from './config.ts';
import { IndexKeys } from './crypto/index-keys.ts';
import { DEFAULT_KEY_CACHE, KeyCache } from './crypto/key-cache.ts';
import type { Keyring } from './crypto/keyring.ts';
import { epochSessionPolicy, googleWebIdentity } from './crypto/kms-google-credentials.ts';
import { KmsKeyring } from './crypto/kms-keyring.ts';
import { KmsSigner } from './crypto/kms-signer.ts';
import { KmsTenantKeys } from './crypto/kms-tenant-keys.ts';
import { LocalKeyring } from './crypto/local-keyring.ts';
import { PatientIndex } from './crypto/patient-index.ts';
import { PatientKeys } from './crypto/patient-keys.ts';
import { SealedCharts } from './crypto/sealed-charts.ts';
import { TenantSecrets } from './crypto/tenant-secrets.ts';
import type { Asset, Handle } from './http/app.ts';
import { type Clock, systemClock } from './kernel/clock.ts';
import type { TenantId } from './kernel/ids.ts';
import type { Store } from './kernel/store.ts';
import type { ErasureParts } from './lifecycle/erasure/erase.ts';
import { noQueue } from './lifecycle/jobs/queue.ts';
import { Requests } from './lifecycle/requests/requests.ts';
import { KeyRotations, type RotationOptions } from './lifecycle/rotation/rotations.ts';
import type { Services } from './mcp/tool.ts';
import { WidgetPages } from './mcp/widget-pages.ts';
import { developmentOnly } from './oauth/development.ts';
import { forgetAccount } from './oauth/forget-account.ts';
import { openCheckpointBucket } from './storage/checkpoints/bucket.ts';
import { openCheckpointFolder } from './storage/checkpoints/folder.ts';
import { googleAuthorization } from './storage/checkpoints/google-token.ts';
import { httpWitness } from './storage/checkpoints/http-witness.ts';
import { openFirestoreStore } from './storage/firestore/open-store.ts';
import { openObjectBucket } from './storage/objects/bucket.ts';
import { openObjectFolder } from './storage/objects/folder.ts';
import { openPostgresStore } from './storage/postgres/open-store.ts';
import { cloudTasks } from './storage/tasks/cloud-tasks.ts';

/** Everything that the domain needs, on the adapters that the configuration names. */
export interface Composed {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly keys: PatientKeys;
  readonly secrets: TenantSecrets;
  readonly indexKeys: IndexKeys;
  /** Finds patients by two identifiers. */
  readonly index: PatientIndex;
  /** The life of keys: jobs, what is due, what is left. */
  readonly rotations: KeyRotations;
  /** Administration of tenants' KMS keys, with the rights of whoever runs this; null for local keys. */
  readonly admin: KmsTenantKeys | null;
  readonly services: Services;
  /** What exports and erasures stand on. */
  readonly privacy: ErasureParts;
  /** Files of charts. */
  readonly documents: Documents;
  readonly handle: Handle;
  readonly projectId: string;
  /** Signs the audit log's state and puts it outside; null without a place for checkpoints or without AWS KMS. */
  readonly proof: AuditProof | null;
  /** Every tenant, and the system tenant. */
  tenants(): Promise<TenantId[]>;
  close(): Promise<void>;
}

/** The part of the house that proves the audit log. Its role may sign; the app's may not. */
export interface AuditProof {
  readonly outside: Outside;
  readonly signer: KmsSigner;
  readonly checkpoints: Checkpoints;
}

/** What the process brings beside the configuration. */
export interface ComposeOptions {
  /** The browser code, URL path → file. */
  readonly assets: ReadonlyMap<string, Asset>;
  /** The widgets, name → the whole page; without them tools answer in words alone. */
  readonly widgets?: ReadonlyMap<string, string>;
  /** One line for each audit event; in production the log bucket of another administrator. */
  readonly journal: Journal;
  /** Faults of ours: name and code, never a value. */
  readonly onFault: (fault: { readonly name: string; readonly code: string }) => void;
  /** What somebody should look at now; opaque ids alone. */
  readonly onAlert?: OnAlert;
  /** The function to which Cloud Tasks brings the parts of jobs; unless given, whoever starts a job works it. */
  readonly jobFunction?: { readonly region: string; readonly functionName: string };
  readonly clock?: Clock;
}

const GOOGLE_STORAGE = 'https://storage.googleapis.com';

/** Picks the adapters and wires the domain; `compose-http.ts` puts the HTTP face on it. No other file knows which store or keyring is in use. */
export function compose(config: Config, options: ComposeOptions): Composed {
  const clock = options.clock ?? systemClock;
  const store = storeOf(config);
  const keyring = keyringOf(config);
  const cache = new KeyCache(DEFAULT_KEY_CACHE, clock);
  const tenantKeyId = async (tenant: TenantId): Promise<string> => (await findClinic(store, tenant)).keyId;
  const keyOptions = { store, keyring, cache, clock, tenantKeyId };
  const keys = new PatientKeys(keyOptions);
  const secrets = new TenantSecrets(keyOptions);
  const charts = new SealedCharts({ store, keys });
  const indexKeys = new IndexKeys(keyOptions);
  const index = new PatientIndex({ store, keys: indexKeys });
  const onAlert = options.onAlert ?? (() => {});
  const audit = new AuditLog({ store, clock, journal: options.journal });
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
    policies: new Policies(),
    guard: new OpeningGuard({ store, audit, clock, limits: config.chartLimits, onAlert, wait }),
    clock,
    widgets: new WidgetPages(options.widgets ?? new Map()),
    resourceMetadataUrl: `${config.origin}/.well-known/oauth-protected-resource/mcp`,
    emergencyUrl: `${config.origin}/emergency`,
    privacyUrl: `${config.origin}/privacy`,
    documentsUrl: `${config.origin}/documents`,
  };
  const lifecycle = { ...keyOptions, keys, charts, indexKeys, index, audit };
  const rotations = rotationsOf(config, lifecycle, options.jobFunction);
  const proof = proofOf(config, store, clock);
  const privacy = privacyOf(config, { store, charts, keys, secrets, services, proof });
  const documents = new Documents(privacy);
  return {
    ...{ store, keyring, keys, secrets, indexKeys, index, rotations },
    admin: rotations.options.admin,
    services,
    privacy,
    documents,
    handle: httpOf(config, {
      ...options,
      services,
      privacy,
      documents,
      keyring,
      secrets,
      index,
      rotations,
      onAlert,
      outside: proof?.outside ?? null,
    }),
    projectId: config.projectId,
    proof,
    tenants: () => listTenants(store),
    close: () => store.close(),
  };
}

function privacyOf(
  config: Config,
  parts: Pick<Composed, 'store' | 'keys' | 'secrets' | 'services' | 'proof'> & { charts: SealedCharts },
): ErasureParts {
  const { store, charts, keys, secrets, services, proof } = parts;
  const { audit, clock, requests } = services;
  const development = config.development ? ({ [developmentOnly]: true } as const) : {};
  const accounts = { store, clock, projectId: config.projectId, ...development };
  return {
    ...{ store, charts, keys, secrets, audit, clock, requests },
    objects: objectsOf(config),
    rules: config.retention,
    outside: proof?.outside ?? null,
    forgetAccount: (_tenant, user) => forgetAccount(accounts, user),
  };
}

function rotationsOf(
  { kms, keyMaxAgeMs: maxAgeMs, projectId }: Config,
  parts: Omit<RotationOptions, 'admin' | 'epochKeys' | 'maxAgeMs' | 'queue' | 'rewrapper'>,
  jobFunction: ComposeOptions['jobFunction'],
): KeyRotations {
  const admin = kms.kind === 'local' ? null : new KmsTenantKeys(kmsClientOf(kms));
  const queue = jobFunction === undefined ? noQueue : cloudTasks({ projectId, ...jobFunction });
  const rewrapper = rewrapperOf(kms) ?? parts.keyring;
  const epochKeys = kms.kind === 'aws' && kms.identity !== null ? epochKeysOf(kms) : admin;
  return new KeyRotations({ ...parts, admin, epochKeys, maxAgeMs, queue, rewrapper });
}

/** On Google Cloud a role of its own makes and ends keys; null where none is named. */
function epochKeysOf(kms: Extract<Config['kms'], { kind: 'aws' }>): KmsTenantKeys | null {
  const { identity } = kms;
  if (identity?.epochRoleArn == null) return null;
  const credentialsOf = googleWebIdentity({
    ...identity,
    roleArn: identity.epochRoleArn,
    sessionPolicyFor: epochSessionPolicy,
  });
  return new KmsTenantKeys({ ...kmsClientOf(kms), credentials: credentialsOf('') });
}

function storeOf(config: Config): Store {
  if (config.store.kind === 'postgres') return openPostgresStore({ connectionString: config.store.url });
  return openFirestoreStore({ projectId: config.projectId });
}

function objectsOf({ documents: place }: Config): ObjectStore {
  if (place.kind === 'folder') return openObjectFolder(place.path);
  const authorize = googleAuthorization();
  return openObjectBucket({ url: GOOGLE_STORAGE, bucket: place.bucket, authorize });
}

function proofOf(config: Config, store: Store, clock: Clock): AuditProof | null {
  const { checkpoints: place, kms, projectId } = config;
  if (place === null || kms.kind === 'local') return null;
  const outside = new Outside(
    place.kind === 'folder'
      ? openCheckpointFolder(place.path)
      : openCheckpointBucket({
          url: `${GOOGLE_STORAGE}/${place.bucket}`,
          condition: 'gcs',
          authorize: googleAuthorization(),
        }),
  );
  const signer = new KmsSigner(kmsClientOf(kms));
  return {
    outside,
    signer,
    checkpoints: new Checkpoints({
      store,
      outside,
      signer,
      clock,
      project: projectId,
      witnesses: config.witnesses.map(({ key, url }) => httpWitness({ url, key: parseKey(nodeSha256, key) })),
    }),
  };
}

function keyringOf({ kms }: Config): Keyring {
  switch (kms.kind) {
    case 'local':
      return new LocalKeyring(kms.keys);
    case 'aws':
      return new KmsKeyring({
        client: kmsClientOf(kms),
        ...(kms.identity === null ? {} : { clientFor: tenantCredentials(kms.identity) }),
      });
    case 'emulator':
      return new KmsKeyring({ kind: 'emulator', client: kmsClientOf(kms) });
  }
}

/** A keyring in the role that may re-encrypt and never sees a data key; null where the app's own role does it. */
function rewrapperOf(kms: Config['kms']): Keyring | null {
  if (kms.kind !== 'aws' || kms.identity === null || kms.identity.rewrapRoleArn === null) return null;
  const identity = { ...kms.identity, roleArn: kms.identity.rewrapRoleArn };
  return new KmsKeyring({ client: kmsClientOf(kms), clientFor: tenantCredentials(identity) });
}

/** Each tenant's calls run in a session of its own, which KMS lets act for that tenant alone. */
function tenantCredentials(identity: AwsIdentity) {
  const credentialsOf = googleWebIdentity(identity);
  return (tenant: string) => ({ credentials: credentialsOf(tenant) });
}

const kmsClientOf = (kms: Exclude<Config['kms'], { kind: 'local' }>) =>
  kms.kind === 'aws'
    ? { region: kms.region }
    : {
        region: kms.region,
        endpoint: kms.endpoint,
        credentials: { accessKeyId: 'emulator', secretAccessKey: 'emulator' },
      };
