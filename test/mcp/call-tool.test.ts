import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { auditPending } from '../../src/audit/append.ts';
import { leafHash } from '../../src/audit/event.ts';
import { ref } from '../../src/kernel/collection.ts';
import { StoreError } from '../../src/kernel/store.ts';
import { callTool } from '../../src/mcp/call-tool.ts';
import { TOOLS } from '../../src/mcp/catalog.ts';
import { buildHouse, eventsOf, holderOf, principalOf, TENANT } from './house.ts';

const JOHN_DOE = readFileSync(join(import.meta.dirname, '../../emulator-data/john-doe.json'), 'utf8');
const NOW = Date.parse('2026-11-24T09:00:00-05:00');
const ALL = ['patient/Patient.rs', 'patient/*.rs', 'patient/Appointment.crus'];
type House = Awaited<ReturnType<typeof buildHouse>>;

describe('the tool pipeline', () => {
  let house: House;
  let now: number;
  beforeEach(async () => {
    now = NOW;
    house = await buildHouse(JOHN_DOE, () => now);
  });
  const call = async (name: string, args: unknown, scopes: readonly string[] = ALL) => {
    const tool = TOOLS.find((one) => one.name === name);
    if (tool === undefined) throw new Error('no such tool');
    return callTool(tool, args, { principal: principalOf(scopes), services: house.services });
  };
  const codeOf = (result: Awaited<ReturnType<typeof call>>) =>
    (result._meta?.['chartseal/error'] as { code?: string } | undefined)?.code;
  const textOf = (result: Awaited<ReturnType<typeof call>>) => JSON.stringify(result.content);
  const lastEvent = async () => (await eventsOf(house.services)).at(-1);
  const slotAt = (iso: string, practitioner = 'dr-chen', minutes = 30) => {
    const start = Date.parse(iso);
    const slot = { visitType: 'diabetes-checkup', practitioner, start, end: start + minutes * 60_000 };
    return house.services.slotTokens.issue(slot, holderOf(house.patient), now);
  };
  const rowsOf = (name: string) =>
    [...(house.store.rows.get(TENANT) ?? [])].filter(([key]) => key.startsWith(`${name}/`));

  test('a read leaves one event that names the fields released, and never a value', async () => {
    const before = (await eventsOf(house.services)).length;
    await call('getPatient', { sections: ['demographics', 'allergies'] });
    const events = await eventsOf(house.services);
    expect(events).toHaveLength(before + 1);
    expect(events.at(-1)).toMatchObject({
      action: 'R',
      operation: 'getPatient',
      outcome: '0',
      actor: { user: 'usr_john', role: 'patient', client: 'client-1' },
      purposeOfUse: 'PATRQT',
      policy: 'patient-own-chart',
      patient: expect.stringMatching(/^pa_/),
      entity: {
        resource: 'Patient',
        fields: [
          'allergies.items.date',
          'allergies.items.detail',
          'allergies.items.status',
          'allergies.items.text',
          'allergies.total',
          'demographics.birthDate',
          'demographics.gender',
          'demographics.name',
        ],
      },
    });
    expect(JSON.stringify(events)).not.toMatch(/Doe|Penicillin|penicillin|1968/);
  });

  test('each event has a pending twin with its leaf hash, and a journal line before the answer', async () => {
    await call('whoAmI', {});
    const event = await lastEvent();
    const [row] = await house.store.tenant(TENANT).get(ref(auditPending, event?.id ?? ''));
    const line = house.journal.at(-1);
    expect(line?.id).toBe(event?.id);
    expect(Buffer.from(row?.leafHash ?? []).toString('base64url')).toBe(line?.leafHash);
    const stored = rowsOf('auditEvents').find(([key]) => key.endsWith(event?.id ?? '?'))?.[1] as {
      leaf: Uint8Array;
    };
    expect(leafHash(stored.leaf).toString('base64url')).toBe(line?.leafHash);
  });

  test('when the audit event cannot be kept, a read releases nothing', async () => {
    house.store.refuseWrites('auditEvents');
    const refused = await call('getPatient', { sections: ['demographics'] });
    expect(codeOf(refused)).toBe('AUDIT_UNAVAILABLE');
    expect(JSON.stringify(refused)).not.toContain('Doe');
  });

  test('when the audit event cannot be kept, nothing is booked', async () => {
    const slotId = await slotAt('2026-12-01T09:00:00-05:00');
    for (const broken of ['auditEvents', 'auditPending']) {
      house.store.refuseWrites(broken);
      const refused = await call('scheduleAppointment', { slotId });
      expect(textOf(refused)).toContain('Not booked. Nothing was changed.');
      expect(rowsOf('chartValues').filter(([key]) => key.includes('appointments'))).toEqual([]);
      expect(rowsOf('idempotency')).toEqual([]);
    }
    house.store.refuseWrites(null);
    expect((await call('scheduleAppointment', { slotId })).structuredContent).toMatchObject({
      outcome: 'booked',
    });
  });

  test('a booking commits one event with the digests of what it wrote; a repeat is a read of its own', async () => {
    const slotId = await slotAt('2026-12-01T09:00:00-05:00');
    await call('scheduleAppointment', { slotId, reason: 'thirsty' });
    const booked = await lastEvent();
    expect(booked).toMatchObject({
      action: 'C',
      operation: 'scheduleAppointment',
      outcome: '0',
      written: { revision: 2 },
    });
    expect(Object.keys(booked?.written?.digests ?? {})).toHaveLength(2);
    await call('scheduleAppointment', { slotId, reason: 'thirsty' });
    expect(await lastEvent()).toMatchObject({ action: 'R', operation: 'scheduleAppointment', outcome: '0' });
    expect(await lastEvent()).not.toHaveProperty('written');
  });

  test('counts that were given up are named, so that a gap means a lost event', async () => {
    await call('scheduleAppointment', { slotId: await slotAt('2026-12-01T09:00:00-05:00') });
    await call('whoAmI', {});
    const marks = (await eventsOf(house.services)).map(({ writer }) => writer);
    const seen = new Set([
      ...marks.map(({ count }) => count),
      ...marks.flatMap(({ abandoned }) => abandoned),
    ]);
    const last = Math.max(...seen);
    for (let count = 1; count <= last; count += 1) expect(seen).toContain(count);
  });

  test.each([
    ['an unknown field', 'getPatient', { sections: ['demographics'], tenant: 'lakeside' }, 'INPUT'],
    ['a wrong type', 'getPatient', { sections: 'demographics' }, 'INPUT'],
    ['an unknown section', 'getPatient', { sections: ['ssn'] }, 'INPUT'],
    ['no sections', 'getPatient', { sections: [] }, 'INPUT'],
    ['arguments that are no object', 'getPatient', 'demographics', 'INPUT'],
    ['a reason over 500 characters', 'scheduleAppointment', { reason: 'x'.repeat(501) }, 'INPUT'],
    ['neither slot nor visit type', 'scheduleAppointment', {}, 'INPUT'],
    [
      'a date that does not exist',
      'findOpenSlots',
      { visitType: 'diabetes-checkup', from: '2026-02-30' },
      'DATE_INVALID',
    ],
    [
      'a date in the past',
      'findOpenSlots',
      { visitType: 'diabetes-checkup', from: '2026-11-01' },
      'DATE_INVALID',
    ],
    [
      'a span over 31 days',
      'findOpenSlots',
      { visitType: 'diabetes-checkup', from: '2026-12-01', to: '2027-01-01' },
      'DATE_INVALID',
    ],
    [
      'a span that ends before it begins',
      'findOpenSlots',
      { visitType: 'diabetes-checkup', from: '2026-12-02', to: '2026-12-01' },
      'DATE_INVALID',
    ],
    [
      'an unknown visit type',
      'findOpenSlots',
      { visitType: 'surgery', from: '2026-12-01' },
      'VISIT_TYPE_UNKNOWN',
    ],
    [
      'a slotId that was never issued',
      'scheduleAppointment',
      { slotId: 'diabetes-checkup~dr-chen~a~b~zzzzzz~AAAA' },
      'SLOT_INVALID',
    ],
    ['a slotId of another form', 'scheduleAppointment', { slotId: 'tomorrow' }, 'SLOT_INVALID'],
  ])(
    '%s is a clear error of its own, writes nothing but its event, and repeats no value',
    async (_name, tool, args, code) => {
      const before = new Map(house.store.rows.get(TENANT));
      const refused = await call(tool, args);
      expect(refused.isError).toBe(true);
      expect(codeOf(refused)).toBe(code);
      expect(textOf(refused)).not.toMatch(/lakeside|surgery|tomorrow|xxxx|at .*\.ts|node_modules/);
      const fresh = [...(house.store.rows.get(TENANT) ?? [])].filter(([key]) => !before.has(key));
      expect(fresh.map(([key]) => key.split('/')[0]).sort()).toEqual(['auditEvents', 'auditPending']);
      expect(await lastEvent()).toMatchObject({ outcome: '4', reason: code });
    },
  );

  test.each([
    ['in the past', '2026-11-23T09:00:00-05:00', 'SLOT_PAST'],
    ['before opening', '2026-12-01T03:00:00-05:00', 'SLOT_CLOSED'],
    ['in the lunch break', '2026-12-01T12:00:00-05:00', 'SLOT_CLOSED'],
    ['on a Sunday', '2026-12-06T09:00:00-05:00', 'SLOT_CLOSED'],
    ['off the grid', '2026-12-01T09:05:00-05:00', 'SLOT_CLOSED'],
  ])('a slot %s is not booked even with a sound slotId', async (_name, iso, code) => {
    const refused = await call('scheduleAppointment', { slotId: await slotAt(iso) });
    expect(codeOf(refused)).toBe(code);
    expect(rowsOf('chartValues').filter(([key]) => key.includes('appointments'))).toEqual([]);
  });

  test('a slotId is over after ten minutes', async () => {
    const slotId = await slotAt('2026-12-01T09:00:00-05:00');
    now += 601_000;
    expect(codeOf(await call('scheduleAppointment', { slotId }))).toBe('SLOT_EXPIRED');
  });

  test('every character of a slotId matters', async () => {
    const slotId = await slotAt('2026-12-01T09:00:00-05:00');
    for (let index = 0; index < slotId.length - 1; index += 1) {
      const other = slotId[index] === 'x' ? 'y' : 'x';
      const changed = slotId.slice(0, index) + other + slotId.slice(index + 1);
      expect(codeOf(await call('scheduleAppointment', { slotId: changed }))).toBe('SLOT_INVALID');
    }
  });

  test('a store that is down is a retryable error that says so', async () => {
    house.store.fail(
      new StoreError('STORE_UNAVAILABLE', 'The database does not answer. Try again in a moment.', {
        retryable: true,
      }),
    );
    const refused = await call('getPatient', { sections: ['demographics'] });
    expect(refused._meta?.['chartseal/error']).toEqual({ code: 'STORE_UNAVAILABLE', retryable: true });
  });

  test('a fault of ours is one fixed sentence, whatever it was', async () => {
    house.store.fail(new Error('password=hunter2 at /srv/app/secret.ts'));
    const refused = await call('whoAmI', {});
    expect(codeOf(refused)).toBe('INTERNAL');
    expect(JSON.stringify(refused)).not.toMatch(/hunter2|secret/);
  });

  test('a clinical section needs its own scope', async () => {
    const refused = await call('getPatient', { sections: ['medications'] }, ['patient/Patient.rs']);
    expect(codeOf(refused)).toBe('SCOPE_MISSING');
    const narrow = await call('getPatient', { sections: ['medications'] }, ['patient/*.rs']);
    expect(narrow.isError).toBeUndefined();
  });

  test('a list is the newest twenty with the total, and identifiers are on no path', async () => {
    const all = await call('getPatient', {
      sections: [
        'demographics',
        'contact',
        'conditions',
        'medications',
        'allergies',
        'immunizations',
        'results',
      ],
    });
    expect(all.structuredContent).toMatchObject({ results: { total: 4 }, immunizations: { total: 2 } });
    expect(JSON.stringify(all)).not.toMatch(/999-45-6120|RV-4471902|Tremblay/);
  });
});
