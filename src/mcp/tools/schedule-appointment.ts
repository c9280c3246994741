import { z } from 'zod';
import { visit } from '../../clinic/appointment.ts';
import { findClinic } from '../../clinic/clinic.ts';
import { findOpenings } from '../../clinic/openings.ts';
import type { NamedSlot } from '../../clinic/slot-token.ts';
import type { ChangedVisit } from '../../clinic/visit-work.ts';
import { McpError } from '../errors.ts';
import { bookerOf, chartOf, defineTool, type ToolCall, type ToolResult } from '../tool.ts';
import { opening, patientArgument } from './opening-schema.ts';

const CHOICES = 5;
const CHOICE_DAYS = 14;

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
    date: z
      .string()
      .max(10)
      .optional()
      .describe('Only without slotId: first date, YYYY-MM-DD, at the clinic'),
    reason: z.string().max(500).optional().describe('Why, in the person’s own words'),
    patient: patientArgument,
  }),
  output,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  audit: { action: 'C', resource: 'Appointment' },
  onError: 'Not booked. Nothing was changed.',
  requirement: { actions: ['see-schedule'] },
  requirementFor: ({ slotId }) => ({
    actions: slotId === undefined ? ['see-schedule'] : ['see-schedule', 'book'],
  }),
  run: async (input, call): Promise<ToolResult<Output>> => {
    if (input.slotId === undefined) return offer(call, input);
    const of = chartOf(call);
    const holder = { ...of, user: call.principal.user };
    const slot = await call.services.slotTokens.read(input.slotId, holder, call.now);
    const booked = await call.services.bookings.book({
      of,
      user: call.principal.user,
      client: call.principal.client,
      by: bookerOf(call),
      slotId: input.slotId,
      slot,
      reason: input.reason ?? null,
      now: call.now,
      audit: {
        draft: call.audit.draft,
        write: (tx, made) => call.audit.draft.write(tx, entryOf(call, made)),
      },
    });
    if (booked.outcome === 'taken') return taken(call, slot);
    if (booked.outcome === 'callClinic') return callClinic(call);
    const { weekday, date, time, zone, title, appointmentId } = booked.visit;
    return {
      output: { outcome: 'booked', appointment: booked.visit },
      text: `Booked: ${title} on ${weekday}, ${date} at ${time} (${zone}).`,
      patient: booked.alias,
      resourceId: appointmentId,
      committed: booked.outcome === 'done',
    };
  },
});

function entryOf(call: ToolCall, { alias, visit: appointment, written }: ChangedVisit) {
  const released: Output = { outcome: 'booked', appointment };
  return call.audit.entry({ patient: alias, written, id: appointment.appointmentId, output: released });
}

async function callClinic(call: ToolCall): Promise<ToolResult<Output>> {
  const { phone } = await findClinic(call.services.store, call.principal.tenant);
  return {
    output: { outcome: 'callClinic', phone },
    text: `Not booked; nothing was changed. The clinic books this visit itself: call ${phone}.`,
    refused: 'CALL_CLINIC',
  };
}

async function taken(call: ToolCall, slot: NamedSlot): Promise<ToolResult<Output>> {
  const choices = await offer(call, { visitType: slot.visitType, from: slot.start });
  return {
    ...choices,
    text:
      choices.output.outcome === 'choose'
        ? 'That time has just been taken. Not booked; nothing was changed. Let the person choose one of these instead.'
        : `That time has just been taken. Not booked; nothing was changed. ${choices.text}`,
    refused: 'TIME_TAKEN',
  };
}

async function offer(
  call: ToolCall,
  wish: { visitType?: string | undefined; date?: string | undefined; from?: number },
): Promise<ToolResult<Output>> {
  if (wish.visitType === undefined) {
    throw new McpError('INPUT', 'Give a slotId to book, or a visitType to see choices.');
  }
  const { store, slotTokens } = call.services;
  const holder = { ...chartOf(call), user: call.principal.user };
  const found = await findOpenings(
    { visitType: wish.visitType, from: wish.date, fromInstant: wish.from, days: CHOICE_DAYS, limit: CHOICES },
    { store, tokens: slotTokens, holder, now: call.now },
  );
  if (found.openings.length === 0) {
    return {
      output: { outcome: 'full' },
      text: `Nothing is open in those ${CHOICE_DAYS} days. Try a later date.`,
    };
  }
  return {
    output: { outcome: 'choose', choices: [...found.openings], zone: found.zone },
    text: 'Nothing is booked yet. Let the person choose one of these times.',
  };
}
