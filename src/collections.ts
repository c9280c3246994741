import { consents } from './access/consents.ts';
import { emergencyGrants, emergencyRecords } from './access/emergency.ts';
import { members } from './access/members.ts';
import { chartOpenings } from './access/openings.ts';
import { relationships } from './access/relationships.ts';
import { type AuditEntry, type AuditLog, auditEvents, auditPending } from './audit/append.ts';
import { auditConfiguration } from './audit/configuration.ts';
import { auditSigners } from './audit/signers.ts';
import { auditEntries, auditHead, auditTiles } from './audit/tree-store.ts';
import { clinicCalendar, locations, practitioners, tenants, visitTypes } from './clinic/clinic.ts';
import { documentUploads } from './clinic/documents/uploads.ts';
import { holds } from './clinic/holds.ts';
import { idempotency } from './clinic/idempotency.ts';
import { waitlist } from './clinic/waitlist.ts';
import { consoleSessions } from './console/sessions.ts';
import { indexKeys, indexState } from './crypto/index-keys.ts';
import { chartValues, manifests } from './crypto/open-chart.ts';
import { indexEntries, indexRecords } from './crypto/patient-index.ts';
import { patientKeys, patientKeyVersions } from './crypto/patient-keys.ts';
import { tenantSecrets } from './crypto/tenant-secrets.ts';
import { tombstones } from './crypto/tombstones.ts';
import type { Collection } from './kernel/collection.ts';
import { type ExpiringColumns, sweepExpired } from './kernel/expiry.ts';
import { SYSTEM_TENANT, type TenantId } from './kernel/ids.ts';
import type { Store } from './kernel/store.ts';
import { backups, restores } from './lifecycle/backup/registers.ts';
import { legalHolds } from './lifecycle/erasure/legal-holds.ts';
import { erasures } from './lifecycle/erasure/receipt.ts';
import { exportChunks, exports } from './lifecycle/export/sealed-files.ts';
import { jobFaults, jobParts, jobSlots, jobs } from './lifecycle/jobs/job.ts';
import { privacyRequests } from './lifecycle/requests/request.ts';
import { keyEpochs } from './lifecycle/rotation/key-epochs.ts';
import { oauthState } from './oauth/adapter.ts';
import { oauthGrants } from './oauth/grants.ts';
import { oauthLimits } from './oauth/rate-limits.ts';
import { cardKeys, cards } from './payments/card-vault.ts';

/** Everything that is stored, so that a database can be prepared and a reader can see it in one place. */
export const COLLECTIONS: readonly Collection[] = [
  tenants,
  members,
  relationships,
  consents,
  emergencyGrants,
  emergencyRecords,
  chartOpenings,
  visitTypes,
  practitioners,
  locations,
  clinicCalendar,
  holds,
  waitlist,
  documentUploads,
  privacyRequests,
  exports,
  exportChunks,
  legalHolds,
  erasures,
  tenantSecrets,
  patientKeys,
  patientKeyVersions,
  tombstones,
  manifests,
  chartValues,
  indexKeys,
  indexState,
  indexEntries,
  indexRecords,
  idempotency,
  auditEvents,
  auditPending,
  auditHead,
  auditTiles,
  auditEntries,
  auditSigners,
  auditConfiguration,
  cards,
  cardKeys,
  jobs,
  jobParts,
  jobFaults,
  jobSlots,
  keyEpochs,
  backups,
  restores,
  consoleSessions,
  oauthState,
  oauthGrants,
  oauthLimits,
];

/**
 * What Firestore may delete by itself once `expiresAt` has passed. Not every row that expires: an emergency's record waits
 * for its review, a hold for its times to be freed, an export for its chunks.
 */
export const SELF_EXPIRING: readonly Collection[] = [idempotency, oauthState, oauthGrants, oauthLimits];

/** What is deleted some time after its `expiresAt`, by {@link expiryRound}: of the system tenant, and of each clinic. */
const EXPIRING: Readonly<Record<'system' | 'clinic', readonly Collection<ExpiringColumns>[]>> = {
  system: [oauthState, oauthGrants, oauthLimits],
  clinic: [idempotency],
};

/**
 * Deletes what has expired in each tenant, with an event that says of what kind. Scheduled each hour; one tenant's
 * fault does not stop the others.
 */
export async function expiryRound(
  { store, audit }: { readonly store: Store; readonly audit: AuditLog },
  tenants: readonly TenantId[],
  options: {
    readonly now: number;
    readonly signal?: AbortSignal;
    readonly onFault: (error: unknown) => void;
  },
): Promise<number> {
  let deleted = 0;
  for (const tenant of tenants) {
    const kinds: string[] = [];
    for (const of of EXPIRING[tenant === SYSTEM_TENANT ? 'system' : 'clinic'])
      await sweepExpired(store, tenant, { ...options, of }).then((count) => {
        deleted += count;
        if (count > 0) kinds.push(of.name);
      }, options.onFault);
    if (kinds.length > 0) await audit.append(tenant, sweptEntry(kinds)).catch(options.onFault);
  }
  return deleted;
}

const sweptEntry = (fields: readonly string[]): AuditEntry => ({
  action: 'D',
  operation: 'expiry-sweep',
  outcome: '0',
  actor: { user: 'system', role: 'job', client: 'scheduler' },
  entity: { resource: 'Expired', fields },
  purposeOfUse: 'HOPERAT',
  policy: 'scheduled-job',
});
