import ical, { ICalCalendarMethod, ICalEventStatus, ICalEventTransparency } from 'ical-generator';
import type { Visit } from './appointment.ts';
import type { Clinic } from './clinic.ts';

/** What a calendar file says of one visit. */
export interface CalendarEntry {
  readonly visit: Pick<Visit, 'appointmentId' | 'status' | 'start' | 'minutes'>;
  readonly clinic: Pick<Clinic, 'name' | 'phone'>;
  /** When the visit was last changed, ms since the epoch; later changes get a higher SEQUENCE. */
  readonly changedAt: number;
}

const PRODUCT = { company: 'Chartseal', product: 'Visits', language: 'EN' } as const;
/** SEQUENCE counts seconds from here, so that it needs no counter and fits 31 bits until 2094. */
const SEQUENCE_EPOCH = Date.parse('2026-01-01T00:00:00Z');

/**
 * An iCalendar file (RFC 5545) of one visit. Calendars are shared and synchronised widely, so it says at which clinic
 * and when, and neither why nor with whom. Times are UTC instants, which every calendar shows in its own zone and which
 * no change of the clock can move. The UID stays through every move, so that a later file replaces or cancels (RFC 5546)
 * what an earlier one put there.
 */
export function calendarFile({ visit, clinic, changedAt }: CalendarEntry): string {
  const start = Date.parse(visit.start);
  const cancelled = visit.status === 'cancelled' || visit.status === 'entered-in-error';
  const calendar = ical({
    prodId: PRODUCT,
    method: cancelled ? ICalCalendarMethod.CANCEL : ICalCalendarMethod.PUBLISH,
  });
  calendar.createEvent({
    id: `${visit.appointmentId}@chartseal`,
    sequence: Math.max(0, Math.floor((changedAt - SEQUENCE_EPOCH) / 1000)),
    stamp: new Date(changedAt),
    start: new Date(start),
    end: new Date(start + visit.minutes * 60_000),
    summary: `Visit at ${clinic.name}`,
    location: clinic.name,
    description: `Questions: ${clinic.phone}`,
    status: cancelled ? ICalEventStatus.CANCELLED : ICalEventStatus.CONFIRMED,
    transparency: ICalEventTransparency.OPAQUE,
  });
  return calendar.toString();
}
