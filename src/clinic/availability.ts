import { RRuleTemporal } from 'rrule-temporal';
import { Temporal } from 'temporal-polyfill';
import type { TimeSpan } from '../kernel/store.ts';
import { dateAt, instantOf, midnightOf, parseDate } from './clinic-time.ts';
import { ClinicError } from './errors.ts';
import { dateOf, dayOf } from './zone-offsets.ts';

const DAY_MS = 86_400_000;

/** A recurring span of clinic-local time. A span whose end is not after its begin ends on the next day. */
export interface AvailabilityRule {
  /** RFC 5545 RRULE over dates, such as `FREQ=WEEKLY;BYDAY=MO,TU`: no times of day in it. */
  readonly rrule: string;
  /** The first date that the rule may name, and from which intervals count, `YYYY-MM-DD`. */
  readonly since: string;
  /** `HH:MM` */
  readonly from: string;
  readonly to: string;
}

/** Time that a schedule elsewhere published, as instants (`2026-12-01T14:00:00.000Z`). */
export interface PublishedHours {
  readonly status: 'free' | 'busy';
  readonly start: string;
  readonly end: string;
}

/** Leave, training, an illness: clinic-local `YYYY-MM-DDTHH:MM`, end excluded. */
export interface Absence {
  readonly from: string;
  readonly to: string;
}

/** For which dates, at which clinic, open spans are wanted. Dates are included. */
export interface AvailabilityQuestion {
  readonly from: Temporal.PlainDate;
  readonly to: Temporal.PlainDate;
  readonly zone: string;
  /** Days on which the clinic is closed, `YYYY-MM-DD`. */
  readonly holidays: readonly string[];
}

const MAX_RULES = 50;
/** Published spans of one person. */
export const MAX_PUBLISHED = 2_000;
const MAX_RRULE = 200;
const DATES_ONLY = /^FREQ=(?:DAILY|WEEKLY|MONTHLY|YEARLY)(?:;[A-Z]+=[A-Z0-9,+-]+)*$/;
const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d$/;
const LOCAL = /^\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d$/;

/** Whether an entry of somebody's availability was published elsewhere, and is no rule of their own. */
export const isPublished = (entry: unknown): entry is PublishedHours =>
  typeof entry === 'object' && entry !== null && 'status' in entry;

/** When somebody works, and when not. */
export interface WorkingTime {
  readonly availability: readonly (AvailabilityRule | PublishedHours)[];
  readonly absences: readonly Absence[];
}

/**
 * The spans in which someone works, in instants, by begin: their rules and published free time, less their absences and
 * published busy time, less the holidays. A span that began the evening before the first date is in it.
 */
export function openSpans(person: WorkingTime, question: AvailabilityQuestion): TimeSpan[] {
  const { zone, holidays } = question;
  const published = publishedIn(person, question);
  const rules = person.availability.flatMap((entry) => (isPublished(entry) ? [] : [entry]));
  const closed = new Set(holidays.map((holiday) => Date.parse(holiday) / DAY_MS));
  const recurring = rules.flatMap((rule) =>
    datesOf(rule, overnight(rule) ? dayBefore(question.from) : question.from, question.to)
      .filter((date) => !closed.has(dayOf(date)))
      .map((date) => spanOn(date, rule, zone))
      .filter(({ to }) => !overnight(rule) || to > midnightOf(question.from, zone)),
  );
  const absences = person.absences.length === 0 ? [] : person.absences.filter(near(question));
  const away = absences.map(({ from, to }) => ({
    from: localInstant(from, zone),
    to: localInstant(to, zone),
  }));
  const spans = [...recurring, ...published.free];
  const gone = [...away, ...published.busy];
  return spans.flatMap((span) => without(span, gone)).sort((a, b) => a.from - b.from);
}

const dayBefore = (date: Temporal.PlainDate): Temporal.PlainDate => date.subtract({ days: 1 });

/** Told by the dates alone, since a crossing between zones costs more than all the rest. */
function near({ from, to }: AvailabilityQuestion): (absence: Absence) => boolean {
  const [first, last] = [dayBefore(from).toString(), to.add({ days: 1 }).toString()];
  return (absence) => absence.to.slice(0, 10) >= first && absence.from.slice(0, 10) <= last;
}

/** What was published for these dates; free time that begins on a holiday is not open. */
function publishedIn({ availability }: WorkingTime, { from, to, zone, holidays }: AvailabilityQuestion) {
  const entries = availability.filter(isPublished);
  if (entries.length === 0) return { free: [], busy: [] };
  const begin = midnightOf(from, zone);
  const end = midnightOf(to.add({ days: 1 }), zone);
  const found = entries.flatMap(({ status, start, end: last }) => {
    const span = { from: Date.parse(start), to: Date.parse(last) };
    return span.to > begin && span.from < end ? [{ status, span }] : [];
  });
  const of = (wanted: PublishedHours['status']): TimeSpan[] =>
    found.flatMap(({ status, span }) => (status === wanted ? [span] : []));
  const open = (span: TimeSpan): boolean => !holidays.includes(dateAt(span.from, zone).toString());
  return { free: of('free').filter(open), busy: of('busy') };
}

