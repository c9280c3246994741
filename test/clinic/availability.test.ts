import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, test } from 'vitest';
import {
  type Absence,
  type AvailabilityRule,
  checkAvailability,
  openSpans,
} from '../../src/clinic/availability.ts';

const ZONE = 'America/New_York';
const rule = (rrule: string, more: Partial<AvailabilityRule> = {}): AvailabilityRule => ({
  ...{ rrule, since: '2026-01-01', from: '09:00', to: '10:00' },
  ...more,
});
const spans = (
  availability: readonly AvailabilityRule[],
  [from, to]: readonly [string, string],
  more: { absences?: readonly Absence[]; holidays?: readonly string[] } = {},
): string[] =>
  openSpans(
    { availability, absences: more.absences ?? [] },
    {
      from: Temporal.PlainDate.from(from),
      to: Temporal.PlainDate.from(to),
      zone: ZONE,
      holidays: more.holidays ?? [],
    },
  ).map(({ from: begin, to: end }) => `${local(begin)}/${local(end).slice(11)}`);
const local = (at: number): string =>
  Temporal.Instant.fromEpochMilliseconds(at)
    .toZonedDateTimeISO(ZONE)
    .toPlainDateTime()
    .toString()
    .slice(0, 16);

describe('availability', () => {
  test('every second week counts from the date on which the rule began', () => {
    const biweekly = rule('FREQ=WEEKLY;INTERVAL=2;BYDAY=TU', { since: '2026-01-06' });
    expect(spans([biweekly], ['2026-12-01', '2026-12-31'])).toEqual([
      '2026-12-08T09:00/10:00',
      '2026-12-22T09:00/10:00',
    ]);
  });

  test('every week on some days is the same as the library says, on any dates', () => {
    const names = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
    const base = Temporal.PlainDate.from('2026-01-01');
    fc.assert(
      fc.property(
        fc.subarray(names, { minLength: 1 }),
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 0, max: 31 }),
        (days, since, begin, length) => {
          const range = [begin, begin + length].map((ahead) => base.add({ days: ahead }).toString());
          const first = base.add({ days: since }).toString();
          const own = rule(`FREQ=WEEKLY;BYDAY=${days.join(',')}`, { since: first });
          // Weeks that begin on Monday are the default, so this says the same and goes through the library.
          const theirs = rule(`FREQ=WEEKLY;WKST=MO;BYDAY=${days.join(',')}`, { since: first });
          expect(spans([own], range as [string, string])).toEqual(spans([theirs], range as [string, string]));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('the last Friday of a month, and a rule that has ended', () => {
    expect(spans([rule('FREQ=MONTHLY;BYDAY=-1FR')], ['2026-12-01', '2026-12-31'])).toEqual([
      '2026-12-25T09:00/10:00',
    ]);
    expect(spans([rule('FREQ=DAILY;UNTIL=20261202T000000Z')], ['2026-12-01', '2026-12-05'])).toEqual([
      '2026-12-01T09:00/10:00',
      '2026-12-02T09:00/10:00',
    ]);
  });

  test('nothing before the rule began', () => {
    expect(spans([rule('FREQ=DAILY', { since: '2026-12-03' })], ['2026-12-01', '2026-12-03'])).toEqual([
      '2026-12-03T09:00/10:00',
    ]);
  });

  test('a holiday closes the whole clinic, an absence only what it covers', () => {
    const absences = [
      { from: '2026-12-01T09:20', to: '2026-12-01T09:40' },
      { from: '2026-12-03T00:00', to: '2026-12-05T00:00' },
    ];
    expect(
      spans([rule('FREQ=DAILY')], ['2026-12-01', '2026-12-05'], { absences, holidays: ['2026-12-02'] }),
    ).toEqual(['2026-12-01T09:00/09:20', '2026-12-01T09:40/10:00', '2026-12-05T09:00/10:00']);
  });

  test('a night shift belongs to the evening on which it begins, and is seen on the morning after', () => {
    const night = rule('FREQ=WEEKLY;BYDAY=MO', { from: '22:00', to: '02:00' });
    expect(spans([night], ['2026-12-01', '2026-12-01'])).toEqual(['2026-11-30T22:00/02:00']);
  });

  test('a night shift over the end of summer time is an hour longer, over its begin an hour shorter', () => {
    const night = rule('FREQ=DAILY', { from: '22:00', to: '04:00' });
    const hoursOn = (date: string) => {
      const day = Temporal.PlainDate.from(date);
      const [span] = openSpans(
        { availability: [night], absences: [] },
        { from: day.add({ days: 1 }), to: day, zone: ZONE, holidays: [] },
      );
      return span === undefined ? 0 : (span.to - span.from) / 3_600_000;
    };
    expect(hoursOn('2026-10-31')).toBe(7);
    expect(hoursOn('2026-03-07')).toBe(5);
  });

  test.each<[string, AvailabilityRule]>([
    ['times inside the RRULE', rule('FREQ=DAILY;BYHOUR=9')],
    ['an hourly rule', rule('FREQ=HOURLY')],
    ['words', rule('every Tuesday')],
    ['a second property', rule('FREQ=DAILY\nEXDATE:20261201')],
    ['an hour that does not exist', rule('FREQ=DAILY', { to: '24:30' })],
    ['a date that does not exist', rule('FREQ=DAILY', { since: '2026-02-30' })],
    ['an RRULE that its own standard refuses', rule('FREQ=WEEKLY;BYDAY=XX')],
  ])('%s is refused before it is stored', (_, bad) => {
    expect(() => checkAvailability([bad], [])).toThrow(expect.objectContaining({ code: 'SCHEDULE_INVALID' }));
  });

  test('an absence that runs backwards is refused', () => {
    const bad = [{ from: '2026-12-02T09:00', to: '2026-12-01T09:00' }];
    expect(() => checkAvailability([], bad)).toThrow(expect.objectContaining({ code: 'SCHEDULE_INVALID' }));
  });
});
