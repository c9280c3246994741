import { z } from 'zod';
import { visit } from '../../clinic/appointment.ts';
import type { ChangedVisit } from '../../clinic/visit-work.ts';
import type { KnownVisit } from '../../clinic/visits.ts';
import { bookerOf, chartOf, defineTool, type ToolCall, type ToolResult } from '../tool.ts';
import {
  appointmentArgument,
  choicesFor,
  clinicNumber,
  dateArgument,
  opening,
  partOfDayArgument,
  patientArgument,
  wordsFor,
} from './choices.ts';
import { UNDO_WORDS, undoFor } from './undo.ts';
import { type VisitCards, visitCards, visitWidget } from './visit-widget.ts';

const output = z.object({
  outcome: z.enum(['rescheduled', 'choose', 'full', 'callClinic']),
  appointment: visit.optional(),
  undoSlotId: z.string().optional(),
  choices: z.array(opening).optional(),
  zone: z.string().optional(),
  phone: z.string().optional(),
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
    slotId: z.string().min(1).max(256).optional().describe('From choices or findOpenSlots, same visit type'),
    date: dateArgument('Only without slotId: first date'),
    partOfDay: partOfDayArgument,
    patient: patientArgument,
  }),
  output,
  widget: visitWidget,
  shownBy: 'slot-picker',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  audit: { action: 'U', resource: 'Appointment' },
  onError: 'Not moved. Nothing was changed.',
  requirement: { actions: ['see-schedule', 'book'] },
  run: async (input, call): Promise<ToolResult<Output>> => {
    const { alias, known, clinic } = await call.services.visits.one(chartOf(call), input.appointmentId);
    const cards = await visitCards(call, clinic);
    if (input.slotId !== undefined) return move(call, known, { slotId: input.slotId, cards });
    const { visitType, appointment } = known;
    const found = await choicesFor(call, {
      ...input,
      visitType: visitType.id,
      fromInstant: appointment.start,
    });
    return { output: found, text: wordsFor(found, 'Nothing is moved yet.'), patient: alias, ...cards() };
  },
});

async function move(
  call: ToolCall,
  known: KnownVisit,
  { slotId, cards }: { slotId: string; cards: VisitCards },
): Promise<ToolResult<Output>> {
  const of = chartOf(call);
  const { principal, services, now, audit } = call;
  const slot = await services.slotTokens.read(slotId, { ...of, user: principal.user }, now);
  const moved = await services.bookings.move({
    ...{ of, now, slot, slotId, by: bookerOf(call), user: principal.user, client: principal.client },
    appointmentId: known.id,
    audit: { draft: audit.draft, write: (tx, made) => audit.draft.write(tx, entryOf(call, made, cards)) },
  });
  if (moved.outcome === 'taken') {
    const found = await choicesFor(call, { visitType: slot.visitType, fromInstant: slot.start });
    const text = wordsFor(found, 'That time has just been taken. Not moved; the visit stays as it was.');
    return { output: found, text, refused: 'TIME_TAKEN', ...cards() };
  }
  if (moved.outcome === 'callClinic') {
    const phone = await clinicNumber(call);
    return {
      output: { outcome: 'callClinic', phone },
      text: `Not moved; the visit stays as it was. It is too soon to move it here: call the clinic at ${phone}.`,
      refused: 'CALL_CLINIC',
    };
  }
  const { weekday, date, time, zone, title } = moved.visit;
  return {
    output: { outcome: 'rescheduled', appointment: moved.visit, ...(await undoFor(call, known.appointment)) },
    text: `Moved: ${title} is now on ${weekday}, ${date} at ${time} (${zone}).`,
    ...cards([{ visit: moved.visit, changedAt: now }]),
    patient: moved.alias,
    resourceId: known.id,
    committed: moved.outcome === 'done',
  };
}

function entryOf(call: ToolCall, { alias, visit: appointment, written }: ChangedVisit, cards: VisitCards) {
  const released: Output = { outcome: 'rescheduled', appointment };
  const { widget } = cards([{ visit: appointment, changedAt: call.now }]);
  return call.audit.entry({
    ...{ patient: alias, written, id: appointment.appointmentId },
    ...{ output: released, widget },
  });
}
