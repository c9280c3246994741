import { Temporal } from 'temporal-polyfill';

const DAY_MS = 86_400_000;
const NS_PER_MS = 1_000_000;
/** Days of zones that are remembered; a clinic looks at some hundred. */
const MAX_KEPT = 10_000;
/** `zone/day` → the offset, or null where it changes near that day. Rules of zones do not change while a process lives. */
const kept = new Map<string, number | null>();

/**
 * The offset of a zone, in ms to be added to UTC, when it is the same from the day before to the day after that day of UTC:
 * then local times there can be reckoned without crossing between zones. Null near a change of the clock.
 *
 * @param day days since the epoch, UTC.
 */
export function steadyOffset(zone: string, day: number): number | null {
  const key = `${zone}/${day}`;
  const known = kept.get(key);
  if (known !== undefined) return known;
  const offsets = new Set([-1, 0, 1, 2].map((ahead) => offsetAt((day + ahead) * DAY_MS, zone)));
  const [only = 0] = offsets;
  const steady = offsets.size === 1 ? only : null;
  if (kept.size >= MAX_KEPT) kept.clear();
  kept.set(key, steady);
  return steady;
}

/** Days since the epoch of a calendar date. */
export const dayOf = ({ year, month, day }: Temporal.PlainDate): number =>
  Date.UTC(year, month - 1, day) / DAY_MS;

/** The calendar date so many days after the epoch. */
export function dateOf(day: number): Temporal.PlainDate {
  const at = new Date(day * DAY_MS);
  return new Temporal.PlainDate(at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate());
}

const offsetAt = (at: number, zone: string): number =>
  Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).offsetNanoseconds / NS_PER_MS;
