import { describe, expect, test } from 'vitest';
import { emergencyRecords } from '../../src/access/emergency.ts';
import { members } from '../../src/access/members.ts';
import { relationships } from '../../src/access/relationships.ts';
import type { AuditEvent } from '../../src/audit/event.ts';
import type { VerdictName } from '../../src/audit/verify/report.ts';
import { visitTypes } from '../../src/clinic/clinic.ts';
import { assess } from '../../src/compliance/assess.ts';
import { CHECKS } from '../../src/compliance/checks/all.ts';
import { CONTROLS } from '../../src/compliance/controls/registry.ts';
import type { ConfigFacts, Facts } from '../../src/compliance/facts.ts';
import { LogWatch } from '../../src/compliance/scan/log.ts';
import { chartValues } from '../../src/crypto/chart-values.ts';
import { patientKeys, patientKeyVersions } from '../../src/crypto/patient-keys.ts';
import { tombstones } from '../../src/crypto/tombstones.ts';
import { erasures } from '../../src/lifecycle/erasure/receipt.ts';
import { privacyRequests } from '../../src/lifecycle/requests/request.ts';
import {
  EMERGENCY,
  factsOf,
  NOW,
  type SoundStore,
  sealedBytes,
  soundStore,
  VALUE,
  WRAPPED,
} from './world.ts';

const DAY = 86_400_000;
const red = (facts: Facts): string[] =>
  assess(facts).checks.flatMap(({ id, state }) => (state === 'not-satisfied' ? [id] : []));

/** Rows that somebody planted, and the check that must turn red, and no other. */
const ROWS: Readonly<Record<string, (plant: SoundStore['plant']) => Promise<void>>> = {
  'sealed-values': (plant) => plant(chartValues, 'v2', { ...VALUE, sealed: Buffer.alloc(80, 0xff) }),
  'no-plaintext-phi': (plant) => plant(members, 'usr_2', { role: 'patient', patient: 'ana@example.com' }),
  'no-card-numbers': (plant) =>
    plant(relationships, 'r', { user: 'u', patient: '4111 1111 1111 1111', kind: 'proxy', expiresAt: NOW }),
  'no-readable-bytes': (plant) =>
    plant(patientKeyVersions, 'pat_1_2', { ...WRAPPED, wrapped: Buffer.from('plain text '.repeat(9)) }),
  'values-have-owners': (plant) => plant(chartValues, 'v2', { ...VALUE, patient: 'pat_gone' }),
  'values-current': (plant) => plant(chartValues, 'v2', { ...VALUE, sealed: sealedBytes(9) }),
  'keys-wrapped': (plant) =>
    plant(patientKeyVersions, 'pat_1_2', { ...WRAPPED, wrapped: Buffer.alloc(32, 0xfe) }),
  'keys-own-tenant': (plant) =>
    plant(patientKeyVersions, 'pat_1_2', {
      ...WRAPPED,
      keyId: 'arn:aws:kms:us-east-1:111122223333:key/other',
    }),
  'members-known': (plant) => plant(members, 'usr_2', { role: 'superuser', patient: null }),
  'relationships-end': (plant) =>
    plant(relationships, 'r', { user: 'u', patient: 'pat_1', kind: 'proxy', expiresAt: NOW + 4_000 * DAY }),
  'emergency-reviews': (plant) => plant(emergencyRecords, 'em_2', { ...EMERGENCY, dueAt: NOW - 1 }),
  'erased-stay-erased': (plant) => plant(tombstones, 'pat_1', { request: 'r', erasedAt: NOW }),
  'erasures-finish': (plant) =>
    plant(erasures, 'r', {
      ...{ alias: 'pa_2', startedAt: NOW - 2 * DAY, outside: true },
      ...{ logicalAt: null, purgedAt: null, finalAt: null },
    }),
  'erasure-receipts': (plant) =>
    plant(erasures, 'r', {
      ...{ alias: 'pa_2', startedAt: NOW - 2 * DAY, outside: true },
      ...{ logicalAt: NOW - DAY, purgedAt: NOW - DAY, finalAt: null },
    }),
  'requests-answered': (plant) =>
    plant(privacyRequests, 'r', {
      ...{ patient: 'pat_1', kind: 'export', state: 'review', about: null, askedBy: 'u' },
      ...{ askedAt: NOW - 31 * DAY, changedAt: NOW, until: null, reason: null, reviewer: null, linked: null },
      ...{ same: Buffer.alloc(32, 0xfe), hasWords: false },
    } as never),
};

