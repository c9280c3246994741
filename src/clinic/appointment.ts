import { z } from 'zod';
import type { ValueName } from '../crypto/open-chart.ts';
import type { Clinic, Location, Practitioner, VisitType } from './clinic.ts';
import { spoken } from './clinic-time.ts';
import { ClinicError } from './errors.ts';

/** FHIR R4 AppointmentStatus, as far as a visit takes these here. Waiting-list entries are `waitlist`. */
export const STATUSES = [
  'booked',
  'arrived',
  'checked-in',
  'fulfilled',
  'cancelled',
  'noshow',
  'entered-in-error',
] as const;
export type AppointmentStatus = (typeof STATUSES)[number];

/** The plaintext of an appointment's sealed value. Times are ms since the epoch. */
export const appointment = z.object({
  status: z.enum(STATUSES),
  visitType: z.string(),
  practitioner: z.string(),
  start: z.number().int(),
  end: z.number().int(),
  reason: z.string().max(500).nullable(),
  /** The random name under which the time is claimed; it leads nowhere without this sealed value. */
  booking: z.string(),
  /** What `booking` claims. */
  place: z.object({
    resources: z.array(z.string()),
    room: z.string().nullable(),
    from: z.number().int(),
    to: z.number().int(),
  }),
  bookedAt: z.number().int(),
  changedAt: z.number().int(),
  cancelledFor: z.string().max(500).optional(),
});

/** An appointment in clear, never stored as such. */
export type Appointment = z.infer<typeof appointment>;

/** Raise with every change that an older reader would misread. */
export const APPOINTMENT_SCHEMA = 2;

/** A visit as a person hears of it. */
export const visit = z.object({
  appointmentId: z.string(),
  status: z.enum(STATUSES),
  visitType: z.string(),
  title: z.string(),
  practitioner: z.string(),
  minutes: z.number().int(),
  location: z.string().optional(),
  telehealth: z.boolean().optional(),
  preparation: z.string().optional(),
  start: z.string(),
  weekday: z.string(),
  date: z.string(),
  time: z.string(),
  utcOffset: z.string().optional(),
  zone: z.string(),
});

/** See {@link visit}. */
export type Visit = z.infer<typeof visit>;

const APPOINTMENT_ID = /^apt_[A-Za-z0-9_-]{22}$/;

/**
 * Where an appointment is sealed.
 *
 * @throws ClinicError `APPOINTMENT_UNKNOWN` unless `id` is the id of an appointment.
 */
export function appointmentName(id: string): ValueName {
  if (!APPOINTMENT_ID.test(id)) throw unknownAppointment();
  return { collection: 'appointments', document: id, compartment: 'scheduling' };
}

export const isAppointment = (document: string): boolean => APPOINTMENT_ID.test(document);

/** @throws ClinicError `APPOINTMENT_UNKNOWN` for null. */
export function parseAppointment(plaintext: Buffer | null): Appointment {
  if (plaintext === null) throw unknownAppointment();
  return appointment.parse(JSON.parse(plaintext.toString('utf8')));
}

export const unknownAppointment = (): ClinicError =>
  new ClinicError('APPOINTMENT_UNKNOWN', 'There is no such visit in this chart. Use listAppointments.');

/** Spells a visit for a person. */
export function visitOf(
  appointmentId: string,
  booked: Appointment,
  offer: {
    readonly clinic: Clinic;
    readonly visitType: VisitType;
    readonly practitioner: Practitioner | undefined;
    readonly locations: readonly Location[];
  },
): Visit {
  const { visitType, clinic, locations } = offer;
  const at = booked.place.room ?? visitType.location;
  const location = locations.find(({ id }) => id === at)?.name;
  return {
    appointmentId,
    status: booked.status,
    visitType: visitType.id,
    title: visitType.title,
    practitioner: offer.practitioner?.name ?? 'no longer at the clinic',
    minutes: (booked.end - booked.start) / 60_000,
    ...(location === undefined ? {} : { location }),
    ...(visitType.telehealth ? { telehealth: true } : {}),
    ...(visitType.preparation === null ? {} : { preparation: visitType.preparation }),
    ...spoken(booked.start, clinic.zone),
  };
}
