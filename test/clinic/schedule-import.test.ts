import { beforeEach, describe, expect, test } from 'vitest';
import { auditEvents } from '../../src/audit/append.ts';
import { practitioners, visitTypes } from '../../src/clinic/clinic.ts';
import { importSchedules } from '../../src/clinic/import-schedules.ts';
import { findOpenings } from '../../src/clinic/openings.ts';
import { ref } from '../../src/kernel/collection.ts';
import { NOW, openClinic, outputOf } from '../access/people.ts';
import { holderOf, TENANT } from '../mcp/house.ts';

type Clinic = Awaited<ReturnType<typeof openClinic>>;
const DAY = '2026-12-05';
const person = (id = 'dr-new', family = 'Novak') => ({
  ...{ resourceType: 'Practitioner', id, name: [{ given: ['Petra'], family }] },
});
const schedule = (actor = 'Practitioner/dr-new', id = 's1') => ({
  ...{ resourceType: 'Schedule', id, actor: [{ reference: actor }] },
});
const slot = (start: string, end: string, status = 'free', of = 's1') => ({
  resourceType: 'Slot',
  id: `slot-${start.replaceAll(/[^0-9]/g, '')}-${status}`,
  schedule: { reference: `Schedule/${of}` },
  ...{ status, start: `${DAY}T${start}:00-05:00`, end: `${DAY}T${end}:00-05:00` },
});
const GOOD = [
  person(),
  schedule(),
  slot('09:00', '09:30'),
  slot('09:30', '10:00'),
  slot('10:00', '10:30', 'busy'),
  slot('10:30', '11:00'),
  slot('11:00', '11:30', 'entered-in-error'),
];
const ndjson = (...resources: unknown[]) => resources.map((one) => JSON.stringify(one)).join('\n');
const bundle = (...resources: unknown[]) =>
  JSON.stringify({ resourceType: 'Bundle', entry: resources.map((resource) => ({ resource })) });

