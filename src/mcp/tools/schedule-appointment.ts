import { z } from 'zod';
import { McpError } from '../errors.ts';
import { chartOf, defineTool, type ToolCall, type ToolResult } from '../tool.ts';
import {
  dateArgument,
  partOfDayArgument,
  patientArgument,
  reasonArgument,
  slotArgument,
  visitTypeArgument,
} from './arguments.ts';
import { choiceOutput, offerChoices, offerOthers } from './choices.ts';
import { callClinic, changedAnswer, visitRequest } from './visit-change.ts';
import { visitCards, visitWidget } from './visit-widget.ts';

const output = z.object({
  outcome: z.enum(['booked', 'choose', 'full', 'callClinic']),
  ...choiceOutput,
});
type Output = z.infer<typeof output>;

/** Books one slot; without a slotId it offers choices and books nothing. */
export const scheduleAppointment = defineTool({
  name: 'scheduleAppointment',
  title: 'Book a visit',
  description:
    'Books the visit of a slotId that the person chose. Without slotId it books nothing and answers with choices ' +
    'for visitType from a date on. If the time was taken meanwhile it books nothing and offers others. ' +
    'Calling it again with the same slotId never books twice.',
  input: z.object({
    slotId: slotArgument.describe('From findOpenSlots or from choices'),
    visitType: visitTypeArgument.optional().describe('Only without slotId: an id from listVisitTypes'),
    date: dateArgument('Only without slotId: first date'),
    partOfDay: partOfDayArgument,
    reason: reasonArgument,
    overbook: z.boolean().optional().describe('Staff only, when asked for in so many words'),
    patient: patientArgument,
  }),
  output,
  widget: visitWidget,
  asksFor: 'slotId',
  shownBy: 'slot-picker',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  audit: { action: 'C', resource: 'Appointment' },
  onError: 'Not booked. Nothing was changed.',
  requirement: { actions: ['see-schedule'] },
  requirementFor: ({ slotId }) => ({
    actions: slotId === undefined ? ['see-schedule'] : ['see-schedule', 'book'],
  }),
  run: async (input, call): Promise<ToolResult<Output>> => {
    const { slotId, visitType } = input;
    if (slotId !== undefined) return book(call, { ...input, slotId });
    if (visitType === undefined)
      throw new McpError('INPUT', 'Give a slotId to book, or a visitType to see choices.');
    const said = { before: 'Nothing is booked yet.', cards: await visitCards(call) };
    return offerChoices(call, { ...input, visitType }, said);
  },
});

async function book(
  call: ToolCall,
  input: { slotId: string; reason?: string | undefined; overbook?: boolean | undefined },
): Promise<ToolResult<Output>> {
  const { principal, services, now } = call;
  const { slotId, reason = null } = input;
  const slot = await services.slotTokens.read(slotId, { ...chartOf(call), user: principal.user }, now);
  const cards = await visitCards(call);
  const request = visitRequest(call, { outcome: 'booked', cards });
  const overbook = request.by === 'staff' && input.overbook === true;
  const booked = await services.bookings.book({ ...request, slot, slotId, reason, overbook });
  if (booked.outcome === 'taken')
    return offerOthers(call, slot, { before: 'Not booked; nothing was changed.', cards });
  if (booked.outcome === 'callClinic')
    return callClinic(call, 'Not booked; nothing was changed. The clinic books this visit itself');
  const { weekday, date, time, zone, title } = booked.visit;
  const text = `Booked: ${title} on ${weekday}, ${date} at ${time} (${zone}).`;
  return changedAnswer(booked, { outcome: 'booked', text, cards, now });
}
