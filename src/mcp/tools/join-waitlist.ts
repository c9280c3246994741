import { z } from 'zod';
import { findClinic, findOffer } from '../../clinic/clinic.ts';
import { dateAt, parseDate } from '../../clinic/clinic-time.ts';
import { ClinicError } from '../../clinic/errors.ts';
import { mayBook } from '../../clinic/rules.ts';
import { bookerOf, chartOf, defineTool, type ToolCall, type ToolResult } from '../tool.ts';
import { dateArgument, patientArgument, visitTypeArgument } from './arguments.ts';
import { callClinic } from './visit-change.ts';

const MAX_DAYS = 180;
const USUAL_DAYS = 30;

const output = z.object({
  outcome: z.enum(['waiting', 'callClinic']),
  id: z.string().optional(),
  visitType: z.string().optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  phone: z.string().optional(),
});
type Output = z.infer<typeof output>;

/** Waits for a time that others give back. */
export const joinWaitlist = defineTool({
  name: 'joinWaitlist',
  title: 'Join the waiting list',
  description:
    'Puts the person on the waiting list for a visit type between two dates (the next 30 days when left out). When ' +
    'somebody gives a time back it is kept for the first who waits, for an hour: listAppointments shows the offer. ' +
    'It books nothing.',
  input: z.object({
    visitType: visitTypeArgument,
    from: dateArgument('First date'),
    to: dateArgument('Last date'),
    patient: patientArgument,
  }),
  output,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  audit: { action: 'C', resource: 'Appointment' },
  onError: 'Not on the waiting list. Nothing was changed.',
  requirement: { actions: ['see-schedule', 'book'] },
  run: async (input, call): Promise<ToolResult<Output>> => {
    const { principal, services, now, audit } = call;
    const of = chartOf(call);
    const [clinic, { visitType }] = await Promise.all([
      findClinic(services.store, of.tenant),
      findOffer(services.store.tenant(of.tenant), input.visitType),
    ]);
    const by = bookerOf(call);
    if (!mayBook(visitType, by))
      return callClinic(call, 'Not on the waiting list. The clinic books this visit itself');
    const { from, to } = spanOf(call, input, clinic.zone);
    const wish = { visitType: visitType.id, practitioner: null, from: from.at, to: to.at };
    const answer = (id: string): Output => {
      return { outcome: 'waiting', id, visitType: visitType.id, from: from.date, to: to.date };
    };
    const { id } = await services.waitlist.join({
      ...{ of, by, now, wish, user: principal.user },
      audit: {
        draft: audit.draft,
        write: (tx, { alias, written, id: made }) =>
          audit.draft.write(tx, audit.entry({ patient: alias, written, id: made, output: answer(made) })),
      },
    });
    const text = `Waiting for: ${visitType.title}, ${from.date} to ${to.date}. Nothing is booked; offers show in listAppointments.`;
    return { output: answer(id), text, resourceId: id, committed: true };
  },
});

function spanOf(call: ToolCall, input: { from?: string | undefined; to?: string | undefined }, zone: string) {
  const today = dateAt(call.now, zone);
  const from = input.from === undefined ? today : parseDate(input.from);
  const to = input.to === undefined ? from.add({ days: USUAL_DAYS }) : parseDate(input.to);
  const days = today.until(to, { largestUnit: 'days' }).days;
  if (days < 0 || days > MAX_DAYS || from.until(to, { largestUnit: 'days' }).days < 0) {
    throw new ClinicError('DATE_INVALID', `"to" lies between "from" and ${MAX_DAYS} days from today.`);
  }
  const start = Math.max(call.now, from.toZonedDateTime(zone).epochMilliseconds);
  const end = to.add({ days: 1 }).toZonedDateTime(zone).epochMilliseconds;
  return { from: { at: start, date: from.toString() }, to: { at: end, date: to.toString() } };
}
