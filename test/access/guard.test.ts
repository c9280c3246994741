import { beforeEach, describe, expect, test } from 'vitest';
import { OpeningGuard } from '../../src/access/guard.ts';
import { chartOpenings, WINDOW_MS } from '../../src/access/openings.ts';
import { AuditLog } from '../../src/audit/append.ts';
import { newPatientId, type PatientId, type UserId } from '../../src/kernel/ids.ts';
import { eventsOf, TENANT } from '../mcp/house.ts';
import { codeOf, NOW, openClinic } from './people.ts';

const LIMITS = { person: { slowAfter: 3, stopAfter: 5 }, client: { slowAfter: 8, stopAfter: 12 } };

describe('whoever opens unusually many different charts', () => {
  let clinic: Awaited<ReturnType<typeof openClinic>>;
  let waits: number[];
  beforeEach(async () => {
    waits = [];
    clinic = await openClinic({ limits: LIMITS, wait: async (ms) => void waits.push(ms) });
  });
  const rowsFor = async (user: string, client: string, patient: PatientId) => {
    const { openings } = await clinic.services.facts.gather(
      { tenant: TENANT, user: user as UserId, client },
      { asked: patient, aboutChart: true, now: clinic.time.now },
    );
    return openings;
  };
  const openAt = async (guard: OpeningGuard, user: string, patient: PatientId, client = 'client-1') =>
    guard
      .admit({
        tenant: TENANT,
        patient,
        actor: { user: user as UserId, role: 'frontdesk', client },
        rows: await rowsFor(user, client, patient),
      })
      .then(
        () => 'open',
        (error: { code: string }) => error.code,
      );
  const open = (user: string, patient: PatientId, client?: string) =>
    openAt(clinic.services.guard, user, patient, client);
  const openMany = async (count: number, user = 'usr_frontdesk', client?: string) => {
    const outcomes: string[] = [];
    for (let index = 0; index < count; index += 1) outcomes.push(await open(user, newPatientId(), client));
    return outcomes;
  };

  test('is slowed, more each time, then stopped; the slowing is an event, once', async () => {
    expect(await openMany(7)).toEqual(['open', 'open', 'open', 'open', 'open', 'CHART_LIMIT', 'CHART_LIMIT']);
    expect(waits).toEqual([100, 200]);
    const slowed = (await eventsOf(clinic.services)).filter(({ operation }) => operation === 'charts-slowed');
    expect(slowed).toHaveLength(1);
    expect(clinic.alerts).toEqual(
      ['charts-slowed', 'charts-stopped', 'charts-stopped'].map((kind) => ({
        kind,
        tenant: TENANT,
        user: 'usr_frontdesk',
        about: 'client-1',
      })),
    );
    expect(slowed[0]).toMatchObject({
      actor: { user: 'usr_frontdesk', role: 'frontdesk', client: 'client-1' },
    });
  });

  test('opens a chart of the last hour again freely, even when stopped', async () => {
    const first = newPatientId();
    expect(await open('usr_frontdesk', first)).toBe('open');
    await openMany(9);
    waits.length = 0;
    expect(await open('usr_frontdesk', first)).toBe('open');
    expect(waits).toEqual([]);
  });

  test('opens others once the hour is over, chart by chart', async () => {
    await openMany(3);
    clinic.time.now = NOW + WINDOW_MS / 2;
    expect(await openMany(3)).toEqual(['open', 'open', 'CHART_LIMIT']);
    clinic.time.now = NOW + WINDOW_MS;
    expect(await openMany(4)).toEqual(['open', 'open', 'open', 'CHART_LIMIT']);
  });

  test('is held back by all its people together when it is a client, and other clients are not', async () => {
    const outcomes: string[] = [];
    for (let person = 0; person < 5; person += 1)
      outcomes.push(...(await openMany(3, `usr_${person}`, 'app')));
    expect(outcomes.filter((outcome) => outcome === 'open')).toHaveLength(12);
    expect(outcomes.slice(12)).toEqual(['CHART_LIMIT', 'CHART_LIMIT', 'CHART_LIMIT']);
    expect(await open('usr_9', newPatientId(), 'app')).toBe('CHART_LIMIT');
    expect(await open('usr_9', newPatientId(), 'another')).toBe('open');
  });

  test('is counted across instances, and by parallel calls', async () => {
    const other = new OpeningGuard({
      store: clinic.store,
      audit: new AuditLog({ store: clinic.store, clock: () => clinic.time.now, journal: () => {} }),
      clock: () => clinic.time.now,
      limits: LIMITS,
      onAlert: () => {},
      wait: async () => {},
    });
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        openAt(index % 2 === 0 ? clinic.services.guard : other, 'usr_frontdesk', newPatientId(), `c${index}`),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'open')).toHaveLength(5);
    expect(outcomes.filter((outcome) => outcome === 'CHART_LIMIT')).toHaveLength(15);
  });

  test('what is kept names no patient, and is no more than the limit', async () => {
    const patient = newPatientId();
    await open('usr_frontdesk', patient);
    await openMany(9);
    const rows = await clinic.store.tenant(TENANT).list(chartOpenings, { limit: 1000 });
    expect(JSON.stringify(rows)).not.toContain(patient);
    expect(JSON.stringify(rows)).not.toContain('usr_frontdesk');
    for (const { row } of rows) expect(Object.keys(row.charts as object).length).toBeLessThanOrEqual(5);
  });

  test('through the pipeline: the answer and the event say so, and nothing was opened', async () => {
    await openMany(5);
    const refused = await clinic.call('usr_frontdesk', 'getPatient', {
      sections: ['demographics'],
      patient: clinic.john,
    });
    expect(codeOf(refused)).toBe('CHART_LIMIT');
    expect(JSON.stringify(refused)).not.toContain('Doe');
    expect((await eventsOf(clinic.services)).at(-1)).toMatchObject({
      outcome: '4',
      reason: 'CHART_LIMIT',
      policy: 'frontdesk-desk-work',
      patient: expect.stringMatching(/^pa_/),
    });
  });

  test('one’s own chart is not counted', async () => {
    for (let turn = 0; turn < 8; turn += 1)
      expect(codeOf(await clinic.call('usr_john', 'getPatient', { sections: ['demographics'] }))).toBe(
        'released',
      );
    expect(await clinic.store.tenant(TENANT).list(chartOpenings, { limit: 10 })).toEqual([]);
  });
});
