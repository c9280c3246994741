import { z } from 'zod';

/** Arguments that several tools take, each with one description. */

/** The patient argument that every chart tool takes. */
export const patientArgument = z
  .string()
  .max(64)
  .optional()
  .describe('Handle of the patient. Leave it out for the signed-in person.');

/** An appointment's id. */
export const appointmentArgument = z.string().min(1).max(64).describe('From listAppointments');

/** A visit type's id. */
export const visitTypeArgument = z.string().min(1).max(64).describe('An id from listVisitTypes');

/** A slot that was offered. */
export const slotArgument = z.string().min(1).max(256).optional();

/** A calendar date. */
export const dateArgument = (what: string) =>
  z.string().max(10).optional().describe(`${what}, YYYY-MM-DD, at the clinic`);

/** Morning or afternoon. */
export const partOfDayArgument = z.enum(['morning', 'afternoon']).optional();

/** Why somebody comes, or comes no more. */
export const reasonArgument = z.string().max(500).optional().describe('Why, in the person’s own words');
