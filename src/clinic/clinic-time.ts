import { Temporal } from 'temporal-polyfill';
import { ClinicError } from './errors.ts';
import { dateOf, dayOf, steadyOffset } from './zone-offsets.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** An instant as a person at the clinic reads it, always with its weekday and zone. */
export interface SpokenTime {
  /** `2026-12-01T09:30:00-05:00` */
  readonly start: string;
  /** `Tuesday` */
  readonly weekday: string;
  /** `2026-12-01` */
  readonly date: string;
  /** `09:30`, clinic-local */
  readonly time: string;
  /** `-04:00`, only where the clock shows this time twice (summer time ends). */
  readonly utcOffset?: string;
  /** `America/New_York` */
  readonly zone: string;
}

/** @throws ClinicError `DATE_INVALID` unless `text` is a calendar date that exists, as `YYYY-MM-DD`. */
export function parseDate(text: string): Temporal.PlainDate {
  try {
    if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) throw new RangeError();
    return Temporal.PlainDate.from(text, { overflow: 'reject' });
  } catch {
    throw new ClinicError('DATE_INVALID', 'That date does not exist. Give a calendar date as YYYY-MM-DD.');
  }
}

const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

/** @throws ClinicError `SCHEDULE_INVALID` unless `zone` is an IANA zone that exists. */
export function requireZone(zone: string): void {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
  } catch {
    throw new ClinicError('SCHEDULE_INVALID', 'There is no such zone. Give one such as America/New_York.');
  }
}

/** Spells an instant (ms since the epoch) in the clinic's zone. */
export function spoken(at: number, zone: string): SpokenTime {
  const offset = offsetOn(at, zone);
  if (offset !== null) return spokenBy(at, offset, zone);
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
  return {
    start: local.toString({ timeZoneName: 'never', smallestUnit: 'second' }),
    weekday: WEEKDAYS[local.dayOfWeek - 1] ?? '',
    date: local.toPlainDate().toString(),
    time: local.toPlainTime().toString({ smallestUnit: 'minute' }),
    ...(shownTwice(local) ? { utcOffset: local.offset } : {}),
    zone,
  };
}

/** Away from changes of the clock, where no crossing between zones is needed. */
function spokenBy(at: number, offset: number, zone: string): SpokenTime {
  const local = new Date(at + offset);
  const text = local.toISOString();
  const [hours, minutes] = [Math.floor(Math.abs(offset) / HOUR_MS), (Math.abs(offset) % HOUR_MS) / MINUTE_MS];
  return {
    start: `${text.slice(0, 19)}${offset < 0 ? '-' : '+'}${twoDigits(hours)}:${twoDigits(minutes)}`,
    weekday: WEEKDAYS[(local.getUTCDay() + 6) % 7] ?? '',
    date: text.slice(0, 10),
    time: text.slice(11, 16),
    zone,
  };
}

const twoDigits = (count: number): string => String(count).padStart(2, '0');

/** The offset of the zone around an instant; null near a change of it, and where it is not one of whole minutes. */
function offsetOn(at: number, zone: string): number | null {
  const offset = steadyOffset(zone, Math.floor(at / DAY_MS));
  return offset !== null && offset % MINUTE_MS === 0 ? offset : null;
}

/** How pages say an instant: `Tuesday, 2026-12-01 at 09:30 (America/New_York)`. */
export function timeWords(zone: string): (ms: number) => string {
  return (ms) => {
    const { weekday, date, time } = spoken(ms, zone);
    return `${weekday}, ${date} at ${time} (${zone})`;
  };
}

function shownTwice(local: Temporal.ZonedDateTime): boolean {
  const [earlier, later] = (['earlier', 'later'] as const).map((disambiguation) =>
    local.toPlainDateTime().toZonedDateTime(local.timeZoneId, { disambiguation }),
  );
  return earlier?.epochMilliseconds !== later?.epochMilliseconds;
}

/** The calendar date at the clinic at an instant. */
export function dateAt(at: number, zone: string): Temporal.PlainDate {
  const offset = offsetOn(at, zone);
  if (offset !== null) return dateOf(Math.floor((at + offset) / DAY_MS));
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toPlainDate();
}

/** The instant (ms) of a clinic-local date and `HH:MM`. A skipped hour moves forward, a repeated one is the earlier. */
export function instantOf(date: Temporal.PlainDate, time: string, zone: string): number {
  const offset = steadyOffset(zone, dayOf(date));
  if (offset === null)
    return date.toZonedDateTime({ timeZone: zone, plainTime: Temporal.PlainTime.from(time) })
      .epochMilliseconds;
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return dayOf(date) * DAY_MS + (hours * 60 + minutes) * MINUTE_MS - offset;
}

/** When a day begins at the clinic, ms since the epoch. */
export const midnightOf = (date: Temporal.PlainDate, zone: string): number => {
  const offset = steadyOffset(zone, dayOf(date));
  return offset === null ? date.toZonedDateTime(zone).epochMilliseconds : dayOf(date) * DAY_MS - offset;
};

/** The hour of the clinic's clock at an instant, 0 to 23. */
export function hourAt(at: number, zone: string): number {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).hour;
}
