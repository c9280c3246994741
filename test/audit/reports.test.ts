import { describe, expect, test } from 'vitest';
import type { AuditEvent } from '../../src/audit/event.ts';
import { receiptFields } from '../../src/audit/reports/erasures.ts';
import { makeReport } from '../../src/audit/reports/report.ts';
import type { ReportName } from '../../src/audit/reports/report-table.ts';
import type { PatientAlias } from '../../src/kernel/ids.ts';
import { anEvent } from './an-event.ts';

const now = Date.parse('2026-11-24T15:00:00.000Z');
const [mine, other] = ['pa_mine' as PatientAlias, 'pa_other' as PatientAlias];
const rowsOf = async (name: ReportName, events: AuditEvent[], patient?: string) =>
  (await makeReport(name, events, { now, ...(patient === undefined ? {} : { patient }) })).rows;

describe('who opened a chart', () => {
  test('names each act on that chart that succeeded, the newest first, and no other', async () => {
    const rows = await rowsOf(
      'access',
      [
        anEvent({ patient: mine, recorded: '2026-11-24T10:00:00.000Z' }),
        anEvent({ patient: mine, recorded: '2026-11-24T12:00:00.000Z', operation: 'listMedications' }),
        anEvent({ patient: mine, outcome: '4', reason: 'NOT_FOUND' }),
        anEvent({ patient: other }),
      ],
      mine,
    );
    expect(rows.map(([time, , , , what]) => [time, what])).toEqual([
      ['2026-11-24T12:00:00.000Z', 'listMedications'],
      ['2026-11-24T10:00:00.000Z', 'getPatient'],
    ]);
  });

  test('keeps the newest thousand and says how many there are', async () => {
    const events = Array.from({ length: 3_500 }, (_, n) =>
      anEvent({ patient: mine, recorded: new Date(now - n * 1_000).toISOString() }),
    );
    const report = await makeReport('access', events, { now, patient: mine });
    expect(report.rows).toHaveLength(1_000);
    expect(report.rows[999]?.[0]).toBe(new Date(now - 999_000).toISOString());
    expect(report.note).toContain('newest 1000 of 3500');
  });
});

describe('the accounting of disclosures, 45 CFR 164.528', () => {
  const disclosed = (recorded: string, purposeOfUse = 'PUBHLTH', recipient = 'State registry') =>
    anEvent({
      patient: mine,
      recorded,
      purposeOfUse,
      entity: {
        resource: 'Immunization',
        fields: ['immunizations'],
        recipient,
        recipientAddress: '1 Registry Way, Albany NY',
      },
    });

  test('a series to one recipient for one purpose is one line: first, last, how many', async () => {
    const rows = await rowsOf(
      'disclosures',
      ['2026-03-01', '2026-01-01', '2026-02-01'].map((day) => disclosed(`${day}T09:00:00.000Z`)),
      mine,
    );
    expect(rows).toEqual([
      [
        '2026-01-01',
        '2026-03-01',
        '3',
        'State registry',
        '1 Registry Way, Albany NY',
        'Immunization: immunizations',
        'PUBHLTH',
      ],
    ]);
  });

  test.each(['TREAT', 'ETREAT', 'HPAYMT', 'HOPERAT', 'PATRQT'])('%s needs no accounting', async (purpose) => {
    expect(await rowsOf('disclosures', [disclosed('2026-01-01T09:00:00.000Z', purpose)], mine)).toEqual([]);
  });

  test('reaches six years back and not further; another patient’s and what failed are left out', async () => {
    const rows = await rowsOf(
      'disclosures',
      [
        disclosed('2020-11-24T15:00:00.001Z'),
        disclosed('2020-11-24T14:59:59.999Z', 'PUBHLTH', 'too long ago'),
        { ...disclosed('2026-01-01T09:00:00.000Z', 'PUBHLTH', 'failed'), outcome: '8' },
        { ...disclosed('2026-01-01T09:00:00.000Z', 'PUBHLTH', 'other'), patient: other },
      ],
      mine,
    );
    expect(rows.map(([, , , recipient]) => recipient)).toEqual(['State registry']);
  });

  test('a recipient whose address is not known is said to be so', async () => {
    const event = anEvent({
      patient: mine,
      purposeOfUse: 'PUBHLTH',
      entity: { resource: 'Patient', recipient: 'X' },
    });
    expect((await rowsOf('disclosures', [event], mine))[0]?.[4]).toBe('not known');
  });
});

