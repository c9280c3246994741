import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AccessControl,
  checkAccessControl,
  checkEncryptionAtRest,
  checkKeyRotation,
  checkPhiAccessLogging,
  type Finding,
  type KeyRecord,
  type PhiEvent,
  type StoredRow,
} from '../../src/compliance/index.ts';
import { sealedBytes } from './world.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 24);
const red = (findings: readonly Finding[]): string[] =>
  findings.flatMap(({ check, status }) => (status === 'notSatisfied' ? [check] : []));
const open = (findings: readonly Finding[]): string[] =>
  findings.flatMap(({ check, status }) => (status === 'notAssessable' ? [check] : []));

describe('encryption at rest', () => {
  const sealed = ['name', 'contact.phone', 'visits.*.note'];
  const sound = {
    ...{ name: sealedBytes(), contact: { phone: sealedBytes(), language: 'en' }, city: 'Riverside' },
    visits: [{ at: new Date(NOW), note: `sealed:${Buffer.from(sealedBytes()).toString('base64url')}` }],
  };
  const look = (...rows: StoredRow['fields'][]) =>
    checkEncryptionAtRest([
      { name: 'people', sealed, rows: rows.map((fields, at) => ({ id: `p${at}`, fields })) },
    ]);

  test('rows that are sealed, as bytes or as text, are satisfied', async () => {
    const findings = await look(sound);
    expect(findings.map(({ status }) => status)).toEqual(Array(4).fill('satisfied'));
    expect(findings[0]?.evidence).toMatchObject({
      byColumn: { 'people.name': 1, 'people.contact.phone': 1, 'people.visits.*.note': 1 },
    });
  });

  test.each<[string, object, string[]]>([
    ['a field in clear', { name: 'Ana Ruiz' }, ['sealed-values', 'no-plaintext-phi']],
    ['a field that is null', { name: null }, ['sealed-values']],
    ['sealed bytes that were cut', { name: sealedBytes().subarray(0, 40) }, ['sealed-values']],
    [
      'a text where a map of sealed fields belongs',
      { contact: '+1 555 010 0123' },
      ['sealed-values', 'no-plaintext-phi'],
    ],
    ['a card number in a note', { memo: 'paid with 4111 1111 1111 1111' }, ['no-card-numbers']],
    ['a card number as a number', { memo: 4111111111111111 }, ['no-card-numbers']],
    ['an address deep in a map', { more: { of: [{ it: 'ana@example.com' }] } }, ['no-plaintext-phi']],
    ['a FHIR resource', { raw: { resourceType: 'Patient' } }, ['no-plaintext-phi']],
    ['text in bytes', { blob: Buffer.from('plain words here') }, ['no-readable-bytes']],
  ])('%s is found, and not repeated', async (_name, change, checks) => {
    const findings = await look({ ...sound, ...change });
    expect(red(findings)).toEqual(checks);
    expect(JSON.stringify(findings)).not.toMatch(/Ana|ana@|4111|555/);
  });

  test('a public field may hold a name and a telephone, and no card number', async () => {
    const clinic = (title: string) =>
      checkEncryptionAtRest([
        { name: 'clinics', sealed: [], public: ['title'], rows: [{ id: 'c', fields: { title } }] },
      ]);
    expect(red(await clinic('River Side, 555 010 0123'))).toEqual([]);
    expect(red(await clinic('4111 1111 1111 1111'))).toEqual(['no-card-numbers']);
  });

  test('a path that is malformed, and a row that is no object, are errors of the caller', async () => {
    const rows: StoredRow[] = [];
    await expect(checkEncryptionAtRest([{ name: 'c', sealed: ['a..b'], rows }])).rejects.toThrow('path');
    const odd = [{ id: 'x', fields: [] as never }];
    await expect(checkEncryptionAtRest([{ name: 'c', sealed: [], rows: odd }])).rejects.toThrow('object');
  });

  test('nothing stored is no proof', async () => {
    expect(open(await look())).toEqual(['sealed-values']);
  });

  test('rows are taken one at a time, and progress is told', async () => {
    let [made, held] = [0, 0];
    async function* rows(): AsyncGenerator<StoredRow> {
      for (; made < 500; made += 1) {
        held = Math.max(held, made - seen);
        yield { id: `p${made}`, fields: sound };
      }
    }
    let seen = 0;
    const onProgress = (count: number): void => {
      seen = count;
    };
    const findings = await checkEncryptionAtRest([{ name: 'people', sealed, rows: rows() }], {
      isSample: true,
      onProgress,
    });
    expect([seen, held]).toEqual([500, 0]);
    expect(findings[0]?.evidence).toMatchObject({ isSample: true });
  });
});