const config =
  (change: Partial<ConfigFacts>) =>
  (facts: Facts): Facts => ({
    ...facts,
    config: { ...facts.config, ...change },
  });
const verdict =
  (name: VerdictName) =>
  (facts: Facts): Facts => ({
    ...facts,
    verified: facts.verified && {
      ...facts.verified,
      verdicts: facts.verified.verdicts.map((one) => (one.name === name ? { ...one, state: 'fail' } : one)),
    },
  });
const keyPolicy =
  (change: Partial<NonNullable<Facts['keyPolicy']>>) =>
  (facts: Facts): Facts => ({
    ...facts,
    keyPolicy: facts.keyPolicy && { ...facts.keyPolicy, ...change },
  });
const transport =
  (change: Partial<NonNullable<Facts['transport']>>) =>
  (facts: Facts): Facts => ({
    ...facts,
    transport: facts.transport && { ...facts.transport, ...change },
  });
type Postgres = Extract<Facts['database'], { kind: 'postgres' }>;
const postgres =
  (change: Partial<Postgres>) =>
  (facts: Facts): Facts => ({
    ...facts,
    database: { ...(facts.database as Postgres), ...change },
  });
type Keys = NonNullable<Facts['keys']>;
const keys =
  (change: (keys: Keys) => Partial<Keys>) =>
  (facts: Facts): Facts => ({
    ...facts,
    keys: facts.keys && { ...facts.keys, ...change(facts.keys) },
  });
const wrapping = (change: Partial<Keys['wrappingKey']>) =>
  keys(({ wrappingKey }) => ({ wrappingKey: { ...wrappingKey, ...change } }));
const event =
  (change: object) =>
  (facts: Facts): Facts => {
    const watch = new LogWatch();
    const sound = {
      id: 'ev_1',
      recorded: '2026-11-01T00:00:00.000Z',
      outcome: '0',
      operation: 'x',
      patient: 'pa_1',
    };
    const who = { actor: { user: 'u', role: 'r', client: 'c' }, purposeOfUse: 'TREAT', policy: 'p' };
    watch.see({ ...sound, ...who, ...change } as unknown as AuditEvent);
    return { ...facts, log: watch.facts };
  };

