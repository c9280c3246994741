import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, test } from 'vitest';
import type { AvailabilityRule } from '../../src/clinic/availability.ts';
import type { Practitioner, VisitType } from '../../src/clinic/clinic.ts';
import { parseDate, spoken } from '../../src/clinic/clinic-time.ts';
import { offeredSlots, openSlots } from '../../src/clinic/slots.ts';
import { VISIT_TYPE_DEFAULTS } from '../../src/clinic/tenants.ts';

const ZONE = 'America/New_York';
const visit = (minutes: number, leadMinutes = 0): VisitType => ({
  ...VISIT_TYPE_DEFAULTS,
  id: 'v',
  title: 'V',
  minutes,
  leadMinutes,
  practitioners: ['dr'],
});
const DAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
const dr = (...hours: { weekday: number; from: string; to: string }[]): Practitioner => ({
  id: 'dr',
  name: 'Dr',
  version: 1,
  capacity: 1,
  overbook: 0,
  absences: [],
  availability: hours.map(({ weekday, from, to }): AvailabilityRule => {
    return { rrule: `FREQ=WEEKLY;BYDAY=${DAYS[weekday - 1]}`, since: '2026-01-01', from, to };
  }),
});
const ask = (options: {
  date: string;
  to?: string;
  visitType?: VisitType;
  practitioner: Practitioner;
  now?: number;
  zone?: string;
}) => ({
  visitType: options.visitType ?? visit(30),
  practitioners: [options.practitioner],
  zone: options.zone ?? ZONE,
  from: parseDate(options.date),
  to: parseDate(options.to ?? options.date),
  now: options.now ?? 0,
  holidays: [],
});
const timesOf = (slots: readonly { start: number }[], zone = ZONE) =>
  slots.map(({ start }) => spoken(start, zone).time);

describe('slots', () => {
  test('fill the hours of that weekday, and no other day', () => {
    const practitioner = dr({ weekday: 2, from: '09:00', to: '10:30' });
    expect(timesOf(offeredSlots(ask({ date: '2026-12-01', practitioner })))).toEqual([
      '09:00',
      '09:30',
      '10:00',
    ]);
    expect(offeredSlots(ask({ date: '2026-12-02', practitioner }))).toEqual([]);
  });

  test('a visit that does not fit before closing is not offered', () => {
    const practitioner = dr({ weekday: 2, from: '09:00', to: '09:45' });
    expect(timesOf(offeredSlots(ask({ date: '2026-12-01', practitioner, visitType: visit(25) })))).toEqual([
      '09:00',
    ]);
  });

  test('the lead time is kept', () => {
    const practitioner = dr({ weekday: 2, from: '09:00', to: '11:00' });
    const now = Date.parse('2026-12-01T09:10:00-05:00');
    const question = ask({ date: '2026-12-01', practitioner, visitType: visit(30, 60), now });
    expect(timesOf(offeredSlots(question))).toEqual(['10:30']);
  });

  test('a claim removes every slot that it touches, and none that only adjoins', () => {
    const practitioner = dr({ weekday: 2, from: '09:00', to: '11:00' });
    const from = Date.parse('2026-12-01T09:25:00-05:00');
    const claims = [{ resource: 'dr', booking: 'b', from, to: from + 5 * 60_000 }];
    expect(timesOf(openSlots(ask({ date: '2026-12-01', practitioner }), claims))).toEqual([
      '09:30',
      '10:00',
      '10:30',
    ]);
  });

  test('the skipped hour of spring has no slot, and the hours after it are right', () => {
    const practitioner = dr({ weekday: 7, from: '01:00', to: '04:00' });
    const slots = offeredSlots(ask({ date: '2026-03-08', practitioner, visitType: visit(60) }));
    expect(timesOf(slots)).toEqual(['01:00', '03:00']);
  });

  test('the repeated hour of autumn is offered in both its turns, an hour apart', () => {
    const practitioner = dr({ weekday: 7, from: '01:00', to: '03:00' });
    const slots = offeredSlots(ask({ date: '2026-11-01', practitioner, visitType: visit(60) }));
    expect(timesOf(slots)).toEqual(['01:00', '01:00', '02:00']);
    expect(new Set(slots.map(({ start }) => start)).size).toBe(3);
  });

  test('in any zone and on any date: on the grid, inside the hours, none overlapping', () => {
    const zones = [
      'America/New_York',
      'Europe/Berlin',
      'Asia/Kathmandu',
      'Australia/Lord_Howe',
      'Pacific/Apia',
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: 0, max: 1_000 }),
        fc.integer({ min: 1, max: 24 }),
        fc.integer({ min: 0, max: 20 }),
        (zone, days, fives, hour) => {
          const date = Temporal.PlainDate.from('2026-01-01').add({ days });
          const from = `${String(hour).padStart(2, '0')}:00`;
          const to = `${String(hour + 3).padStart(2, '0')}:00`;
          const practitioner = dr({ weekday: date.dayOfWeek, from, to });
          const visitType = visit(fives * 5);
          const slots = offeredSlots(ask({ date: date.toString(), practitioner, visitType, zone }));
          for (const [index, slot] of slots.entries()) {
            expect(slot.start % 300_000).toBe(0);
            expect(slot.end - slot.start).toBe(fives * 300_000);
            expect(spoken(slot.start, zone).date).toBe(date.toString());
            if (index > 0) expect(slot.start).toBeGreaterThanOrEqual(slots[index - 1]?.end ?? 0);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('dates', () => {
  test.each([
    '2026-02-30',
    '2026-13-01',
    '2026-00-10',
    '26-01-01',
    '2026-1-1',
    'next Tuesday',
    '',
    '2026-12-01T09:00',
  ])('%j is refused as a date that does not exist', (text) => {
    expect(() => parseDate(text)).toThrow(expect.objectContaining({ code: 'DATE_INVALID' }));
  });

  test('an instant is spoken with weekday, date and zone of the clinic', () => {
    expect(spoken(Date.parse('2026-12-01T14:30:00Z'), ZONE)).toEqual({
      start: '2026-12-01T09:30:00-05:00',
      weekday: 'Tuesday',
      date: '2026-12-01',
      time: '09:30',
      zone: ZONE,
    });
  });
});