describe('key rotation', () => {
  const wrapping: KeyRecord = {
    ...{ id: 'arn:1', kind: 'wrapping', state: 'enabled', createdAt: NOW - 900 * DAY, rotatesEveryDays: 365 },
  };
  const data: KeyRecord = {
    ...{ id: 'd1', kind: 'data', state: 'enabled', createdAt: NOW - 10 * DAY, rotatesEveryDays: null },
  };
  const look = (...keys: KeyRecord[]) => checkKeyRotation(keys, { now: NOW, maxAgeMs: 365 * DAY });

  test('a wrapping key that turns and a young data key are satisfied', () => {
    expect(look(wrapping, data).map(({ status }) => status)).toEqual(Array(3).fill('satisfied'));
  });

  test.each<[string, KeyRecord, string]>([
    ['a disabled key', { ...wrapping, state: 'disabled' }, 'key-works'],
    ['a key about to be deleted', { ...data, state: 'pendingDeletion' }, 'key-works'],
    ['rotation off', { ...wrapping, rotatesEveryDays: null }, 'key-rotation'],
    ['rotation every third year', { ...wrapping, rotatesEveryDays: 1_000 }, 'key-rotation'],
    ['a data key over its age', { ...data, createdAt: NOW - 366 * DAY }, 'key-age'],
  ])('%s is found among sound ones and named', (_name, key, check) => {
    const findings = look(wrapping, data, { ...key, id: 'the-bad-one' });
    expect(red(findings)).toEqual([check]);
    expect(findings.find((one) => one.check === check)?.summary).toContain('1 of');
    expect(JSON.stringify(findings)).toContain('the-bad-one');
  });

  test('retired keys are not looked at, and no key is no proof', () => {
    expect(open(look({ ...wrapping, state: 'retired', rotatesEveryDays: null }))).toEqual([
      'key-works',
      'key-rotation',
      'key-age',
    ]);
  });
});

describe('access control', () => {
  const sound: AccessControl = {
    roles: [
      { name: 'nurse', needsSecondFactor: true },
      { name: 'patient', needsSecondFactor: false },
    ],
    accounts: [
      { id: 'u1', role: 'nurse', hasSecondFactor: true },
      { id: 'u2', role: 'patient', hasSecondFactor: false },
    ],
    cases: [
      { role: 'nurse', action: 'read', allowed: true },
      { role: 'patient', action: 'read', allowed: false },
    ],
    decide: ({ role }) => role === 'nurse',
    matrix: { now: 'nurse: read', reviewed: 'nurse: read' },
    sessions: { accessToken: 600, grant: 86_400, idleGrant: 86_400, session: 900, refreshGrace: 30 },
  };

  test('a sound house is satisfied', async () => {
    expect((await checkAccessControl(sound)).map(({ status }) => status)).toEqual(Array(5).fill('satisfied'));
  });

  test.each<[string, Partial<AccessControl>, string]>([
    ['a permission that should not be', { decide: () => true }, 'policies-answer'],
    [
      'a table without a refusal',
      { cases: [{ role: 'nurse', action: 'read', allowed: true }] },
      'policies-answer',
    ],
    ['another matrix', { matrix: { now: 'nurse: write', reviewed: 'nurse: read' } }, 'access-matrix'],
    [
      'staff without a second factor',
      { accounts: [{ id: 'u', role: 'nurse', hasSecondFactor: false }] },
      'staff-second-factor',
    ],
    ['an unknown role', { accounts: [{ id: 'u', role: 'root', hasSecondFactor: true }] }, 'members-known'],
    [
      'a token of a day',
      { sessions: { accessToken: 86_400, grant: 1, idleGrant: 1, session: 1, refreshGrace: 1 } },
      'session-limits',
    ],
  ])('%s is found', async (_name, change, check) => {
    expect(red(await checkAccessControl({ ...sound, ...change }))).toEqual([check]);
  });

  test('what was not given is never satisfied', async () => {
    const { roles } = sound;
    expect(open(await checkAccessControl({ roles }))).toHaveLength(5);
  });

  test('a policy engine that fails is no refusal', async () => {
    const decide = () => Promise.reject(new Error('down'));
    await expect(checkAccessControl({ ...sound, decide })).rejects.toThrow('down');
  });
});

describe('logging of access to PHI', () => {
  const event: PhiEvent = {
    ...{ id: 'e1', at: NOW, subject: 'p1', actor: 'u1', role: 'nurse', purpose: 'TREAT', policy: 'read' },
  };
  const access = { id: 'a1', at: NOW + 500, subject: 'p1' };

  test('an access with its event is satisfied', async () => {
    const findings = await checkPhiAccessLogging({ accesses: [access], events: [event] });
    expect(findings.map(({ status }) => status)).toEqual(Array(3).fill('satisfied'));
  });

  test.each<[string, object, Partial<PhiEvent>, string]>([
    ['an access to another record', { subject: 'p2' }, {}, 'accesses-logged'],
    ['an access of an hour later', { at: NOW + 3_600_000 }, {}, 'accesses-logged'],
    ['an access by somebody else', { actor: 'u2' }, {}, 'accesses-logged'],
    ['an access after a refusal', {}, { isRefused: true }, 'accesses-logged'],
    ['an event without a purpose', {}, { purpose: ' ' }, 'events-attributed'],
    ['a disclosure to nobody', {}, { recipient: '' }, 'disclosures-named'],
  ])('%s is found', async (_name, accessed, logged, check) => {
    const accesses = [{ ...access, ...accessed }];
    expect(red(await checkPhiAccessLogging({ accesses, events: [{ ...event, ...logged }] }))).toEqual([
      check,
    ]);
  });

  test('no access given is no proof', async () => {
    expect(open(await checkPhiAccessLogging({ accesses: [], events: [event] }))).toEqual(['accesses-logged']);
  });

  test('whatever the order and the number of events, an access is covered exactly when one is near', async () => {
    const times = fc.array(fc.integer({ min: 0, max: 10_000 }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(times, fc.integer({ min: 0, max: 10_000 }), fc.nat(500), async (ats, at, windowMs) => {
        const events = ats.map((one, index) => ({ ...event, id: `e${index}`, at: one }));
        const findings = await checkPhiAccessLogging({ accesses: [{ ...access, at }], events, windowMs });
        const near = ats.some((one) => Math.abs(one - at) <= windowMs);
        expect(red(findings).includes('accesses-logged')).toBe(!near);
      }),
    );
  });
});
