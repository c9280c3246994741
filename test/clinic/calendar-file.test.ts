import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AppointmentStatus } from '../../src/clinic/appointment.ts';
import { calendarFile } from '../../src/clinic/calendar-file.ts';

const CLINIC = { name: 'Riverside Family Clinic', phone: '+1-617-555-0100' };
const CHANGED = Date.parse('2026-11-24T13:00:00Z');
const fileOf = (
  change: { status?: AppointmentStatus; start?: string; minutes?: number; changedAt?: number } = {},
) => {
  const { changedAt = CHANGED, ...visit } = change;
  return calendarFile({
    visit: {
      appointmentId: 'apt_AAAAAAAAAAAAAAAAAAAAAA',
      status: 'booked',
      start: '2026-12-01T09:30:00-05:00',
      minutes: 30,
      ...visit,
    },
    clinic: CLINIC,
    changedAt,
  });
};

/** Content lines of RFC 5545 §3.1, unfolded, as name → value; fails on a line that breaks the grammar. */
function linesOf(file: string): Map<string, string> {
  expect(file.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  const lines = file.replace(/\r\n[ \t]/g, '').split('\r\n');
  if (lines.at(-1) === '') lines.pop();
  for (const folded of file.split('\r\n')) expect(Buffer.byteLength(folded)).toBeLessThanOrEqual(75);
  return new Map(
    lines.map((line) => {
      const [, name, value] = /^([A-Z-]+)(?:;[^:]*)?:(.*)$/.exec(line) ?? [];
      expect(name, line).toBeDefined();
      return [name ?? '', value ?? ''];
    }),
  );
}

describe('the calendar file of a visit', () => {
  test('is frozen, byte for byte', () => {
    expect(fileOf().split('\r\n')).toEqual([
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:-//Chartseal//Visits//EN',
      'METHOD:PUBLISH',
      'BEGIN:VEVENT',
      'UID:apt_AAAAAAAAAAAAAAAAAAAAAA@chartseal',
      'SEQUENCE:28299600',
      'DTSTAMP:20261124T130000Z',
      'DTSTART:20261201T143000Z',
      'DTEND:20261201T150000Z',
      'SUMMARY:Visit at Riverside Family Clinic',
      'TRANSP:OPAQUE',
      'LOCATION:Riverside Family Clinic',
      'DESCRIPTION:Questions: +1-617-555-0100',
      'STATUS:CONFIRMED',
      'END:VEVENT',
      'END:VCALENDAR',
    ]);
  });

  test('has each property that RFC 5545 requires, once', () => {
    const file = fileOf();
    for (const once of ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:', 'BEGIN:VEVENT', 'UID:', 'DTSTAMP:'])
      expect(file.split(`${once}`)).toHaveLength(2);
  });

  test.each([
    ['before the clock goes back', '2026-10-31T09:30:00-04:00', '20261031T133000Z', '20261031T140000Z'],
    ['after the clock went back', '2026-11-02T09:30:00-05:00', '20261102T143000Z', '20261102T150000Z'],
    ['the first of a repeated hour', '2026-11-01T01:30:00-04:00', '20261101T053000Z', '20261101T060000Z'],
    ['the second of a repeated hour', '2026-11-01T01:30:00-05:00', '20261101T063000Z', '20261101T070000Z'],
    ['over the spring gap', '2027-03-14T01:45:00-05:00', '20270314T064500Z', '20270314T071500Z'],
    ['across midnight', '2026-12-31T23:45:00-05:00', '20270101T044500Z', '20270101T051500Z'],
  ])('names the instant %s', (_when, start, from, to) => {
    const lines = linesOf(fileOf({ start }));
    expect([lines.get('DTSTART'), lines.get('DTEND')]).toEqual([from, to]);
  });

  test('a move keeps the UID and raises the SEQUENCE; a cancellation takes it out of the calendar', () => {
    const booked = linesOf(fileOf());
    const moved = linesOf(fileOf({ start: '2026-12-02T09:30:00-05:00', changedAt: CHANGED + 1000 }));
    const cancelled = linesOf(fileOf({ status: 'cancelled', changedAt: CHANGED + 2000 }));
    expect(new Set([booked, moved, cancelled].map((lines) => lines.get('UID'))).size).toBe(1);
    const sequences = [booked, moved, cancelled].map((lines) => Number(lines.get('SEQUENCE')));
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
    expect(new Set(sequences).size).toBe(3);
    expect([booked, moved, cancelled].map((lines) => [lines.get('METHOD'), lines.get('STATUS')])).toEqual([
      ['PUBLISH', 'CONFIRMED'],
      ['PUBLISH', 'CONFIRMED'],
      ['CANCEL', 'CANCELLED'],
    ]);
  });

  test('says where and when, whatever the visit is about and whoever it is with', () => {
    const full = {
      appointmentId: 'apt_AAAAAAAAAAAAAAAAAAAAAA',
      status: 'booked' as const,
      start: '2026-12-01T09:30:00-05:00',
      minutes: 30,
      title: 'Diabetes checkup',
      practitioner: 'Dr. Mei Chen',
      location: 'Oncology',
      preparation: 'No food for eight hours before.',
    };
    const file = calendarFile({ visit: full, clinic: CLINIC, changedAt: CHANGED });
    expect(file).toBe(fileOf());
    expect(file).not.toMatch(/diabetes|chen|oncology|food/i);
  });

  test('any instant comes back as it went in, in lines that a parser takes', () => {
    const instant = fc.integer({ min: CHANGED, max: CHANGED + 366 * 86_400_000 });
    fc.assert(
      fc.property(instant, fc.integer({ min: 1, max: 100 }), (at, cells) => {
        const whole = at - (at % 60_000);
        const lines = linesOf(fileOf({ start: new Date(whole).toISOString(), minutes: cells * 5 }));
        const read = (name: string) =>
          Date.parse((lines.get(name) ?? '').replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'));
        expect(read('DTSTART')).toBe(whole);
        expect(read('DTEND') - whole).toBe(cells * 300_000);
      }),
    );
  });

  test('a clinic’s name cannot add a line of its own', () => {
    const visit = {
      appointmentId: 'apt_A',
      status: 'booked' as const,
      start: '2026-12-01T09:30:00Z',
      minutes: 30,
    };
    const name = 'Here; there,\r\nATTENDEE:mailto:x@example.com';
    const lines = linesOf(calendarFile({ visit, clinic: { ...CLINIC, name }, changedAt: CHANGED }));
    expect(lines.has('ATTENDEE')).toBe(false);
  });
});