/** What is planted outside the rows: in the configuration, the keys, the verifier's answer, the log. */
const ELSEWHERE: Readonly<Record<string, (facts: Facts) => Facts>> = {
  'key-custody': config({ kms: 'local' }),
  'key-works': wrapping({ problem: 'KEY_DISABLED' }),
  'key-rotation': keys(({ wrappingKey: { facts, ...rest } }) => ({
    wrappingKey: { ...rest, facts: facts && { ...facts, rotation: null } },
  })),
  'key-generation': wrapping({ isCurrent: false }),
  'key-policy': keyPolicy({ deniesOthers: false }),
  'key-policy-principals': keyPolicy({ forEverybody: ['Anybody'] }),
  'key-deletion': keyPolicy({ deleters: ['Anybody'] }),
  'patient-key-age': keys(({ patients }) => ({ patients: { ...patients, oldest: NOW - 400 * DAY } })),
  'index-key-age': keys(({ index }) => ({ index: index && { ...index, createdAt: NOW - 400 * DAY } })),
  'rotation-finished': keys(() => ({ jobs: [{ id: 'j', kind: 'rewrap', state: 'incomplete' } as never] })),
  'local-key-strength': config({ weakLocalKeys: [1] }),
  'policies-answer': (facts) => ({
    ...facts,
    access: { ...facts.access, cases: { asked: 2, refusals: 1, wrong: [12] } },
  }),
  'access-matrix': (facts) => ({
    ...facts,
    access: { ...facts.access, matrix: { now: 'n', reviewed: 'm' } },
  }),
  'staff-second-factor': config({ withoutSecondFactor: 1 }),
  'session-limits': (facts) => config({ sessions: { ...facts.config.sessions, accessToken: 86_400 } })(facts),
  'chart-limits': config({ personChartsAnHour: 5_000 }),
  'log-inclusion': verdict('inclusion'),
  'log-consistency': verdict('consistency'),
  'log-signature': verdict('signature'),
  'log-completeness': verdict('completeness'),
  'log-freshness': verdict('freshness'),
  'charts-as-logged': verdict('store'),
  'key-use-logged': verdict('keyUse'),
  'journal-apart': config({ journal: null }),
  'checkpoints-apart': config({ checkpoints: 'folder' }),
  'audit-retention': event({
    ...{
      operation: 'auditRetention',
      entity: { resource: 'AuditEvent', fields: ['newest 2024-01-01T00:00:00Z'] },
    },
  }),
  'events-attributed': event({ purposeOfUse: '' }),
  'disclosures-named': event({ entity: { resource: 'Patient', recipient: ' ' } }),
  'record-retention': config({ recordMs: 0 }),
  'backups-end': config({ backupMs: 400 * DAY }),
  'backups-restorable': (facts) => ({ ...facts, backups: { madeAt: NOW - DAY, verifiedAt: null } }),
  'production-mode': config({ development: true }),
  'emulators-off': config({ emulators: ['FIRESTORE_EMULATOR_HOST'] }),
  'no-static-aws-keys': config({ staticAwsKeys: ['AWS_SECRET_ACCESS_KEY'] }),
  'https-origin': config({ origin: 'http://a.test' }),
  'tls-floor': transport({ accepted: ['TLSv1.1', 'TLSv1.2'] }),
  certificate: transport({ certificate: { problem: 'CERT_HAS_EXPIRED', daysLeft: -3 } }),
  'strict-transport': transport({ strictTransport: null }),
  'database-tls': postgres({ tls: { offered: true, used: false } }),
  'database-version': postgres({ version: 140_020 }),
  'database-closed': (facts) => ({
    ...facts,
    database: { kind: 'firestore', anonymous: { 'tenants/x': 200 } },
  }),
  'log-insert-only': postgres({ changeable: ['auditEvents'] }),
  'secrets-strong': config({ cookieKeys: { count: 1, shortest: 40, fewestDistinct: 1 } }),
  'signing-keys': config({ signingKeys: [{ kid: '', crv: 'P-256' }] }),
  'redirects-exact': config({ redirects: ['https://*.a.test/cb'] }),
};

