import { z } from 'zod';
import { visit } from '../../clinic/appointment.ts';
import type { NamedSlot } from '../../clinic/slot-token.ts';
import type { ChangedVisit } from '../../clinic/visit-work.ts';
import { McpError } from '../errors.ts';
import { bookerOf, chartOf, defineTool, type ToolCall, type ToolResult } from '../tool.ts';
import {
  choicesFor,
  clinicNumber,
  dateArgument,
  opening,
  partOfDayArgument,
  patientArgument,
  wordsFor,
} from './choices.ts';
import { type VisitCards, visitCards, visitWidget } from './visit-widget.ts';

const output = z.object({
  outcome: z.enum(['booked', 'choose', 'full', 'callClinic']),
  appointment: visit.optional(),
  choices: z.array(opening).optional(),
  zone: z.string().optional(),
  phone: z.string().optional(),
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
    slotId: z.string().min(1).max(256).optional().describe('From findOpenSlots or from choices'),
    visitType: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe('Only without slotId: an id from listVisitTypes'),
    date: dateArgument('Only without slotId: first date'),
    partOfDay: partOfDayArgument,
    reason: z.string().max(500).optional().describe('Why, in the person’s own words'),
    overbook: z.boolean().optional().describe('Staff only, when asked for in so many words'),
    patient: patientArgument,
  }),
  output,
  widget: visitWidget,
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
    const found = await choicesFor(call, { ...input, visitType });
    const cards = await visitCards(call);
    return { output: found, text: wordsFor(found, 'Nothing is booked yet.'), ...cards() };
  },
});

async function book(
  call: ToolCall,
  input: { slotId: string; reason?: string | undefined; overbook?: boolean | undefined },
): Promise<ToolResult<Output>> {
  const of = chartOf(call);
  const { principal, services, now, audit } = call;
  const slot = await services.slotTokens.read(input.slotId, { ...of, user: principal.user }, now);
  const by = bookerOf(call);
  const cards = await visitCards(call);
  const booked = await services.bookings.book({
    ...{ of, by, now, slot, slotId: input.slotId, user: principal.user, client: principal.client },
    reason: input.reason ?? null,
    overbook: by === 'staff' && input.overbook === true,
    audit: { draft: audit.draft, write: (tx, made) => audit.draft.write(tx, entryOf(call, made, cards)) },
  });
  if (booked.outcome === 'taken') return taken(call, slot);
  if (booked.outcome === 'callClinic') return callClinic(call);
  const { weekday, date, time, zone, title, appointmentId } = booked.visit;
  return {
    output: { outcome: 'booked', appointment: booked.visit },
    ...cards([{ visit: booked.visit, changedAt: now }]),
    text: `Booked: ${title} on ${weekday}, ${date} at ${time} (${zone}).`,
    patient: booked.alias,
    resourceId: appointmentId,
    committed: booked.outcome === 'done',
  };
}

function entryOf(call: ToolCall, { alias, visit: appointment, written }: ChangedVisit, cards: VisitCards) {
  const released: Output = { outcome: 'booked', appointment };
  const { widget } = cards([{ visit: appointment, changedAt: call.now }]);
  return call.audit.entry({
    ...{ patient: alias, written, id: appointment.appointmentId },
    ...{ output: released, widget },
  });
}

async function callClinic(call: ToolCall): Promise<ToolResult<Output>> {
  const phone = await clinicNumber(call);
  return {
    output: { outcome: 'callClinic', phone },
    text: `Not booked; nothing was changed. The clinic books this visit itself: call ${phone}.`,
    refused: 'CALL_CLINIC',
  };
}

async function taken(call: ToolCall, slot: NamedSlot): Promise<ToolResult<Output>> {
  const found = await choicesFor(call, { visitType: slot.visitType, fromInstant: slot.start });
  const cards = await visitCards(call);
  return {
    ...cards(),
    output: found,
    text: wordsFor(found, 'That time has just been taken. Not booked; nothing was changed.'),
    refused: 'TIME_TAKEN',
  };
}
