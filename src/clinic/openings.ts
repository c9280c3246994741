import { MAX_RESOURCES, type Reader, type Store, type TimeClaim, type TimeSpan } from '../kernel/store.ts';
import { findClinic, findOffer, findPractitioners, type Practitioner, type VisitType } from './clinic.ts';
import { dateAt, hourAt, midnightOf, parseDate, type SpokenTime, spoken } from './clinic-time.ts';
import { ClinicError } from './errors.ts';
import { settleHolds } from './holds.ts';
import { resourcesFor } from './places.ts';
import type { SlotHolder, SlotTokens } from './slot-token.ts';
import { type OpenSlot, openSlots } from './slots.ts';

/** Which openings are wanted. Dates are clinic-local `YYYY-MM-DD`, both included. */
export interface OpeningsQuestion {
  readonly visitType: string;
  /** First date; the day of `fromInstant` (ms) or else today when left out. */
  readonly from?: string | undefined;
  readonly fromInstant?: number | undefined;
  /** Last date; `days` (1 by default) counted from the first when left out. */
  readonly to?: string | undefined;
  readonly days?: number | undefined;
  readonly partOfDay?: 'morning' | 'afternoon' | undefined;
  readonly limit: number;
}

/** An opening as it is shown: a token to book it with, and its time at the clinic. */
export interface Opening extends SpokenTime {
  readonly slotId: string;
  readonly practitioner: string;
}

/** What {@link findOpenings} found. */
export interface Openings {
  readonly visitType: VisitType;
  readonly zone: string;
  readonly openings: readonly Opening[];
  /** How many more there are than were returned. */
  readonly more: number;
}

const MAX_DAYS = 31;
const MAX_AHEAD_DAYS = 366;
const NOON = 12;

/**
 * The open times for a visit type, earliest first, each with a slotId of this holder.
 *
 * @throws ClinicError `DATE_INVALID`, `VISIT_TYPE_UNKNOWN`, `CLINIC_MISSING`.
 */
export async function findOpenings(
  question: OpeningsQuestion,
  at: { store: Store; tokens: SlotTokens; holder: SlotHolder; now: number },
): Promise<Openings> {
  const tenant = at.store.tenant(at.holder.tenant);
  const [clinic, { visitType, holidays }] = await Promise.all([
    findClinic(at.store, at.holder.tenant),
    findOffer(tenant, question.visitType),
  ]);
  const span = spanOf(question, { now: at.now, zone: clinic.zone });
  const practitioners = await findPractitioners(tenant, visitType.practitioners);
  const within = { visitType, practitioners, holidays, zone: clinic.zone, ...span, now: at.now };
  const claims = await claimsOn(tenant, { visitType, practitioners }, busySpan(span, clinic.zone));
  const { blocking } = await settleHolds(tenant, claims, { tag: null, now: at.now });
  const wanted = openSlots(within, blocking).filter((slot) =>
    inPartOfDay(slot, question.partOfDay, clinic.zone),
  );
  const names = new Map(practitioners.map(({ id, name }) => [id, name]));
  const openings = await Promise.all(
    fewOf(wanted, question.limit).map(async (slot) => ({
      slotId: await at.tokens.issue({ ...slot, visitType: visitType.id }, at.holder, at.now),
      practitioner: names.get(slot.practitioner) ?? '',
      ...spoken(slot.start, clinic.zone),
    })),
  );
  return { visitType, zone: clinic.zone, openings, more: wanted.length - openings.length };
}

function spanOf(question: OpeningsQuestion, { now, zone }: { now: number; zone: string }) {
  const today = dateAt(now, zone);
  const from =
    question.from === undefined ? dateAt(question.fromInstant ?? now, zone) : parseDate(question.from);
  const to =
    question.to === undefined ? from.add({ days: (question.days ?? 1) - 1 }) : parseDate(question.to);
  const days = from.until(to, { largestUnit: 'days' }).days;
  if (days < 0 || days >= MAX_DAYS) {
    throw new ClinicError(
      'DATE_INVALID',
      `"to" must be on or after "from", and at most ${MAX_DAYS} days in all.`,
    );
  }
  const ahead = today.until(to, { largestUnit: 'days' }).days;
  if (ahead < 0)
    throw new ClinicError(
      'DATE_INVALID',
      `That date has passed. Today at the clinic is ${today.toString()}.`,
    );
  if (ahead > MAX_AHEAD_DAYS) throw new ClinicError('DATE_INVALID', 'The clinic books at most a year ahead.');
  return { from, to };
}

/** The claims on everyone and every room that could serve the visit, asked for in as few reads as the store allows. */
async function claimsOn(
  reader: Reader,
  { visitType, practitioners }: { visitType: VisitType; practitioners: readonly Practitioner[] },
  within: TimeSpan,
): Promise<TimeClaim[]> {
  const all = practitioners.flatMap((practitioner) => resourcesFor({ visitType, practitioner }));
  const distinct = [...new Set(all)];
  const reads: Promise<TimeClaim[]>[] = [];
  for (let at = 0; at < distinct.length; at += MAX_RESOURCES)
    reads.push(reader.busy(distinct.slice(at, at + MAX_RESOURCES), within));
  return (await Promise.all(reads)).flat();
}

function busySpan(span: ReturnType<typeof spanOf>, zone: string) {
  const from = midnightOf(span.from, zone);
  const to = midnightOf(span.to.add({ days: 1 }), zone);
  return { from, to };
}

/** Where not all can be shown, different times come before the same time with somebody else. In the order of `all`. */
function fewOf(all: readonly OpenSlot[], limit: number): OpenSlot[] {
  const first = (slot: OpenSlot, index: number): boolean => all[index - 1]?.start !== slot.start;
  const times = all.filter(first).slice(0, limit);
  const others = all.filter((slot, index) => !first(slot, index)).slice(0, limit - times.length);
  const kept = new Set([...times, ...others]);
  return all.filter((slot) => kept.has(slot));
}

function inPartOfDay(slot: OpenSlot, part: OpeningsQuestion['partOfDay'], zone: string): boolean {
  if (part === undefined) return true;
  return hourAt(slot.start, zone) < NOON === (part === 'morning');
}
