import type { Appointment, AppointmentStatus } from './appointment.ts';
import { ClinicError } from './errors.ts';
import { claimsOf } from './places.ts';
import { FREES_TIME, NEXT_STATUSES } from './rules.ts';
import {
  earlierVisit,
  readAppointment,
  type VisitRequest,
  type VisitResult,
  type VisitWork,
  writeVisit,
} from './visit-work.ts';

/** A request of staff to say how a visit went on: arrived, checked in, fulfilled, missed. */
export interface StatusRequest extends VisitRequest {
  readonly appointmentId: string;
  /** As the caller saw it. */
  readonly appointment: Appointment;
  readonly status: AppointmentStatus;
}

/** The transaction of a change of status. */
export async function setStatusIn(work: VisitWork<StatusRequest>): Promise<VisitResult> {
  const { chart, tx, request, planned } = work;
  const { appointmentId, now, status } = request;
  const [repeated, before] = await Promise.all([earlierVisit(work), readAppointment(chart, appointmentId)]);
  if (repeated !== null) return { outcome: 'repeated', alias: chart.alias, visit: repeated };
  if (!NEXT_STATUSES[before.status].includes(status)) {
    const next = NEXT_STATUSES[before.status].join(', ') || 'nothing';
    throw new ClinicError('APPOINTMENT_STATE', `A visit that is ${before.status} can become: ${next}.`);
  }
  const appointment: Appointment = { ...before, status, changedAt: now };
  const done = await writeVisit(work, appointmentId, { appointment, offering: planned });
  const frees = FREES_TIME.includes(status) && !FREES_TIME.includes(before.status);
  if (frees) for (const claim of claimsOf(before.place, before.booking)) tx.release(claim);
  return { outcome: 'done', alias: done.alias, visit: done.visit };
}
