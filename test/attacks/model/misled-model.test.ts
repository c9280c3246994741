import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Connected, type Mount, mountMcp, newClient } from '../../conversations/mount.ts';
import { MONDAY, openPeople, type People, type Person } from '../../conversations/people.ts';
import { createMemoryStore } from '../../doubles/memory-store.ts';
import { eventsIn } from '../../mcp/house.ts';

const CHECKUP = { visitType: 'diabetes-checkup', from: '2026-12-01' };
const MINUTE = 60_000;
/** What everybody hears of a chart that is not theirs, and of one that is not there. */
const CLOSED =
  'No such chart is available to you. Leave out "patient" to use your own chart. (NOT_FOUND) Clinicians in an emergency: https://clinic.example/emergency';

describe('a model that passes what is not its person’s', () => {
  let people: People;
  let mount: Mount;
  let now: number;
  const clients = new Map<Person, Connected>();
  beforeEach(async () => {
    now = MONDAY;
    people = await openPeople(createMemoryStore(), { now: () => now });
    mount = await mountMcp(people);
    for (const person of ['john', 'ana', 'frontdesk', 'clinician'] as const)
      clients.set(person, await newClient(mount, person));
  });
  afterEach(async () => {
    for (const client of clients.values()) await client.close();
    await mount.close();
  });
  const call = (person: Person, name: string, args: Record<string, unknown>) => {
    const client = clients.get(person);
    if (client === undefined) throw new Error('nobody');
    return client.call(name, args);
  };
  const slotFor = async (person: Person, more: object = {}): Promise<string> => {
    const found = await call(person, 'findOpenSlots', { ...CHECKUP, ...more });
    const [slot] = (found.structuredContent?.['slots'] ?? []) as { slotId: string }[];
    return slot?.slotId ?? '';
  };
  const book = async (person: Person) => {
    const booked = await call(person, 'scheduleAppointment', { slotId: await slotFor(person) });
    const { appointmentId = '' } = (booked.structuredContent?.['appointment'] ?? {}) as {
      appointmentId?: string;
    };
    return { appointmentId };
  };
  const visitsOf = async (person: Person) =>
    (await call(person, 'listAppointments', {})).structuredContent?.['appointments'] as { time: string }[];
  /** The exact words of a refusal; that it wrote nothing; and the code in its event. */
  const refusal = async (person: Person, name: string, args: Record<string, unknown>) => {
    const answer = await call(person, name, args);
    const last = (await eventsIn(people.services, people.tenant)).at(-1);
    expect([answer.isError, answer.structuredContent, last?.outcome, last?.written]).toEqual([
      ...[true, undefined, '4', undefined],
    ]);
    return answer.content[0]?.text;
  };

  test.each([
    ['getPatient', { sections: ['demographics'] }, 'Nothing was read.'],
    ['listMedications', {}, 'Nothing was read.'],
    ['listAppointments', {}, 'Not available.'],
    ['findOpenSlots', CHECKUP, 'No times found.'],
    ['scheduleAppointment', { visitType: 'diabetes-checkup' }, 'Not booked. Nothing was changed.'],
    ['joinWaitlist', { visitType: 'diabetes-checkup' }, 'Not on the waiting list. Nothing was changed.'],
    ['listChartAccess', {}, 'Not available.'],
    ['requestPrivacyAction', { kind: 'erasure' }, 'Not started. Nothing was changed.'],
    ['getRequestStatus', {}, 'Not available.'],
  ])('%s with someone else’s handle says what it says of no handle at all', async (name, args, before) => {
    const foreign = await refusal('john', name, { ...args, patient: people.chartOf('ana-ruiz') });
    const unknown = await refusal('john', name, { ...args, patient: 'pat_AAAAAAAAAAAAAAAAAAAAAA' });
    expect(foreign).toBe(unknown);
    expect(foreign).toBe(`${before} ${CLOSED}`);
  });

  test.each([
    ['a tenant', { tenant: 'lakeside' }],
    ['a purpose', { purposeOfUse: 'ETREAT' }],
    ['an actor', { user: 'usr_clinician' }],
  ])('%s is no argument', async (_what, claim) => {
    expect(await refusal('john', 'listMedications', claim)).toBe(
      'Nothing was read. Check an unknown field (known: which, patient). (INPUT)',
    );
  });

  test('a stale slot is over, to the millisecond', async () => {
    const slotId = await slotFor('john');
    now += 10 * MINUTE + 1;
    expect(await refusal('john', 'scheduleAppointment', { slotId })).toBe(
      'Not booked. Nothing was changed. That offer is over ten minutes old. Look for open slots again. (SLOT_EXPIRED)',
    );
    now -= 1;
    const booked = await call('john', 'scheduleAppointment', { slotId });
    expect(booked.structuredContent).toMatchObject({ outcome: 'booked' });
  });

  test('another visit type’s slot moves nothing', async () => {
    const { appointmentId } = await book('john');
    const slotId = await slotFor('john', { visitType: 'general-visit' });
    expect(await refusal('john', 'rescheduleAppointment', { appointmentId, slotId })).toBe(
      'Not moved. Nothing was changed. That slotId is for another visit type. Use one that was offered for this visit. (SLOT_INVALID)',
    );
    expect(await visitsOf('john')).toMatchObject([{ time: '09:00' }]);
  });

  test('a slot made out to another visit type, practitioner, time or person books nothing', async () => {
    const own = await slotFor('john');
    const theirs = await slotFor('ana');
    const desk = await slotFor('frontdesk', { patient: people.chartOf('john-doe') });
    const words =
      'Not booked. Nothing was changed. That slotId was not offered for this chart. Use one from findOpenSlots. (SLOT_INVALID)';
    for (const slotId of [
      own.replace('diabetes-checkup', 'minor-surgery'),
      own.replace('dr-chen', 'dr-osei'),
      own.replace(/~([0-9a-z]+)~([0-9a-z]+)~/, (_, start, end) => `~${end}~${start}~`),
      theirs,
      desk,
    ])
      expect(await refusal('john', 'scheduleAppointment', { slotId }), slotId).toBe(words);
    expect(await visitsOf('john')).toEqual([]);
  });

  test('somebody’s confirmation cancels nobody else’s visit', async () => {
    const [mine, theirs] = [await book('john'), await book('ana')];
    const preview = await call('ana', 'cancelAppointment', theirs);
    const confirm = preview.structuredContent?.['confirm'];
    expect(await refusal('john', 'cancelAppointment', { ...mine, confirm })).toBe(
      'Not cancelled. Nothing was changed. That confirmation is not of this preview, or over ten minutes old. Ask for the preview again. (CONFIRM_INVALID)',
    );
    expect(await refusal('john', 'cancelAppointment', { ...theirs, confirm })).toBe(
      'Not cancelled. Nothing was changed. There is no such visit in this chart. Use listAppointments. (APPOINTMENT_UNKNOWN)',
    );
    expect([await visitsOf('john'), await visitsOf('ana')]).toMatchObject([[{}], [{}]]);
  });

  test('a patient’s model overbooks nothing, and books nothing that only the clinic books', async () => {
    await book('ana');
    const open = await call('john', 'findOpenSlots', CHECKUP);
    const times = ((open.structuredContent?.['slots'] ?? []) as { time: string }[]).map(({ time }) => time);
    expect(times).not.toContain('09:00');
    const surgery = await slotFor('john', { visitType: 'minor-surgery' });
    const asked = await call('john', 'scheduleAppointment', { slotId: surgery, overbook: true });
    expect(asked.content[0]?.text).toBe(
      'Not booked; nothing was changed. The clinic books this visit itself: call the clinic at +1-617-555-0100.',
    );
  });
});