/** @throws ClinicError `SCHEDULE_INVALID` naming the rule or absence that cannot be read. */
export function checkAvailability(rules: readonly AvailabilityRule[], absences: readonly Absence[]): void {
  if (rules.length > MAX_RULES || absences.length > MAX_RULES)
    throw invalid(`at most ${MAX_RULES} rules and ${MAX_RULES} absences for one person`);
  for (const [index, rule] of rules.entries()) {
    if (
      !DATES_ONLY.test(rule.rrule) ||
      rule.rrule.length > MAX_RRULE ||
      /BY(?:HOUR|MINUTE|SECOND)/.test(rule.rrule)
    )
      throw invalid(`rule ${index + 1} needs an RRULE of dates, such as FREQ=WEEKLY;BYDAY=MO`);
    if (!TIME.test(rule.from) || !TIME.test(rule.to)) throw invalid(`rule ${index + 1} needs times as HH:MM`);
    try {
      recurrence(rule, parseDate(rule.since));
    } catch {
      throw invalid(`rule ${index + 1} cannot be read`);
    }
  }
  for (const [index, { from, to }] of absences.entries()) {
    if (!LOCAL.test(from) || !LOCAL.test(to) || from >= to)
      throw invalid(`absence ${index + 1} runs forwards, as YYYY-MM-DDTHH:MM`);
  }
}

/** Recurrences are of dates, reckoned in UTC at midnight: a zone's clock changes cannot move them. */
function datesOf(
  rule: AvailabilityRule,
  from: Temporal.PlainDate,
  to: Temporal.PlainDate,
): Temporal.PlainDate[] {
  const since = Date.parse(rule.since) / DAY_MS;
  const [first, last] = [Math.max(dayOf(from), since), dayOf(to)];
  if (last < since) return [];
  const weekdays = rule.rrule === DAILY ? WEEKDAYS : WEEKLY.exec(rule.rrule)?.[1]?.split(',');
  if (weekdays !== undefined) return onWeekdays(weekdays, first, last);
  return recurrence(rule, dateOf(since))
    .between(midnight(from), midnight(to), true)
    .map((at) => Temporal.PlainDate.from(at.toString().slice(0, 10)));
}

/** The rules of nearly everybody. The library would count from its first date each time, which takes longer every month. */
const DAILY = 'FREQ=DAILY';
const WEEKLY = /^FREQ=WEEKLY;BYDAY=((?:MO|TU|WE|TH|FR|SA|SU)(?:,(?:MO|TU|WE|TH|FR|SA|SU))*)$/;
const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];

function onWeekdays(names: readonly string[], first: number, last: number): Temporal.PlainDate[] {
  const dates: Temporal.PlainDate[] = [];
  // The first day since the epoch was a Thursday.
  for (let day = first; day <= last; day += 1)
    if (names.includes(WEEKDAYS[(day + 3) % 7] ?? '')) dates.push(dateOf(day));
  return dates;
}

const recurrence = (rule: AvailabilityRule, since: Temporal.PlainDate): RRuleTemporal =>
  new RRuleTemporal({
    rruleString: `DTSTART:${since.toString().replaceAll('-', '')}T000000Z\nRRULE:${rule.rrule}`,
  });

const midnight = (date: Temporal.PlainDate): Date => new Date(`${date.toString()}T00:00:00Z`);

const overnight = ({ from, to }: AvailabilityRule): boolean => to <= from;

function spanOn(date: Temporal.PlainDate, rule: AvailabilityRule, zone: string): TimeSpan {
  const last = overnight(rule) ? date.add({ days: 1 }) : date;
  return { from: instantOf(date, rule.from, zone), to: instantOf(last, rule.to, zone) };
}

function localInstant(text: string, zone: string): number {
  return Temporal.PlainDateTime.from(text).toZonedDateTime(zone).epochMilliseconds;
}

function without(span: TimeSpan, away: readonly TimeSpan[]): TimeSpan[] {
  let left = [span];
  for (const gone of away) {
    left = left.flatMap((part) =>
      gone.to <= part.from || gone.from >= part.to
        ? [part]
        : [
            { from: part.from, to: Math.max(part.from, gone.from) },
            { from: Math.min(part.to, gone.to), to: part.to },
          ].filter(({ from, to }) => from < to),
    );
  }
  return left;
}

const invalid = (what: string): ClinicError =>
  new ClinicError('SCHEDULE_INVALID', `The schedule was not changed: ${what}.`);
