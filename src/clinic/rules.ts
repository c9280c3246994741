import type { Appointment, AppointmentStatus } from './appointment.ts';
import type { Booker, VisitType } from './clinic.ts';

/** The clinic's rules about who may do what alone. No I/O; whoever asks brings the time. */

const MINUTE_MS = 60_000;

/** For how long what was just done can be undone, in ms. */
export const UNDO_MS = 60_000;

/** Whether `by` may book the visit type; otherwise the answer is to call the clinic. */
export const mayBook = (visitType: VisitType, by: Booker): boolean => visitType.bookableBy.includes(by);

/** A patient moves or cancels a visit alone until the clinic's notice, or within a minute of the last change. */
export function mayChange(
  booked: Appointment,
  visitType: VisitType,
  at: { by: Booker; now: number },
): boolean {
  if (at.by === 'staff') return true;
  if (at.now - booked.changedAt <= UNDO_MS) return true;
  return booked.start - at.now >= visitType.noticeMinutes * MINUTE_MS;
}

/** What may follow each status (FHIR R4 AppointmentStatus). Moving and cancelling start from `booked`. */
export const NEXT_STATUSES: Readonly<Record<AppointmentStatus, readonly AppointmentStatus[]>> = {
  booked: ['arrived', 'checked-in', 'noshow', 'cancelled', 'entered-in-error'],
  arrived: ['checked-in', 'fulfilled', 'noshow', 'entered-in-error'],
  'checked-in': ['fulfilled', 'arrived', 'entered-in-error'],
  noshow: ['booked', 'entered-in-error'],
  fulfilled: ['entered-in-error'],
  cancelled: ['entered-in-error'],
  'entered-in-error': [],
};

/** Statuses under which the visit no longer takes its time. */
export const FREES_TIME: readonly AppointmentStatus[] = ['cancelled', 'entered-in-error'];
