import { z } from 'zod';
import { visit } from '../../clinic/appointment.ts';
import { findOpenings, type Opening } from '../../clinic/openings.ts';
import type { NamedSlot } from '../../clinic/slot-token.ts';
import type { Question } from '../asking.ts';
import { chartOf, type ToolCall, type ToolResult } from '../tool.ts';
import type { VisitCards } from './visit-widget.ts';

/** Times to choose from, where no slot was chosen yet or the chosen one is gone. Nothing is reserved. */

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

/** What an answer may hold beside its outcome, where a time is to be chosen. */
export const choiceOutput = {
  appointment: visit.optional(),
  choices: z.array(opening).optional(),
  zone: z.string().optional(),
  phone: z.string().optional(),
};

/** What is wanted when no slot was chosen yet. */
export interface Wish {
  readonly visitType: string;
  readonly date?: string | undefined;
  readonly partOfDay?: 'morning' | 'afternoon' | undefined;
  /** Instead of a date: the day of this instant, ms since the epoch. */
  readonly fromInstant?: number;
}

/** Up to five openings within two weeks, or none. */
type Choices =
  | { readonly outcome: 'choose'; readonly choices: z.infer<typeof opening>[]; readonly zone: string }
  | { readonly outcome: 'full' };

/** Offers times for the chart of this call. `before` begins the sentence and says what did not happen. */
export async function offerChoices(
  call: ToolCall,
  wish: Wish,
  { before, cards }: { before: string; cards: VisitCards },
): Promise<ToolResult<Choices>> {
  const { store, slotTokens } = call.services;
  const holder = { ...chartOf(call), user: call.principal.user };
  const { visitType, date: from, partOfDay, fromInstant } = wish;
  const { openings, zone } = await findOpenings(
    { visitType, from, partOfDay, fromInstant, days: CHOICE_DAYS, limit: CHOICES },
    { store, tokens: slotTokens, holder, now: call.now },
  );
  if (openings.length === 0) {
    const text = `${before} Nothing is open in those ${CHOICE_DAYS} days: try a later date, or offer joinWaitlist.`;
    return { output: { outcome: 'full' }, text, ...cards() };
  }
  return {
    output: { outcome: 'choose', choices: openings.map((one) => opening.parse(one)), zone },
    text: `${before} Let the person choose one of these times.`,
    question: questionOf(openings, before),
    ...cards(),
  };
}

/** The answer when the chosen slot went to somebody else. `before` says what did not happen. */
export async function offerOthers(
  call: ToolCall,
  slot: NamedSlot,
  { before, cards }: { before: string; cards: VisitCards },
): Promise<ToolResult<Choices>> {
  const wish = { visitType: slot.visitType, fromInstant: slot.start };
  const said = { before: `That time has just been taken. ${before}`, cards };
  return { ...(await offerChoices(call, wish, said)), refused: 'TIME_TAKEN' };
}

function questionOf(openings: readonly Opening[], before: string): Question {
  const options = openings.map(({ slotId, weekday, date, time, utcOffset, zone, practitioner }) => {
    const clock = utcOffset === undefined ? zone : `${zone}, UTC${utcOffset}`;
    return { value: slotId, title: `${weekday}, ${date} at ${time} (${clock}), ${practitioner}` };
  });
  return { message: `${before} Which time suits you?`, argument: 'slotId', options };
}
