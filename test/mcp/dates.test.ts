import { beforeEach, describe, expect, test } from 'vitest';
import { setUpClinic } from '../../src/clinic/tenants.ts';
import { localKeyId } from '../../src/crypto/local-keyring.ts';
import { codeOf, openClinic, outputOf } from '../access/people.ts';
import { TENANT } from './house.ts';

type Clinic = Awaited<ReturnType<typeof openClinic>>;
interface Slot {
  readonly slotId: string;
  readonly weekday: string;
  readonly date: string;
  readonly time: string;
  readonly utcOffset?: string;
}
const CHECKUP = 'diabetes-checkup';

describe('dates that were said in words', () => {
  let clinic: Clinic;
  beforeEach(async () => {
    clinic = await openClinic();
  });
  const john = (name: string, args: object = {}) => clinic.call('usr_john', name, args);
  const slotsOf = (answer: Awaited<ReturnType<typeof john>>) => (outputOf(answer)['slots'] ?? []) as Slot[];

  test.each([
    ['Sunday', '2026-11-22', '2026-11-24', '2026-12-01'],
    ['Monday', '2026-11-23', '2026-11-24', '2026-12-01'],
    ['Tuesday', '2026-11-24', '2026-12-01', '2026-12-08'],
  ])(
    '"next Tuesday" said on a %s: both that it may mean are offered, each with its weekday',
    async (weekday, today, from, orOn) => {
      clinic.time.now = Date.parse(`${today}T18:00:00-05:00`);
      expect(outputOf(await john('whoAmI'))['today']).toMatchObject({ weekday, date: today });
      const found = await john('findOpenSlots', { visitType: CHECKUP, from, orOn });
      const slots = slotsOf(found);
      expect([...new Set(slots.map((slot) => `${slot.weekday} ${slot.date}`))]).toEqual([
        `Tuesday ${from}`,
        `Tuesday ${orOn}`,
      ]);
      expect(JSON.stringify(found.content)).toContain(
        `Ask which day is meant: Tuesday, ${from} or Tuesday, ${orOn}.`,
      );
      const later = slots.find(({ date }) => date === orOn);
      const booked = await john('scheduleAppointment', { slotId: later?.slotId });
      expect(outputOf(booked)['appointment']).toMatchObject({ weekday: 'Tuesday', date: orOn });
    },
  );

  test('where only one of the two has an open time nobody is asked which', async () => {
    const found = await john('findOpenSlots', { visitType: CHECKUP, from: '2026-11-28', orOn: '2026-12-01' });
    expect(new Set(slotsOf(found).map(({ date }) => date))).toEqual(new Set(['2026-12-01']));
    expect(JSON.stringify(found.content)).not.toContain('Ask which day');
  });

  test('a second date that does not exist is refused like a first', async () => {
    const asked = { visitType: CHECKUP, from: '2026-12-01', orOn: '2026-02-30' };
    expect(codeOf(await john('findOpenSlots', asked))).toBe('DATE_INVALID');
  });

  /** A night clinic on the Sundays on which the clocks change. */
  const openAtNight = async () => {
    const night = { rrule: 'FREQ=WEEKLY;BYDAY=SU', since: '2026-01-04', from: '01:00', to: '04:00' };
    await setUpClinic(clinic.store, TENANT, {
      clinic: {
        name: 'Night',
        phone: '+1-617-555-0100',
        zone: 'America/New_York',
        ...{ keyId: localKeyId(1), state: 'active' },
      },
      practitioners: [{ id: 'dr-night', name: 'Dr. Night', availability: [night] }],
      visitTypes: [{ id: 'night', title: 'Night visit', minutes: 60, practitioners: ['dr-night'] }],
    });
  };

  test('an hour that the clock shows twice is offered twice, told apart, and booked as it was chosen', async () => {
    clinic.time.now = Date.parse('2026-10-30T09:00:00-04:00');
    await openAtNight();
    const found = slotsOf(await john('findOpenSlots', { visitType: 'night', from: '2026-11-01' }));
    expect(found.map(({ time, utcOffset }) => [time, utcOffset])).toEqual([
      ['01:00', '-04:00'],
      ['01:00', '-05:00'],
      ['02:00', undefined],
      ['03:00', undefined],
    ]);
    for (const [index, utcOffset] of [
      [1, '-05:00'],
      [0, '-04:00'],
    ] as const) {
      const booked = await john('scheduleAppointment', { slotId: found[index]?.slotId });
      const shown = { time: '01:00', utcOffset, start: `2026-11-01T01:00:00${utcOffset}` };
      expect(outputOf(booked)).toMatchObject({ outcome: 'booked', appointment: shown });
    }
  });

  test('an hour that the clock skips is not offered, and nothing is moved in its place', async () => {
    clinic.time.now = Date.parse('2027-03-12T09:00:00-05:00');
    await openAtNight();
    const found = slotsOf(await john('findOpenSlots', { visitType: 'night', from: '2027-03-14' }));
    expect(found.map(({ time }) => time)).toEqual(['01:00', '03:00']);
  });
});
