import { z } from 'zod';
import { visit } from '../../clinic/appointment.ts';
import { checkCancellable } from '../../clinic/cancel.ts';
import { mayChange } from '../../clinic/rules.ts';
import type { KnownVisit } from '../../clinic/visits.ts';
import { bookerOf, chartOf, defineTool, type ToolCall, type ToolResult } from '../tool.ts';
import { appointmentArgument, patientArgument, reasonArgument } from './arguments.ts';
import { UNDO_WORDS, undoFor } from './undo.ts';
import { callClinic, changedAnswer, visitRequest } from './visit-change.ts';
import { type VisitCards, visitCards, visitWidget } from './visit-widget.ts';

const output = z.object({
  outcome: z.enum(['preview', 'cancelled', 'leftWaitlist', 'callClinic']),
  appointment: visit.optional(),
  confirm: z.string().optional(),
  undoSlotId: z.string().optional(),
  phone: z.string().optional(),
});
type Output = z.infer<typeof output>;

/** Cancels a visit in two steps: what would be cancelled, then the confirmation of just that. */
export const cancelAppointment = defineTool({
  name: 'cancelAppointment',
  title: 'Cancel a visit',
  description:
    'First call it without confirm: it changes nothing and shows the visit with a confirm token. Say which visit it is, ' +
    'and only when the person agrees call it again with that token. It also leaves the waiting list (a waitlist id ' +
    `needs no token). ${UNDO_WORDS} (scheduleAppointment takes it.)`,
  input: z.object({
    appointmentId: appointmentArgument.describe(
      'From listAppointments: a visit, or a place on the waiting list',
    ),
    confirm: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe('The token of the preview, once the person agreed'),
    reason: reasonArgument,
    patient: patientArgument,
  }),
  output,
  widget: visitWidget,
  shownBy: 'appointments',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  audit: { action: 'U', resource: 'Appointment' },
  onError: 'Not cancelled. Nothing was changed.',
  requirement: { actions: ['see-schedule', 'book'] },
  run: async (input, call): Promise<ToolResult<Output>> => {
    if (input.appointmentId.startsWith('wai_')) return leave(call, input.appointmentId);
    const { alias, known, clinic } = await call.services.visits.one(chartOf(call), input.appointmentId);
    const cards = await visitCards(call, clinic);
    if (input.confirm !== undefined) return cancel(call, known, { ...input, confirm: input.confirm, cards });
    return { ...(await preview(call, known)), ...cards(), patient: alias, resourceId: known.id };
  },
});

const holderOf = (call: ToolCall) => ({ ...chartOf(call), user: call.principal.user });
const shown = ({ id, appointment }: KnownVisit) => ['cancel', id, appointment.changedAt] as const;
const TOO_SOON = 'Not cancelled; the visit stays as it was. It is too soon to cancel it here';

async function preview(call: ToolCall, known: KnownVisit): Promise<ToolResult<Output>> {
  const { appointment, visitType, visit: spoken } = known;
  checkCancellable(appointment);
  if (!mayChange(appointment, visitType, { by: bookerOf(call), now: call.now }))
    return callClinic(call, TOO_SOON);
  const confirm = await call.services.confirmTokens.issue(shown(known), holderOf(call), call.now);
  return {
    output: { outcome: 'preview', appointment: spoken, confirm },
    text: `Not cancelled yet: ${spoken.title} on ${spoken.weekday}, ${spoken.date} at ${spoken.time}. Ask the person, then confirm.`,
  };
}

async function cancel(
  call: ToolCall,
  known: KnownVisit,
  input: { confirm: string; reason?: string | undefined; cards: VisitCards },
): Promise<ToolResult<Output>> {
  const { services, now } = call;
  const { appointment, id: appointmentId } = known;
  const { confirm, reason = null, cards } = input;
  if (appointment.status === 'booked')
    await services.confirmTokens.check(confirm, shown(known), { ...holderOf(call), now });
  const request = visitRequest(call, { outcome: 'cancelled', cards });
  const done = await services.bookings.cancel({ ...request, appointmentId, appointment, confirm, reason });
  if (done.outcome === 'callClinic' || done.outcome === 'taken') return callClinic(call, TOO_SOON);
  const { title, weekday, date, time } = done.visit;
  const text = `Cancelled: ${title} on ${weekday}, ${date} at ${time}.`;
  const answer = changedAnswer(done, { outcome: 'cancelled', text, cards, now });
  return { ...answer, output: { ...answer.output, ...(await undoFor(call, appointment)) } };
}

async function leave(call: ToolCall, id: string): Promise<ToolResult<Output>> {
  const { principal, services, now, audit } = call;
  const output: Output = { outcome: 'leftWaitlist' };
  await services.waitlist.leave({
    ...{ of: chartOf(call), id, now, by: bookerOf(call), user: principal.user },
    audit: {
      draft: audit.draft,
      write: (tx, { alias, written }) =>
        audit.draft.write(tx, audit.entry({ patient: alias, written, id, output })),
    },
  });
  return { output, text: 'No longer on the waiting list for this visit.', resourceId: id, committed: true };
}