describe('the report', () => {
  test('finds nothing wrong where nothing is', async () => {
    const report = assess(await factsOf(await soundStore()));
    expect(report.checks.filter(({ state }) => state !== 'satisfied')).toEqual([]);
    expect(report.controls.filter(({ state }) => state === 'not-satisfied')).toEqual([]);
  });

  test.each(Object.entries(ROWS))('%s turns red by a planted row', async (id, sow) => {
    const world = await soundStore();
    await sow(world.plant);
    expect(red(await factsOf(world))).toContain(id);
  });

  test.each(Object.entries(ELSEWHERE))(
    '%s turns red by a planted fault, and no other check',
    async (id, sow) => {
      expect(red(sow(await factsOf(await soundStore())))).toEqual([id]);
    },
  );

  test.each([
    ['not made for three days', { madeAt: NOW - 3 * DAY, verifiedAt: NOW }],
    ['never made', { madeAt: null, verifiedAt: NOW }],
    ['not tried for two years', { madeAt: NOW, verifiedAt: NOW - 730 * DAY }],
  ])('a backup that was %s is no backup', async (_name, backups) => {
    expect(red({ ...(await factsOf(await soundStore())), backups })).toEqual(['backups-restorable']);
  });

  test.each<[string, Partial<Postgres>]>([
    ['a superuser', { role: { name: 'postgres', isSuperuser: true, bypasses: false } }],
    ['a role that passes row-level security', { role: { name: 'x', isSuperuser: false, bypasses: true } }],
    ['a table without forced row-level security', { open: ['members'] }],
    ['a database without a table', { tables: 0 }],
  ])('%s is an open database', async (_name, change) => {
    expect(red(postgres(change)(await factsOf(await soundStore())))).toEqual(['database-closed']);
  });

  test('the journal is only believed when it was brought, and a lost event turns it red', async () => {
    const facts = await factsOf(await soundStore());
    const lost = verdict('completeness')(facts).verified;
    const verdicts = lost?.verdicts.map((one) => ({
      ...one,
      findings: [{ code: 'EVENT_LOST', at: 'ev_1' }] as const,
    }));
    expect(red({ ...facts, verified: lost && { ...lost, verdicts: verdicts ?? [] } })).toContain(
      'journal-kept',
    );
    const state = (one: Facts) => assess(one).checks.find(({ id }) => id === 'journal-kept')?.state;
    expect(state({ ...facts, brought: { journal: false, keyUse: false } })).toBe('not-assessable');
  });

  test('a column of bytes that nobody declared turns red', async () => {
    const facts = await factsOf(await soundStore());
    const sealed = { ...facts.rows.sealed, undeclared: { count: 1, first: ['new.bytes'] } };
    expect(red({ ...facts, rows: { ...facts.rows, sealed } })).toEqual(['bytes-declared']);
  });

  test('every check has its planted fault', () => {
    const planted = [...Object.keys(ROWS), ...Object.keys(ELSEWHERE), 'journal-kept', 'bytes-declared'];
    const ids = CHECKS.map(({ id }) => id);
    expect([...planted].sort()).toEqual([...ids].sort());
  });

  test('controls name checks that there are; one without a check says what a person looks at', () => {
    const ids = new Set(CHECKS.map(({ id }) => id));
    expect(CONTROLS.flatMap(({ checks }) => checks).filter((id) => !ids.has(id))).toEqual([]);
    expect(CONTROLS.filter(({ checks, person }) => checks.length === 0 && person === '')).toEqual([]);
  });

  test('a red check makes each of its controls red, and one that cannot tell never makes a control green', async () => {
    const facts = { ...config({ kms: 'local' })(await factsOf(await soundStore())), backups: null };
    const states = new Map(assess(facts).controls.map((one) => [`${one.framework} ${one.id}`, one.state]));
    expect(states.get('HIPAA 164.312(a)(2)(iv)')).toBe('not-satisfied');
    expect(states.get('HIPAA 164.308(a)(7)')).toBe('not-assessable');
  });

  test('names no value that it found, never says “compliant”, and tells a sample', async () => {
    const world = await soundStore();
    await world.plant(members, 'usr_2', { role: 'patient', patient: 'ana@example.com' });
    await world.plant(visitTypes, 'v', { title: 'Jane Roe' } as never);
    await world.plant(patientKeys, 'pat_2', {
      alias: 'a',
      current: 1,
      minSeal: 1,
      state: 'active',
      head: null,
    });
    const report = assess(await factsOf(world, 1));
    expect(JSON.stringify(assess(await factsOf(world)))).not.toMatch(/ana@|Jane|compliant/i);
    expect(report.isSample).toBe(true);
  });
});
