import type { AuditDraft } from '../audit/append.ts';
import type { ChartChange, OpenChart } from '../crypto/open-chart.ts';
import type { PatientRef } from '../crypto/patient-keys.ts';
import type { PatientAlias, UserId } from '../kernel/ids.ts';
import type { Reader, TimeClaim, Transaction } from '../kernel/store.ts';
import {
  APPOINTMENT_SCHEMA,
  type Appointment,
  appointmentName,
  parseAppointment,
  type Visit,
  visit,
  visitOf,
} from './appointment.ts';
import type { Booker } from './clinic.ts';
import { type HolderTag, overlapping, settleHolds, type Vacant } from './holds.ts';
import { earlierAnswer, keepAnswer, type RequestMark } from './idempotency.ts';
import { type Offering, rereadOffering, resourcesOf } from './offering.ts';
import { type Place, placeFor, resourcesFor, spanFor } from './places.ts';
import type { NamedSlot } from './slot-token.ts';
import { byResource } from './slots.ts';

/** What booking, moving, cancelling and every other change of a visit share: who asks, and the transaction they run in. */

/** An authorised request about one patient's visits. */
export interface VisitRequest {
  readonly of: PatientRef;
  readonly user: UserId;
  readonly client: string;
  readonly by: Booker;
  readonly now: number;
  /** Called inside the transaction to put the audit event beside what it tells of. */
  readonly audit: { draft: AuditDraft; write: (tx: Transaction, changed: ChangedVisit) => void };
}

/** What a committed change wrote. */
export interface ChangedVisit {
  readonly alias: PatientAlias;
  readonly visit: Visit;
  readonly written: ChartChange;
}

/** `repeated`: the same request was answered before, nothing was written. `taken`, `callClinic`: nothing was done. */
export type VisitResult =
  | { readonly outcome: 'done' | 'repeated'; readonly alias: PatientAlias; readonly visit: Visit }
  | { readonly outcome: 'taken' }
  | { readonly outcome: 'callClinic' };

/** One run of a request's transaction. */
export interface VisitWork<R extends VisitRequest = VisitRequest> {
  readonly request: R;
  readonly chart: OpenChart;
  readonly tx: Transaction;
  readonly mark: RequestMark;
  readonly tag: HolderTag;
  /** As it was before the transaction. */
  readonly planned: Offering;
}

/** What is known of a request before its transaction. */
export type KnownRequest = Pick<VisitWork, 'planned' | 'mark' | 'tag'>;

/** What a slot's transaction reads, all at once. */
export interface SlotReads {
  /** The visit that this very request was answered with before. */
  readonly repeated: Visit | null;
  readonly offering: Offering;
  readonly claims: readonly TimeClaim[];
}

export async function readSlot(work: VisitWork, slot: NamedSlot, overbook: boolean): Promise<SlotReads> {
  const { tx, planned, mark, chart } = work;
  const span = spanFor(slot, planned.visitType);
  const expected = resourcesOf(planned, overbook);
  const [[earlier], offering, claims] = await Promise.all([
    tx.get(mark.at),
    rereadOffering(tx, planned, slot),
    expected.length === 0 ? [] : tx.busy(expected, span),
  ]);
  const repeated = await visitIn(chart, mark, earlier);
  const actual = resourcesOf(offering, overbook);
  const now = spanFor(slot, offering.visitType);
  const same = actual.join() === expected.join() && now.from === span.from && now.to === span.to;
  return { repeated, offering, claims: same || actual.length === 0 ? claims : await tx.busy(actual, now) };
}

/**
 * Whether a slot is gone and this request was never answered, as a look without a transaction sees it. For those who
 * waited while others booked the same time: most would only learn in a transaction of their own that they lost.
 */
export async function looksTaken(
  reader: Reader,
  slot: NamedSlot,
  known: KnownRequest & { readonly now: number; readonly overbook?: boolean },
): Promise<boolean> {
  const { practitioner, visitType } = known.planned;
  if (practitioner === undefined) return false;
  const needs = { visitType, practitioner, overbook: known.overbook ?? false };
  const [[earlier], claims] = await Promise.all([
    reader.get(known.mark.at),
    reader.busy(resourcesFor(needs), spanFor(slot, visitType)),
  ]);
  if (earlier !== null) return false;
  const { blocking } = await settleHolds(reader, claims, known);
  return placeFor(slot, needs, byResource(blocking)) === null;
}

/** The visit that this very request was answered with before, or null. */
export async function earlierVisit({ tx, mark, chart }: VisitWork): Promise<Visit | null> {
  const [row] = await tx.get(mark.at);
  return visitIn(chart, mark, row);
}

async function visitIn(
  chart: OpenChart,
  mark: RequestMark,
  row: Parameters<typeof earlierAnswer>[2],
): Promise<Visit | null> {
  const answer = await earlierAnswer(chart, mark, row);
  return answer === null ? null : visit.parse(JSON.parse(answer.toString('utf8')));
}

/** A free place for a slot, and the holds that give way to it. */
export interface FoundPlace {
  readonly place: Place;
  readonly giveWay: readonly Vacant[];
  /** True when the time was held for this patient. */
  readonly held: boolean;
}

/** Null when the time is taken. `moving` is the booking whose own time counts as free. */
export async function findPlace(
  work: VisitWork,
  slot: NamedSlot,
  found: { offering: Offering; claims: readonly TimeClaim[]; overbook: boolean; moving?: string },
): Promise<FoundPlace | null> {
  const { practitioner, visitType } = found.offering;
  if (practitioner === undefined) return null;
  const others = found.claims.filter(({ booking }) => booking !== found.moving);
  const { blocking, vacant } = await settleHolds(work.tx, others, { tag: work.tag, now: work.request.now });
  const needs = { visitType, practitioner, overbook: found.overbook };
  const held = vacant.filter(({ own }) => own).map(({ place }) => place);
  const kept = held.find((place) => sameSpan(place, spanFor(slot, visitType)));
  const place = kept ?? placeFor(slot, needs, byResource(blocking));
  if (place === null) return null;
  return { place, giveWay: overlapping(vacant, place), held: kept !== undefined };
}

const sameSpan = (a: { from: number; to: number }, b: { from: number; to: number }): boolean =>
  a.from === b.from && a.to === b.to;

/** @throws ClinicError `APPOINTMENT_UNKNOWN`. */
export async function readAppointment(chart: OpenChart, id: string): Promise<Appointment> {
  const [plaintext] = await chart.read([appointmentName(id)]);
  return parseAppointment(plaintext ?? null);
}

/** Seals the appointment, keeps the answer for a retry, and puts the audit event beside them. */
export async function writeVisit(
  work: VisitWork,
  id: string,
  changed: { appointment: Appointment; offering: Offering },
): Promise<ChangedVisit> {
  const { chart, tx, mark, request } = work;
  const shown = visitOf(id, changed.appointment, changed.offering);
  await chart.seal(appointmentName(id), Buffer.from(JSON.stringify(changed.appointment)), APPOINTMENT_SCHEMA);
  const written = await chart.save(tx);
  await keepAnswer(tx, chart, { mark, answer: Buffer.from(JSON.stringify(shown)), now: request.now });
  const done = { alias: chart.alias, visit: shown, written };
  request.audit.write(tx, done);
  return done;
}
