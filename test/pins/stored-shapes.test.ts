import { expect, test } from 'vitest';
import { leafHash, leafOf } from '../../src/audit/event.ts';
import { COLLECTIONS } from '../../src/collections.ts';
import type { PatientAlias, TenantId } from '../../src/kernel/ids.ts';

/** What is in databases already. A change needs a migration. */
test('the stored shapes are pinned', () => {
  expect(Object.fromEntries(COLLECTIONS.map(({ name, columns }) => [name, columns]))).toMatchObject({
    tenants: { name: 'text', phone: 'text', zone: 'text', keyId: 'text', state: 'text' },
    members: { role: 'text', patient: 'text?' },
    relationships: { user: 'text', patient: 'text', kind: 'text', expiresAt: 'instant' },
    consents: { proxy: 'text', sensitive: 'text', treatment: 'text', changedAt: 'instant' },
    emergencyGrants: { user: 'text', patient: 'text', record: 'text', expiresAt: 'instant' },
    emergencyRecords: {
      user: 'text',
      patient: 'text',
      reason: 'text',
      sealedReason: 'bytes',
      openedAt: 'instant',
      expiresAt: 'instant',
      dueAt: 'instant',
      state: 'text',
      reviewer: 'text?',
      reviewedAt: 'instant?',
    },
    chartOpenings: { charts: 'json', changedAt: 'instant' },
    visitTypes: {
      title: 'text',
      minutes: 'integer',
      bufferBefore: 'integer',
      bufferAfter: 'integer',
      leadMinutes: 'integer',
      noticeMinutes: 'integer',
      preparation: 'text?',
      telehealth: 'boolean',
      location: 'text?',
      bookableBy: 'json',
      practitioners: 'json',
      rooms: 'json',
    },
    practitioners: {
      name: 'text',
      version: 'integer',
      capacity: 'integer',
      overbook: 'integer',
      availability: 'json',
      absences: 'json',
    },
    locations: { name: 'text', address: 'text?' },
    clinicCalendar: { holidays: 'json' },
    holds: { holder: 'bytes', place: 'json', expiresAt: 'instant' },
    waitlist: {
      visitType: 'text',
      practitioner: 'text?',
      from: 'instant',
      to: 'instant',
      joinedAt: 'instant',
      state: 'text',
      booking: 'text',
      holder: 'bytes',
      offer: 'json?',
      offeredUntil: 'instant?',
    },
    privacyRequests: {
      patient: 'text',
      kind: 'text',
      state: 'text',
      about: 'text?',
      asker: 'text',
      askedAt: 'instant',
      changedAt: 'instant',
      until: 'instant?',
      reason: 'text?',
      reviewer: 'text?',
      linked: 'text?',
      same: 'bytes',
      hasWords: 'boolean',
    },
    exports: { patient: 'text', chunkSet: 'text', files: 'json', expiresAt: 'instant' },
    exportChunks: { patient: 'text', request: 'text', sealed: 'bytes' },
    legalHolds: { by: 'text', since: 'instant' },
    erasures: {
      alias: 'text',
      startedAt: 'instant',
      outside: 'boolean',
      logicalAt: 'instant?',
      purgedAt: 'instant?',
      finalAt: 'instant?',
    },
    tombstones: { request: 'text', erasedAt: 'instant' },
    tenantSecrets: { keyId: 'text', wrapped: 'bytes', createdAt: 'instant' },
    patientKeys: { alias: 'text', current: 'integer', minSeal: 'integer', state: 'text' },
    patientKeyVersions: { keyId: 'text', wrapped: 'bytes', createdAt: 'instant' },
    manifests: { revision: 'integer', sealed: 'bytes' },
    chartValues: {
      patient: 'text',
      collection: 'text',
      document: 'text',
      compartment: 'text',
      schema: 'integer',
      revision: 'integer',
      sealed: 'bytes',
    },
    indexKeys: {
      keyId: 'text',
      wrapped: 'bytes',
      nameBirthDateBits: 'integer',
      surnameBirthYearBits: 'integer',
      createdAt: 'instant',
    },
    indexState: { write: 'integer', oldest: 'integer' },
    indexEntries: { bucket: 'text', patient: 'text' },
    indexRecords: { version: 'integer', buckets: 'json', sealed: 'bytes' },
    idempotency: { patient: 'text', body: 'bytes', sealed: 'bytes', expiresAt: 'instant' },
    auditEvents: { leaf: 'bytes' },
    auditPending: { leafHash: 'bytes' },
    auditHead: { size: 'integer' },
    auditTiles: { hashes: 'bytes' },
    auditEntries: { events: 'text' },
    oauthState: {
      payload: 'json',
      grantId: 'text?',
      uid: 'text?',
      expiresAt: 'instant?',
      consumedAt: 'instant?',
    },
    oauthLimits: { count: 'integer', expiresAt: 'instant' },
    auditSigners: { keyId: 'text', publicKey: 'bytes', state: 'text' },
    auditConfiguration: { parts: 'json' },
    cards: { patient: 'text', sealed: 'bytes', face: 'bytes', createdAt: 'instant' },
    cardKeys: { patient: 'text', keyId: 'text', wrapped: 'bytes', createdAt: 'instant' },
  });
});

test('collection names are unique, and every name is camelCase', () => {
  const names = COLLECTIONS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z][A-Za-z0-9]{0,30}$/);
});

test('an audit leaf is canonical JSON with sorted keys, hashed as RFC 6962 §2.1 says', () => {
  const leaf = leafOf({
    writer: { boot: 'wr_1', count: 2, confirmed: ['h'], abandoned: [1] },
    tenant: 'riverside' as TenantId,
    recorded: '2026-11-24T14:00:00.000Z',
    purposeOfUse: 'PATRQT',
    policy: 'patient-own-chart',
    patient: 'pa_1' as PatientAlias,
    outcome: '0',
    operation: 'getPatient',
    id: 'ev_1',
    entity: { resource: 'Patient', fields: ['demographics.name'] },
    actor: { user: 'usr_john', role: 'patient', client: 'c' },
    action: 'R',
  });
  expect(leaf.toString('utf8')).toBe(
    '{"action":"R","actor":{"client":"c","role":"patient","user":"usr_john"},"entity":{"fields":["demographics.name"],"resource":"Patient"},"id":"ev_1","operation":"getPatient","outcome":"0","patient":"pa_1","policy":"patient-own-chart","purposeOfUse":"PATRQT","recorded":"2026-11-24T14:00:00.000Z","tenant":"riverside","writer":{"abandoned":[1],"boot":"wr_1","confirmed":["h"],"count":2}}',
  );
  expect(leafHash(leaf).toString('hex')).toBe(
    '331d723039fce04771bce1c2075ba35ddf36b85573c10bad7d440069999b0444',
  );
});
