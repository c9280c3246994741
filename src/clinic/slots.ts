import type { Temporal } from 'temporal-polyfill';
import { CELL_MS, type TimeClaim } from '../kernel/store.ts';
import type { Practitioner, VisitType } from './clinic.ts';
import { instantOf } from './clinic-time.ts';

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
  /** Clinic-local dates, both included. */
  readonly from: Temporal.PlainDate;
  readonly to: Temporal.PlainDate;
  readonly now: number;
}

/** Every slot that the clinic's hours and the visit type's lead time allow, whether taken or not, by start. */
export function offeredSlots(question: SlotQuestion): OpenSlot[] {
  const slots: OpenSlot[] = [];
  for (let date = question.from; compare(date, question.to) <= 0; date = date.add({ days: 1 })) {
    for (const practitioner of question.practitioners) slots.push(...slotsOn(date, practitioner, question));
  }
  return slots.sort((a, b) => a.start - b.start || (a.practitioner < b.practitioner ? -1 : 1));
}

/** The offered slots that no claim overlaps. */
export function openSlots(question: SlotQuestion, claims: readonly TimeClaim[]): OpenSlot[] {
  const taken = new Map<string, TimeClaim[]>();
  for (const claim of claims) taken.set(claim.resource, [...(taken.get(claim.resource) ?? []), claim]);
  return offeredSlots(question).filter(
    (slot) =>
      !(taken.get(slot.practitioner) ?? []).some((claim) => claim.from < slot.end && claim.to > slot.start),
  );
}

function slotsOn(date: Temporal.PlainDate, practitioner: Practitioner, question: SlotQuestion): OpenSlot[] {
  const length = question.visitType.minutes * 60_000;
  const earliest = question.now + question.visitType.leadMinutes * 60_000;
  const slots: OpenSlot[] = [];
  for (const hours of practitioner.hours) {
    if (hours.weekday !== date.dayOfWeek) continue;
    const closes = instantOf(date, hours.to, question.zone);
    const opens = Math.ceil(instantOf(date, hours.from, question.zone) / CELL_MS) * CELL_MS;
    for (let start = opens; start + length <= closes; start += length) {
      if (start >= earliest) slots.push({ practitioner: practitioner.id, start, end: start + length });
    }
  }
  return slots;
}

const compare = (a: Temporal.PlainDate, b: Temporal.PlainDate): number =>
  a.toString() < b.toString() ? -1 : a.toString() > b.toString() ? 1 : 0;
