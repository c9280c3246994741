import { z } from 'zod';
import { notFound } from '../../access/errors.ts';
import { visit } from '../../clinic/appointment.ts';
import { findPractitioners } from '../../clinic/clinic.ts';
import { dateAt, spoken } from '../../clinic/clinic-time.ts';
import { FREES_TIME } from '../../clinic/rules.ts';
import type { KnownVisit } from '../../clinic/visits.ts';
import type { WaitingPlace } from '../../clinic/waitlist.ts';
import { chartOf, defineTool, type ToolCall } from '../tool.ts';
import { patientArgument } from './arguments.ts';
import { opening } from './choices.ts';
import { type CardVisit, visitCards, visitWidget } from './visit-widget.ts';

const SHOWN = 10;

const waitingPlace = z.object({
  id: z.string(),
  visitType: z.string(),
  from: z.string(),
  to: z.string(),
  offer: opening.optional(),
  offeredUntil: z.string().optional(),
});

/** The visits of a chart, and what its patient waits for. */
export const listAppointments = defineTool({
  name: 'listAppointments',
  title: 'Visits',
  description:
    'Lists booked visits that lie ahead (or past and cancelled ones), at most ten, with ids for rescheduleAppointment ' +
    'and cancelAppointment, and places on the waiting list. An offer there is a freed time kept for this person: ' +
    'book it with its slotId.',
  input: z.object({ when: z.enum(['upcoming', 'past']).optional(), patient: patientArgument }),
  output: z.object({
    appointments: z.array(visit),
    more: z.number().int(),
    waiting: z.array(waitingPlace),
    zone: z.string(),
  }),
  widget: visitWidget,
  shownBy: 'appointments',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  audit: { action: 'R', resource: 'Appointment' },
  onError: 'Not available.',
  requirement: { actions: ['see-schedule'] },
  run: async ({ when = 'upcoming' }, call) => {
    const of = chartOf(call);
    const [read, places] = await Promise.all([
      call.services.visits.all(of),
      call.services.waitlist.places(of),
    ]);
    if (read === null) throw notFound();
    const { zone } = read.clinic;
    const ahead = ({ appointment }: KnownVisit): boolean =>
      appointment.end > call.now && !FREES_TIME.includes(appointment.status);
    const wanted =
      when === 'upcoming' ? read.visits.filter(ahead) : read.visits.filter((one) => !ahead(one)).reverse();
    const waiting = await Promise.all(
      places.filter(({ open }) => open).map((place) => placeOf(call, place, zone)),
    );
    const shown = wanted.slice(0, SHOWN);
    const appointments = shown.map((known) => known.visit);
    const cards = await visitCards(call, read.clinic);
    const count = wanted.length === 0 ? 'None recorded' : `${wanted.length} recorded`;
    return {
      output: { appointments, more: wanted.length - appointments.length, waiting, zone },
      text: `${when === 'upcoming' ? 'Visits ahead' : 'Past and cancelled visits'}: ${count}.${
        waiting.some(({ offer }) => offer !== undefined) ? ' A freed time is offered: see waiting.' : ''
      }`,
      ...cards(shown.map((known) => cardOf(known, call))),
      patient: read.alias,
    };
  },
});

/** Why somebody comes is shown to themselves; staff and those who act for them read it where the policies open it. */
function cardOf({ visit, appointment }: KnownVisit, { decision }: ToolCall): CardVisit {
  const own = decision.relationship === 'self';
  return { visit, changedAt: appointment.changedAt, reason: own ? appointment.reason : null };
}

async function placeOf(
  call: ToolCall,
  place: WaitingPlace,
  zone: string,
): Promise<z.infer<typeof waitingPlace>> {
  const { id, visitType, from, to, offer, offeredUntil } = place;
  const base = { id, visitType, from: dateAt(from, zone).toString(), to: dateAt(to - 1, zone).toString() };
  if (offer === null || offeredUntil === null || offeredUntil <= call.now) return base;
  const holder = { ...chartOf(call), user: call.principal.user };
  const slotId = await call.services.slotTokens.issue({ ...offer, visitType }, holder, call.now);
  const reader = call.services.store.tenant(call.principal.tenant);
  const [person] = await findPractitioners(reader, [offer.practitioner]);
  const shown = opening.parse({ slotId, practitioner: person?.name ?? '', ...spoken(offer.start, zone) });
  return { ...base, offer: shown, offeredUntil: spoken(offeredUntil, zone).start };
}
