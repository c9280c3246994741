import { z } from 'zod';
import type { KnownVisit } from '../../clinic/visits.ts';
import { chartOf, defineTool, type ToolCall, type ToolResult } from '../tool.ts';
import {
  appointmentArgument,
  dateArgument,
  partOfDayArgument,
  patientArgument,
  slotArgument,
} from './arguments.ts';
import { choiceOutput, offerChoices, offerOthers } from './choices.ts';
import { UNDO_WORDS, undoFor } from './undo.ts';
import { callClinic, changedAnswer, visitRequest } from './visit-change.ts';
import { type VisitCards, visitCards, visitWidget } from './visit-widget.ts';

const output = z.object({
  outcome: z.enum(['rescheduled', 'choose', 'full', 'callClinic']),
  ...choiceOutput,
  undoSlotId: z.string().optional(),
});
type Output = z.infer<typeof output>;

/** Moves a visit: takes the new time and frees the old one together. */
export const rescheduleAppointment = defineTool({
  name: 'rescheduleAppointment',
  title: 'Move a visit',
  description:
    'Moves a booked visit to the slotId that the person chose: the new time is taken and the old one freed in one ' +
    'step. Without slotId it changes nothing and answers with choices from a date on (the visit’s own day when left ' +
    `out). ${UNDO_WORDS}`,
  input: z.object({
    appointmentId: appointmentArgument,
    slotId: slotArgument.describe('From choices or findOpenSlots, same visit type'),
    date: dateArgument('Only without slotId: first date'),
    partOfDay: partOfDayArgument,
    patient: patientArgument,
  }),
  output,
  widget: visitWidget,
  asksFor: 'slotId',
  shownBy: 'slot-picker',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  audit: { action: 'U', resource: 'Appointment' },
  onError: 'Not moved. Nothing was changed.',
  requirement: { actions: ['see-schedule', 'book'] },
  run: async (input, call): Promise<ToolResult<Output>> => {
    const { alias, known, clinic } = await call.services.visits.one(chartOf(call), input.appointmentId);
    const cards = await visitCards(call, clinic);
    if (input.slotId !== undefined) return move(call, known, { slotId: input.slotId, cards });
    const wish = { ...input, visitType: known.visitType.id, fromInstant: known.appointment.start };
    return {
      ...(await offerChoices(call, wish, { before: 'Nothing is moved yet.', cards })),
      patient: alias,
    };
  },
});

async function move(
  call: ToolCall,
  known: KnownVisit,
  { slotId, cards }: { slotId: string; cards: VisitCards },
): Promise<ToolResult<Output>> {
  const { principal, services, now } = call;
  const slot = await services.slotTokens.read(slotId, { ...chartOf(call), user: principal.user }, now);
  const request = visitRequest(call, { outcome: 'rescheduled', cards });
  const moved = await services.bookings.move({ ...request, slot, slotId, appointmentId: known.id });
  if (moved.outcome === 'taken')
    return offerOthers(call, slot, { before: 'Not moved; the visit stays as it was.', cards });
  if (moved.outcome === 'callClinic')
    return callClinic(call, 'Not moved; the visit stays as it was. It is too soon to move it here');
  const { weekday, date, time, zone, title } = moved.visit;
  const text = `Moved: ${title} is now on ${weekday}, ${date} at ${time} (${zone}).`;
  const answer = changedAnswer(moved, { outcome: 'rescheduled', text, cards, now });
  return { ...answer, output: { ...answer.output, ...(await undoFor(call, known.appointment)) } };
}
