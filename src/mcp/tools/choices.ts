import { z } from 'zod';
import { findClinic } from '../../clinic/clinic.ts';
import { findOpenings } from '../../clinic/openings.ts';
import { chartOf, type ToolCall } from '../tool.ts';

/** What tools share that let a person choose a time. */

const CHOICES = 5;
const CHOICE_DAYS = 14;

/** A bookable time as the model and the person see it. */
export const opening = z.object({
  slotId: z.string(),
  practitioner: z.string(),
  weekday: z.string(),
  date: z.string(),
  time: z.string(),
  utcOffset: z.string().optional(),
});

/** The patient argument that every chart tool takes. */
export const patientArgument = z
  .string()
  .max(64)
  .optional()
  .describe('Handle of the patient. Leave it out for the signed-in person.');

/** An appointment's id as an argument. */
export const appointmentArgument = z.string().min(1).max(64).describe('From listAppointments');

/** A calendar date as an argument. */
export const dateArgument = (what: string) =>
  z.string().max(10).optional().describe(`${what}, YYYY-MM-DD, at the clinic`);

/** Morning or afternoon. */
export const partOfDayArgument = z.enum(['morning', 'afternoon']).optional();

/** What is wanted when no slot was chosen yet. */
export interface Wish {
  readonly visitType: string;
  readonly date?: string | undefined;
  readonly partOfDay?: 'morning' | 'afternoon' | undefined;
  /** Instead of a date: the day of this instant, ms since the epoch. */
  readonly fromInstant?: number;
}

/** Up to five openings within two weeks, or none. Nothing is reserved. */
export type Choices =
  | { readonly outcome: 'choose'; readonly choices: z.infer<typeof opening>[]; readonly zone: string }
  | { readonly outcome: 'full' };

/** Finds choices for the chart of this call. */
export async function choicesFor(call: ToolCall, wish: Wish): Promise<Choices> {
  const { store, slotTokens } = call.services;
  const holder = { ...chartOf(call), user: call.principal.user };
  const { visitType, date: from, partOfDay, fromInstant } = wish;
  const found = await findOpenings(
    { visitType, from, partOfDay, fromInstant, days: CHOICE_DAYS, limit: CHOICES },
    { store, tokens: slotTokens, holder, now: call.now },
  );
  if (found.openings.length === 0) return { outcome: 'full' };
  return { outcome: 'choose', choices: found.openings.map((one) => opening.parse(one)), zone: found.zone };
}

/** What to say with choices. `before` begins the sentence. */
export const wordsFor = ({ outcome }: Choices, before: string): string =>
  outcome === 'choose'
    ? `${before} Let the person choose one of these times.`
    : `${before} Nothing is open in those ${CHOICE_DAYS} days: try a later date, or offer joinWaitlist.`;

/** The answer when the clinic does this only by telephone. */
export async function clinicNumber({ principal, services }: ToolCall): Promise<string> {
  return (await findClinic(services.store, principal.tenant)).phone;
}
