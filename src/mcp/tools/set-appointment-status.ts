import { z } from 'zod';
import { visit } from '../../clinic/appointment.ts';
import { chartOf, defineTool, type ToolResult } from '../tool.ts';
import { appointmentArgument } from './arguments.ts';
import { changedAnswer, visitRequest } from './visit-change.ts';

const SETTABLE = ['arrived', 'checked-in', 'fulfilled', 'noshow', 'booked', 'entered-in-error'] as const;
const output = z.object({ outcome: z.literal('changed'), appointment: visit });
/** The desk needs no calendar file. */
const NO_CARDS = () => ({});

/** How a visit went on, as the clinic's staff says it. */
export const setAppointmentStatus = defineTool({
  name: 'setAppointmentStatus',
  title: 'Check in, complete, no-show',
  description:
    'Staff only. Records that a patient arrived, was checked in, was seen (fulfilled) or did not come (noshow), or ' +
    'takes a noshow back (booked). Only the steps that follow the present status are possible. To cancel use ' +
    'cancelAppointment.',
  input: z.object({
    appointmentId: appointmentArgument,
    status: z.enum(SETTABLE),
    patient: z.string().max(64).describe('Handle of the patient'),
  }),
  output,
  shownBy: 'appointments',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  audit: { action: 'U', resource: 'Appointment' },
  onError: 'Not changed.',
  requirement: { actions: ['see-schedule', 'set-visit-status'] },
  staffOnly: true,
  run: async ({ appointmentId, status }, call): Promise<ToolResult<z.infer<typeof output>>> => {
    const { services, now } = call;
    const { known, alias } = await services.visits.one(chartOf(call), appointmentId);
    const { appointment, visit: shown, id } = known;
    if (appointment.status === status) {
      const text = `It is ${status} already.`;
      return {
        output: { outcome: 'changed', appointment: shown },
        text,
        patient: alias,
        resourceId: id,
      };
    }
    const request = visitRequest(call, { outcome: 'changed', cards: NO_CARDS });
    const done = await services.bookings.setStatus({ ...request, appointmentId, appointment, status });
    if (!('visit' in done)) throw new TypeError('A change of status takes no time and asks nobody.');
    const { title, date, time } = done.visit;
    const text = `${title} on ${date} at ${time} is now ${status}.`;
    return changedAnswer(done, { outcome: 'changed', text, cards: NO_CARDS, now });
  },
});
