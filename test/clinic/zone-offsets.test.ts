import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, test } from 'vitest';
import { dateAt, instantOf, midnightOf, spoken } from '../../src/clinic/clinic-time.ts';
import { steadyOffset } from '../../src/clinic/zone-offsets.ts';

/** Whole and odd offsets, half an hour of summer time, midnight changes, a skipped day, and none at all. */
const ZONES = [
  ...['America/New_York', 'Europe/Berlin', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/Sao_Paulo'],
  ...['Pacific/Apia', 'Asia/Kathmandu', 'Africa/Casablanca', 'UTC'],
];
const date = fc
  .integer({ min: Date.UTC(2005, 0, 1) / 86_400_000, max: Date.UTC(2035, 0, 1) / 86_400_000 })
  .map((day) =>
    Temporal.Instant.fromEpochMilliseconds(day * 86_400_000)
      .toZonedDateTimeISO('UTC')
      .toPlainDate(),
  );
const time = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
  .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(':'));

describe('reckoning in a zone', () => {
  test('agrees with Temporal for every date, time and zone', () => {
    fc.assert(
      fc.property(date, time, fc.constantFrom(...ZONES), (on, at, zone) => {
        const exact = on.toZonedDateTime({ timeZone: zone, plainTime: Temporal.PlainTime.from(at) });
        expect(instantOf(on, at, zone)).toBe(exact.epochMilliseconds);
        expect(midnightOf(on, zone)).toBe(on.toZonedDateTime(zone).epochMilliseconds);
      }),
      { numRuns: 1_000 },
    );
  });

  test('spells every instant as Temporal does, in every zone', () => {
    const instant = fc.integer({ min: Date.UTC(1890, 0, 1), max: Date.UTC(2050, 0, 1) });
    fc.assert(
      fc.property(instant, fc.constantFrom(...ZONES), (at, zone) => {
        const exact = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
        const [date, time] = [exact.toPlainDate().toString(), exact.toPlainTime().toString()];
        expect(spoken(at, zone)).toMatchObject({
          start: exact.toString({ timeZoneName: 'never', smallestUnit: 'second' }),
          weekday: exact.toPlainDate().toLocaleString('en-US', { weekday: 'long' }),
          date,
          time: time.slice(0, 5),
        });
        expect(dateAt(at, zone).toString()).toBe(date);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ['America/New_York', '2026-11-01', '01:30', 'earlier'],
    ['America/New_York', '2026-03-08', '02:30', 'moved on'],
    ['America/Sao_Paulo', '2018-11-04', '00:00', 'a day without midnight'],
    ['Pacific/Apia', '2011-12-30', '12:00', 'a day that never was'],
  ])('around a change of the clock it leaves the word to Temporal: %s %s %s (%s)', (zone, on, at) => {
    const day = Temporal.PlainDate.from(on);
    expect(steadyOffset(zone, Date.parse(on) / 86_400_000)).toBeNull();
    const exact = day.toZonedDateTime({ timeZone: zone, plainTime: Temporal.PlainTime.from(at) });
    expect(instantOf(day, at, zone)).toBe(exact.epochMilliseconds);
    expect(midnightOf(day, zone)).toBe(day.toZonedDateTime(zone).epochMilliseconds);
  });

  test('an hour that is shown twice still carries its offset, and no other does', () => {
    const first = Date.parse('2026-11-01T01:30:00-04:00');
    expect(spoken(first, 'America/New_York').utcOffset).toBe('-04:00');
    expect(spoken(first + 3_600_000, 'America/New_York').utcOffset).toBe('-05:00');
    expect(spoken(first + 5 * 3_600_000, 'America/New_York').utcOffset).toBeUndefined();
    expect(spoken(first - 7 * 86_400_000, 'America/New_York').utcOffset).toBeUndefined();
  });
});
