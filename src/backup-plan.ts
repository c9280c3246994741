import { COLLECTIONS } from './collections.ts';
import type { Collection } from './kernel/collection.ts';
import type { BackupPlan, Kept } from './lifecycle/backup/sets.ts';

/**
 * Where each collection's rows go in a backup. A new collection says so here, or a test fails; until then it is in none.
 * What lies outside the store (documents in an object store, checkpoints, the journal) is not in a backup: it is kept by
 * the place where it is.
 */
export const KEPT: Readonly<Record<string, Kept>> = {
  // The registry's row names the wrapping key, so it goes with the keys.
  tenants: 'keys',
  tenantSecrets: 'keys',
  patientKeys: 'keys',
  patientKeyVersions: 'keys',
  indexKeys: 'keys',
  cardKeys: 'keys',
  keyEpochs: 'keys',

  members: 'data',
  relationships: 'data',
  consents: 'data',
  emergencyRecords: 'data',
  visitTypes: 'data',
  practitioners: 'data',
  locations: 'data',
  clinicCalendar: 'data',
  // Their times are taken: without the row nobody would free them.
  holds: 'data',
  waitlist: 'data',
  // What was arriving is swept by these rows: without them its objects would lie there for ever.
  documentUploads: 'data',
  privacyRequests: 'data',
  exports: 'data',
  exportChunks: 'data',
  legalHolds: 'data',
  erasures: 'data',
  tombstones: 'data',
  manifests: 'data',
  chartValues: 'data',
  indexState: 'data',
  indexEntries: 'data',
  indexRecords: 'data',
  // The same request twice has one effect, also across a restore.
  idempotency: 'data',
  cards: 'data',

  auditEvents: 'log',
  auditPending: 'log',
  auditHead: 'log',
  auditTiles: 'log',
  auditEntries: 'log',
  auditSigners: 'log',
  auditConfiguration: 'log',

  // What somebody may do for a moment must not come back with an older moment.
  emergencyGrants: 'never',
  chartOpenings: 'never',
  consoleSessions: 'never',
  oauthState: 'never',
  oauthGrants: 'never',
  oauthLimits: 'never',
  // A job of then would wrap keys by a key of then. What is due begins anew.
  jobs: 'never',
  jobParts: 'never',
  jobFaults: 'never',
  jobSlots: 'never',
  backups: 'never',
  restores: 'never',
};

/** {@link KEPT} over the collections that there are. */
export const BACKUP_PLAN: BackupPlan = new Map<Collection, Kept>(
  COLLECTIONS.flatMap((of) => {
    const kept = KEPT[of.name];
    return kept === undefined ? [] : [[of, kept] as const];
  }),
);
