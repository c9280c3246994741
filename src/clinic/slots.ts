import type { Temporal } from 'temporal-polyfill';
import { CELL_MS, type TimeClaim, type TimeSpan } from '../kernel/store.ts';
import { openSpans } from './availability.ts';
import type { Practitioner, VisitType } from './clinic.ts';
import { midnightOf } from './clinic-time.ts';
import { placeFor } from './places.ts';

/** A time that can be booked. Milliseconds since the epoch, `[start, end)`. */
export interface OpenSlot {
  readonly practitioner: string;
  readonly start: number;
  readonly end: number;
}

/** What slots are computed from. They are never stored. */
export interface SlotQuestion {
  readonly visitType: VisitType;
  readonly practitioners: readonly Practitioner[];
  readonly zone: string;
  readonly holidays: readonly string[];
  /** Clinic-local dates on which a slot may start, both included. */
  readonly from: Temporal.PlainDate;
  readonly to: Temporal.PlainDate;
  readonly now: number;
}

const MINUTE_MS = 60_000;

/** Every slot that the schedules and the visit type's lead time allow, whether taken or not, by start. */
export function offeredSlots(question: SlotQuestion): OpenSlot[] {
  const slots = question.practitioners.flatMap((practitioner) => slotsOf(practitioner, question));
  return slots.sort((a, b) => a.start - b.start || (a.practitioner < b.practitioner ? -1 : 1));
}

/** The offered slots for which the practitioner has a place left, and one of the rooms if the visit needs one. */
export function openSlots(question: SlotQuestion, claims: readonly TimeClaim[]): OpenSlot[] {
  const { visitType } = question;
  const people = new Map(question.practitioners.map((practitioner) => [practitioner.id, practitioner]));
  const taken = byResource(claims);
  return offeredSlots(question).filter((slot) => {
    const practitioner = people.get(slot.practitioner);
    return practitioner !== undefined && placeFor(slot, { visitType, practitioner }, taken) !== null;
  });
}

/** Claims by the resource that they take. */
export function byResource(claims: readonly TimeClaim[]): Map<string, TimeClaim[]> {
  const taken = new Map<string, TimeClaim[]>();
  for (const claim of claims) {
    const known = taken.get(claim.resource);
    if (known === undefined) taken.set(claim.resource, [claim]);
    else known.push(claim);
  }
  return taken;
}

/** Slots follow each other on a grid from the begin of each open span; buffers stay inside the span. */
function slotsOf(practitioner: Practitioner, question: SlotQuestion): OpenSlot[] {
  const { visitType, zone, now } = question;
  const first = midnightOf(question.from, zone);
  const last = midnightOf(question.to.add({ days: 1 }), zone);
  const earliest = Math.max(first, now + visitType.leadMinutes * MINUTE_MS);
  const spans: readonly TimeSpan[] = openSpans(practitioner, question);
  const length = visitType.minutes * MINUTE_MS;
  const [before, after] = [visitType.bufferBefore * MINUTE_MS, visitType.bufferAfter * MINUTE_MS];
  return spans.flatMap(({ from, to }) => {
    const slots: OpenSlot[] = [];
    const opens = Math.ceil(from / CELL_MS) * CELL_MS + before;
    for (let start = opens; start + length + after <= to && start < last; start += before + length + after) {
      if (start >= earliest) slots.push({ practitioner: practitioner.id, start, end: start + length });
    }
    return slots;
  });
}