describe('published schedules', () => {
  let clinic: Clinic;
  beforeEach(async () => {
    clinic = await openClinic();
  });
  const take = (text: string, more: object = { visitType: 'general-visit' }) =>
    importSchedules([{ name: 'slots.ndjson', text }], {
      ...{ tenant: TENANT, store: clinic.store, audit: clinic.services.audit, by: 'operator', now: NOW },
      ...more,
    });
  const rowOf = async (id: string) => (await clinic.store.tenant(TENANT).get(ref(practitioners, id)))[0];
  /** The open times of that Saturday, on which nobody has hours of their own. */
  const openTimes = async (visitType = 'general-visit', from = DAY) => {
    const { store, slotTokens: tokens } = clinic.services;
    const at = { store, tokens, holder: holderOf(clinic.john), now: NOW };
    const { openings } = await findOpenings({ visitType, from, limit: 50 }, at);
    return openings.map(({ practitioner, time }) => `${time} ${practitioner}`);
  };

  test.each([
    ['NDJSON', ndjson(...GOOD)],
    [
      'NDJSON with blank lines and line ends of Windows',
      `\r\n${ndjson(...GOOD).replaceAll('\n', '\r\n\r\n')}\r\n`,
    ],
    ['a Bundle', bundle(...GOOD)],
    ['a Bundle whose slots come first', bundle(...GOOD.toReversed())],
  ])(
    'in %s: free time can be booked, busy time cannot, and touching slots are one span',
    async (_what, text) => {
      expect(await openTimes()).toEqual([]);
      expect(await take(text)).toEqual({
        people: [{ id: 'dr-new', outcome: 'added', free: 2, busy: 1 }],
        ...{ slots: 5, left: {} },
      });
      expect(await openTimes()).toEqual([
        ...['09:00 Petra Novak', '09:20 Petra Novak', '09:40 Petra Novak', '10:30 Petra Novak'],
      ]);
    },
  );

  test('busy time takes away from somebody’s own hours, which stay as they are', async () => {
    const TUESDAY = '2026-12-01';
    const on = (one: object) => JSON.parse(JSON.stringify(one).replaceAll(DAY, TUESDAY)) as object;
    const before = await openTimes('general-visit', TUESDAY);
    const recurring = (await rowOf('dr-chen'))?.availability as object[];
    await take(ndjson(schedule('Practitioner/dr-chen'), on(slot('09:00', '12:00', 'busy-unavailable'))), {});
    const after = await openTimes('general-visit', TUESDAY);
    expect(before).toContain('09:00 Dr. Mei Chen');
    expect(after).toEqual(before.filter((one) => one >= '13:00'));
    expect((await rowOf('dr-chen'))?.availability).toEqual(expect.arrayContaining(recurring));
  });

  test('the next import of somebody replaces what was published before, and nothing else', async () => {
    await take(ndjson(...GOOD));
    const again = await take(ndjson(schedule(), slot('14:00', '14:20')));
    expect(again.people).toEqual([{ id: 'dr-new', outcome: 'updated', free: 1, busy: 0 }]);
    expect(await openTimes()).toEqual(['14:00 Petra Novak']);
    expect(await rowOf('dr-new')).toMatchObject({ name: 'Petra Novak', version: 2 });
    const [type] = await clinic.store.tenant(TENANT).get(ref(visitTypes, 'general-visit'));
    expect(type?.practitioners).toEqual(['dr-chen', 'dr-new']);
  });

  test('a schedule of a role is its practitioner’s, and one of a place alone is the place’s', async () => {
    const role = {
      ...{ resourceType: 'PractitionerRole', id: 'r1', practitioner: { reference: 'Practitioner/dr-new' } },
    };
    const location = { resourceType: 'Location', id: 'pharmacy', name: 'Main Street pharmacy' };
    await take(
      ndjson(
        ...[person(), role, location, schedule('PractitionerRole/r1')],
        schedule('https://x.example/fhir/Location/pharmacy', 's2'),
        ...[slot('09:00', '09:20'), slot('10:00', '10:20', 'free', 's2')],
      ),
    );
    expect(await openTimes()).toEqual(['09:00 Petra Novak', '10:00 Main Street pharmacy']);
  });

  test('an hour that the clock shows twice keeps both its turns', async () => {
    const twice = (start: string, end: string) => ({ ...slot('01:00', '01:20'), start, end });
    const text = ndjson(...[person(), schedule(), twice('2027-11-07T05:00:00Z', '2027-11-07T05:20:00Z')], {
      ...twice('2027-11-07T06:00:00Z', '2027-11-07T06:20:00Z'),
      id: 'later',
    });
    const now = Date.parse('2027-11-01T00:00:00Z');
    await take(text, { visitType: 'general-visit', now });
    const { store, slotTokens: tokens } = clinic.services;
    const at = { store, tokens, holder: holderOf(clinic.john), now };
    const { openings } = await findOpenings({ visitType: 'general-visit', from: '2027-11-07', limit: 5 }, at);
    expect(openings.map(({ start }) => start)).toEqual([
      '2027-11-07T01:00:00-04:00',
      '2027-11-07T01:00:00-05:00',
    ]);
  });

  test('what is past is left out, what is no schedule is counted, and one event says it', async () => {
    const before = (await clinic.store.tenant(TENANT).list(auditEvents, { limit: 100 })).length;
    const now = Date.parse(`${DAY}T10:15:00-05:00`);
    const done = await take(ndjson(...GOOD, { resourceType: 'HealthcareService', id: 'h' }), { now });
    expect(done).toEqual({
      people: [{ id: 'dr-new', outcome: 'added', free: 1, busy: 1 }],
      ...{ slots: 5, left: { HealthcareService: 1 } },
    });
    const events = await clinic.store.tenant(TENANT).list(auditEvents, { limit: 100 });
    expect(events).toHaveLength(before + 1);
    expect(JSON.stringify(events.map(({ row }) => Buffer.from(row.leaf).toString()))).not.toContain('Novak');
  });

  const wrong = (change: object) => ({ ...slot('09:00', '09:30'), ...change });
  test.each([
    ['a line that is no JSON', '{"resourceType":', 'line 3: not JSON'],
    ['a line that is no resource', '{"id":"x"}', 'line 3: not a FHIR resource'],
    ['a status that FHIR has not', wrong({ status: 'open' }), 'line 3: Slot.status cannot be read'],
    ['a time without an offset', wrong({ start: `${DAY}T09:00:00` }), 'line 3: Slot.start cannot be read'],
    ['a slot that ends before it begins', slot('10:00', '09:00'), 'line 3: Slot.end is not after Slot.start'],
    ['a slot off the five minutes', slot('09:02', '09:32'), 'line 3: Slot is not on full five minutes'],
    ['a slot of two days', wrong({ end: '2026-12-07T09:00:00Z' }), 'line 3: Slot is longer than a day'],
    [
      'a slot of no schedule',
      slot('09:00', '09:30', 'free', 'nowhere'),
      'line 3: Slot.schedule is not in the file',
    ],
    [
      'a schedule of nobody',
      schedule('Device/x', 's9'),
      'line 3: Schedule.actor names no practitioner and no location',
    ],
    [
      'an id that would name a room',
      schedule('Practitioner/room--room-1', 's9'),
      'line 3: Schedule.actor has an id that cannot be used here',
    ],
    [
      'a practitioner without a name',
      { resourceType: 'Practitioner', id: 'x' },
      'line 3: Practitioner.name cannot be read',
    ],
  ])('%s is named by its number, and nothing is changed', async (_what, bad, said) => {
    const line = typeof bad === 'string' ? bad : JSON.stringify(bad);
    const before = new Map(clinic.store.rows.get(TENANT));
    const text = [ndjson(person(), schedule()), line, ndjson(...GOOD.slice(2))].join('\n');
    await expect(take(text)).rejects.toMatchObject({
      code: 'IMPORT_FORMAT',
      message: `slots.ndjson ${said}. Nothing was imported.`,
    });
    expect(new Map(clinic.store.rows.get(TENANT))).toEqual(before);
  });

  test('all lines that are wrong are named, twenty at the most', async () => {
    const bad = Array.from({ length: 25 }, () => '?').join('\n');
    await expect(take(bad)).rejects.toMatchObject({
      message: expect.stringMatching(
        /^slots\.ndjson line 1: not JSON; .*line 20: not JSON; and 5 more\. Nothing/,
      ),
    });
  });

  test.each([
    ['an unknown visit type', ndjson(...GOOD), { visitType: 'no-such' }, 'VISIT_TYPE_UNKNOWN'],
    [
      'somebody whom neither clinic nor file knows',
      ndjson(schedule(), slot('09:00', '09:30')),
      {},
      'IMPORT_FORMAT',
    ],
    ['an empty file', '\n', {}, 'IMPORT_FORMAT'],
    ['an empty Bundle', bundle(), {}, 'IMPORT_FORMAT'],
    ['a schedule without slots', ndjson(person(), schedule()), {}, 'IMPORT_FORMAT'],
  ])('%s changes nothing', async (_what, text, more, code) => {
    const before = new Map(clinic.store.rows.get(TENANT));
    await expect(take(text, more)).rejects.toMatchObject({ code });
    expect(new Map(clinic.store.rows.get(TENANT))).toEqual(before);
  });

  test('a slot that was offered and is then published as busy is not booked', async () => {
    await take(ndjson(...GOOD));
    const found = await clinic.call('usr_john', 'findOpenSlots', { visitType: 'general-visit', from: DAY });
    const [first] = (outputOf(found)['slots'] ?? []) as { slotId: string }[];
    await take(ndjson(schedule(), slot('09:00', '12:00', 'busy')));
    const refused = await clinic.call('usr_john', 'scheduleAppointment', { slotId: first?.slotId });
    expect(JSON.stringify(refused.content)).toContain('(SLOT_CLOSED)');
  });
});
