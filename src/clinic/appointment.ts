import { z } from 'zod';
import type { ValueName } from '../crypto/open-chart.ts';

/** The plaintext of an appointment's sealed value. Statuses are FHIR R4's. Times are ms since the epoch. */
export const appointment = z.object({
  status: z.enum(['booked']),
  visitType: z.string(),
  practitioner: z.string(),
  start: z.number().int(),
  end: z.number().int(),
  reason: z.string().max(500).nullable(),
  /** The random name under which the time is claimed; it leads nowhere without this sealed value. */
  booking: z.string(),
  bookedAt: z.number().int(),
});

/** An appointment in clear, never stored as such. */
export type Appointment = z.infer<typeof appointment>;

/** Raise with every change that an older reader would misread. */
export const APPOINTMENT_SCHEMA = 1;

/** A booked visit as a person hears of it. */
export const visit = z.object({
  appointmentId: z.string(),
  visitType: z.string(),
  title: z.string(),
  practitioner: z.string(),
  minutes: z.number().int(),
  preparation: z.string().optional(),
  start: z.string(),
  weekday: z.string(),
  date: z.string(),
  time: z.string(),
  zone: z.string(),
});

/** See {@link visit}. */
export type Visit = z.infer<typeof visit>;

/** Where an appointment is sealed. */
export const appointmentName = (id: string): ValueName => ({
  collection: 'appointments',
  document: id,
  compartment: 'scheduling',
});
