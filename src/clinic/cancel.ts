import type { Appointment } from './appointment.ts';
import { ClinicError } from './errors.ts';
import { hold, holderOf, newHold } from './holds.ts';
import { claimsOf } from './places.ts';
import { mayChange, UNDO_MS } from './rules.ts';
import {
  earlierVisit,
  readAppointment,
  type VisitRequest,
  type VisitResult,
  type VisitWork,
  writeVisit,
} from './visit-work.ts';

/** A request to cancel a visit whose preview was confirmed. */
export interface CancelRequest extends VisitRequest {
  readonly appointmentId: string;
  /** The confirm token of the preview; it is the idempotency key. */
  readonly confirm: string;
  /** As the preview saw it. */
  readonly appointment: Appointment;
  readonly reason: string | null;
}

/** The transaction of a cancellation. */
export async function cancelIn(work: VisitWork<CancelRequest>): Promise<VisitResult> {
  const { chart, tx, request, tag, planned } = work;
  const { appointmentId, now, by, reason } = request;
  const [repeated, before] = await Promise.all([earlierVisit(work), readAppointment(chart, appointmentId)]);
  if (repeated !== null) return { outcome: 'repeated', alias: chart.alias, visit: repeated };
  checkCancellable(before);
  if (!mayChange(before, planned.visitType, { by, now })) return { outcome: 'callClinic' };
  const appointment: Appointment = {
    ...before,
    status: 'cancelled',
    changedAt: now,
    ...(reason === null ? {} : { cancelledFor: reason }),
  };
  const done = await writeVisit(work, appointmentId, { appointment, offering: planned });
  for (const claim of claimsOf(before.place, before.booking)) tx.release(claim);
  if (before.start > now) {
    const kept = newHold();
    hold(tx, { booking: kept, holder: holderOf(tag, kept), place: before.place, expiresAt: now + UNDO_MS });
  }
  return { outcome: 'done', alias: done.alias, visit: done.visit };
}

/** @throws ClinicError `APPOINTMENT_STATE` unless the visit is booked. */
export function checkCancellable(before: Appointment): void {
  if (before.status === 'booked') return;
  throw new ClinicError('APPOINTMENT_STATE', `That visit is ${before.status}, so it cannot be cancelled.`);
}
