import { randomId } from '../kernel/ids.ts';
import type { Appointment } from './appointment.ts';
import { ClinicError } from './errors.ts';
import { endHold, hold, holderOf, newHold, overlap } from './holds.ts';
import { checkAhead, checkOffered } from './offering.ts';
import { claimsOf } from './places.ts';
import { mayBook, mayChange, UNDO_MS } from './rules.ts';
import type { NamedSlot } from './slot-token.ts';
import {
  findPlace,
  readAppointment,
  readSlot,
  type VisitRequest,
  type VisitResult,
  type VisitWork,
  writeVisit,
} from './visit-work.ts';

/** A request to move a visit to another slot of its visit type. */
export interface MoveRequest extends VisitRequest {
  readonly appointmentId: string;
  readonly slotId: string;
  readonly slot: NamedSlot;
  readonly overbook?: boolean;
}

/** The transaction of a move. */
export async function moveIn(work: VisitWork<MoveRequest>): Promise<VisitResult> {
  const { chart, tx, request, tag } = work;
  const { slot, now, by, appointmentId, overbook = false } = request;
  const [reads, before] = await Promise.all([
    readSlot(work, slot, overbook),
    readAppointment(chart, appointmentId),
  ]);
  const { offering } = reads;
  if (reads.repeated !== null) return { outcome: 'repeated', alias: chart.alias, visit: reads.repeated };
  checkMovable(before, slot);
  if (!mayBook(offering.visitType, by) || !mayChange(before, offering.visitType, { by, now }))
    return { outcome: 'callClinic' };
  const found = await findPlace(work, slot, { ...reads, overbook, moving: before.booking });
  if (found?.held === true) checkAhead(slot, now);
  else checkOffered(offering, slot, now);
  if (found === null) return { outcome: 'taken' };
  const booking = randomId('bk');
  const appointment: Appointment = {
    ...before,
    practitioner: slot.practitioner,
    start: slot.start,
    end: slot.end,
    booking,
    place: { ...found.place, resources: [...found.place.resources] },
    changedAt: now,
  };
  const done = await writeVisit(work, appointmentId, { appointment, offering });
  for (const claim of claimsOf(before.place, before.booking)) tx.release(claim);
  for (const held of found.giveWay) endHold(tx, held);
  for (const claim of claimsOf(found.place, booking)) tx.claim(claim);
  if (!overlap(before.place, found.place) && before.start > now) {
    const kept = newHold();
    hold(tx, { booking: kept, holder: holderOf(tag, kept), place: before.place, expiresAt: now + UNDO_MS });
  }
  return { outcome: 'done', alias: done.alias, visit: done.visit };
}

function checkMovable(before: Appointment, slot: NamedSlot): void {
  if (before.status !== 'booked') {
    throw new ClinicError('APPOINTMENT_STATE', `That visit is ${before.status}, so it cannot be moved.`);
  }
  if (before.visitType !== slot.visitType) {
    throw new ClinicError(
      'SLOT_INVALID',
      'That slotId is for another visit type. Use one that was offered for this visit.',
    );
  }
}
