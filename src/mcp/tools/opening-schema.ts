import { z } from 'zod';

/** A bookable time as the model and the person see it. */
export const opening = z.object({
  slotId: z.string(),
  practitioner: z.string(),
  weekday: z.string(),
  date: z.string(),
  time: z.string(),
});

/** The patient argument that every chart tool takes. */
export const patientArgument = z
  .string()
  .max(64)
  .optional()
  .describe('Handle of the patient. Leave it out for the signed-in person.');
