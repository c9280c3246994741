import { consents } from './access/consents.ts';
import { emergencyGrants, emergencyRecords } from './access/emergency.ts';
import { members } from './access/members.ts';
import { chartOpenings } from './access/openings.ts';
import { relationships } from './access/relationships.ts';
import { auditEvents, auditPending } from './audit/append.ts';
import { auditSigners } from './audit/signers.ts';
import { auditEntries, auditHead, auditTiles } from './audit/tree-store.ts';
import { clinicCalendar, locations, practitioners, tenants, visitTypes } from './clinic/clinic.ts';
import { holds } from './clinic/holds.ts';
import { idempotency } from './clinic/idempotency.ts';
import { waitlist } from './clinic/waitlist.ts';
import { consoleSessions } from './console/sessions.ts';
import { indexKeys, indexState } from './crypto/index-keys.ts';
import { chartValues, manifests } from './crypto/open-chart.ts';
import { indexEntries, indexRecords } from './crypto/patient-index.ts';
import { patientKeys, patientKeyVersions } from './crypto/patient-keys.ts';
import { tenantSecrets } from './crypto/tenant-secrets.ts';
import type { Collection } from './kernel/collection.ts';
import { oauthState } from './oauth/adapter.ts';
import { oauthGrants } from './oauth/grants.ts';
import { oauthLimits } from './oauth/rate-limits.ts';

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
  tenantSecrets,
  patientKeys,
  patientKeyVersions,
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
  consoleSessions,
  oauthState,
  oauthGrants,
  oauthLimits,
];
