/**
 * What lies in each column of bytes. `sealed`: the format of `crypto/sealed-value.ts`. `wrapped`: a data key under KMS or a
 * local key. `digest`: a keyed or tree hash. `public`: a public key. `leaf`: an audit event, names in clear. A column that
 * is not named here is a finding: nobody said how it is protected.
 */
export const STORED_BYTES: Readonly<Record<string, 'sealed' | 'wrapped' | 'digest' | 'public' | 'leaf'>> = {
  'chartValues.sealed': 'sealed',
  'manifests.sealed': 'sealed',
  'indexRecords.sealed': 'sealed',
  'idempotency.sealed': 'sealed',
  'exportChunks.sealed': 'sealed',
  'cards.sealed': 'sealed',
  'cards.face': 'sealed',
  'emergencyRecords.sealedReason': 'sealed',
  'tenantSecrets.wrapped': 'wrapped',
  'patientKeyVersions.wrapped': 'wrapped',
  'indexKeys.wrapped': 'wrapped',
  'cardKeys.wrapped': 'wrapped',
  'auditTiles.hashes': 'digest',
  'auditPending.leafHash': 'digest',
  'holds.holder': 'digest',
  'waitlist.holder': 'digest',
  'idempotency.body': 'digest',
  'privacyRequests.same': 'digest',
  'auditSigners.publicKey': 'public',
  'auditEvents.leaf': 'leaf',
};

/** What a clinic says of itself to everybody: names, telephones and days in these columns are no patient's. */
export const PUBLIC_COLUMNS: ReadonlySet<string> = new Set([
  'tenants.name',
  'tenants.phone',
  'visitTypes.title',
  'visitTypes.preparation',
  'practitioners.name',
  'practitioners.availability',
  'practitioners.absences',
  'locations.name',
  'locations.address',
  'clinicCalendar.holidays',
  // Clients that registered, by the names they gave themselves.
  'oauthState.payload',
]);

/** Rows of these may hold half a MiB each. */
export const LARGE: ReadonlySet<string> = new Set(['chartValues', 'exportChunks']);
