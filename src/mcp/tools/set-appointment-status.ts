import { z } from 'zod';
import { visit } from '../../clinic/appointment.ts';
import { chartOf, defineTool, type ToolResult } from '../tool.ts';
import { appointmentArgument } from './choices.ts';

const SETTABLE = ['arrived', 'checked-in', 'fulfilled', 'noshow', 'booked', 'entered-in-error'] as const;
const output = z.object({ outcome: z.literal('changed'), appointment: visit });

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
    const of = chartOf(call);
    const { principal, services, now, audit } = call;
    const { known, alias } = await services.visits.one(of, appointmentId);
    const answer = (appointment: z.infer<typeof visit>) => ({ outcome: 'changed', appointment }) as const;
    if (known.appointment.status === status)
      return {
        output: answer(known.visit),
        text: `It is ${status} already.`,
        patient: alias,
        resourceId: known.id,
      };
    const done = await services.bookings.setStatus({
      ...{ of, now, by: 'staff', user: principal.user, client: principal.client },
      ...{ appointmentId, appointment: known.appointment, status },
      audit: {
        draft: audit.draft,
        write: (tx, made) => {
          const output = answer(made.visit);
          const entry = audit.entry({
            patient: made.alias,
            written: made.written,
            id: appointmentId,
            output,
          });
          audit.draft.write(tx, entry);
        },
      },
    });
    if (!('visit' in done)) throw new TypeError('A change of status takes no time and asks nobody.');
    const { title, date, time } = done.visit;
    return {
      output: answer(done.visit),
      text: `${title} on ${date} at ${time} is now ${status}.`,
      patient: done.alias,
      resourceId: appointmentId,
      committed: done.outcome === 'done',
    };
  },
});