test('each person’s acts, the charts they opened and what they were refused', async () => {
  const by = (user: string) => ({ actor: { user, role: 'clinician', client: 'c' } });
  const rows = await rowsOf('users', [
    anEvent({ ...by('usr_a'), patient: mine }),
    anEvent({ ...by('usr_b'), patient: mine }),
    anEvent({ ...by('usr_b'), patient: other, purposeOfUse: 'ETREAT' }),
    anEvent({ ...by('usr_b'), patient: other, action: 'U' }),
    anEvent({ ...by('usr_b'), outcome: '4', reason: 'NOT_FOUND' }),
  ]);
  expect(rows.map((row) => row.slice(0, 7))).toEqual([
    ['usr_b', 'clinician', '2', '1', '2', '1', '1'],
    ['usr_a', 'clinician', '1', '0', '1', '0', '0'],
  ]);
});

test('denied attempts are those that were refused, with the reason', async () => {
  const refused = anEvent({ outcome: '4', reason: 'SCOPE_MISSING' });
  const rows = await rowsOf('denied', [refused, anEvent(), anEvent({ outcome: '8', reason: 'STORE' })]);
  expect(rows.map((row) => row[5])).toEqual(['SCOPE_MISSING']);
});

describe('emergency access', () => {
  const opened = (id: string, recorded: string) =>
    anEvent({
      id,
      recorded,
      action: 'E',
      operation: 'emergencyAccess',
      purposeOfUse: 'ETREAT',
      patient: mine,
    });

  test('is overdue after three days, open before, reviewed once somebody did; overdue comes first', async () => {
    const rows = await rowsOf('emergency', [
      opened('ev_new', '2026-11-24T12:00:00.000Z'),
      opened('ev_old', '2026-11-20T12:00:00.000Z'),
      opened('ev_seen', '2026-11-19T12:00:00.000Z'),
      anEvent({ operation: 'getPatient', purposeOfUse: 'ETREAT', patient: mine }),
      anEvent({
        operation: 'emergencyReview',
        action: 'E',
        purposeOfUse: 'HOPERAT',
        actor: { user: 'usr_reviewer', role: 'admin', client: 'c' },
        entity: { resource: 'AuditEvent', id: 'ev_seen' },
      }),
    ]);
    expect(rows.map(([state, , , , acts, , reviewer]) => [state, acts, reviewer])).toEqual([
      ['OVERDUE', '1', ''],
      ['open', '1', ''],
      ['reviewed', '1', 'usr_reviewer'],
    ]);
  });
});

describe('receipts of erasures', () => {
  const step = (operation: string, minute: number, more: Partial<AuditEvent> = {}) =>
    anEvent({ patient: mine, operation, recorded: `2026-11-24T10:0${minute}:00.000Z`, ...more });
  const receipt = receiptFields({ finalAt: Date.parse('2026-12-29T10:03:00.000Z'), outside: true });

  test('say since when nothing opens and when the last copy is gone, and what a restore brought back', async () => {
    const events = [
      anEvent({ patient: other }),
      step('beginErasure', 1),
      step('erasePatient', 2, { action: 'D' }),
      step('finishErasure', 3, { entity: { resource: 'Task', fields: receipt } }),
      step('reapplyTombstone', 9, { action: 'D' }),
    ];
    expect(await rowsOf('erasures', events)).toEqual([
      [
        mine,
        ...[1, 2, 3].map((minute) => `2026-11-24T10:0${minute}:00.000Z`),
        'on 2026-12-29T10:03:00.000Z',
        'yes',
        '1 after a restore',
      ],
    ]);
  });

  test('say the earlier day on which the key of every backup is destroyed', async () => {
    const sooner = receiptFields({ finalAt: Date.parse('2026-12-01T10:00:00.000Z'), outside: true });
    const events = [
      step('beginErasure', 1),
      step('finishErasure', 3, { entity: { resource: 'Task', fields: receipt } }),
      step('hastenErasure', 5, { entity: { resource: 'Task', fields: sooner } }),
    ];
    const [row = []] = await rowsOf('erasures', events);
    expect([row[3], row[4]]).toEqual(['2026-11-24T10:03:00.000Z', 'on 2026-12-01T10:00:00.000Z']);
  });

  test('show an erasure that is under way as one', async () => {
    expect(await rowsOf('erasures', [step('beginErasure', 1)])).toEqual([
      [mine, '2026-11-24T10:01:00.000Z', 'not yet', 'not yet', 'not known yet', '', ''],
    ]);
  });
});
