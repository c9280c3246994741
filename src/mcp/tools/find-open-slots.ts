import { z } from 'zod';
import { findOpenings, type Openings, type OpeningsQuestion } from '../../clinic/openings.ts';
import { chartOf, defineTool, type ToolCall } from '../tool.ts';
import { dateArgument, partOfDayArgument, patientArgument, visitTypeArgument } from './arguments.ts';
import { opening } from './choices.ts';
import { visitCards, visitWidget } from './visit-widget.ts';

const MAX_SHOWN = 8;

/** Open times for a visit type. */
export const findOpenSlots = defineTool({
  name: 'findOpenSlots',
  title: 'Find open times',
  description:
    'Finds times that can be booked for a visit type between two clinic-local dates (at most 31 days). Nothing is ' +
    'reserved. Each slotId lasts ten minutes and works only for this person. Offer the times as given, with weekday. ' +
    'When the words may mean two dates ("next Tuesday"), give the other as orOn: both are offered, let the person say which.',
  input: z.object({
    visitType: visitTypeArgument,
    from: z.string().max(10).describe('First date, YYYY-MM-DD, at the clinic'),
    to: z.string().max(10).optional().describe('Last date, YYYY-MM-DD; the same day when left out'),
    orOn: dateArgument('The other date that was perhaps meant'),
    partOfDay: partOfDayArgument,
    patient: patientArgument,
  }),
  output: z.object({
    visitType: z.string(),
    title: z.string(),
    zone: z.string(),
    slots: z.array(opening),
    more: z.number().int(),
  }),
  widget: visitWidget,
  shownBy: 'slot-picker',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  audit: { action: 'R', resource: 'Slot' },
  onError: 'No times found.',
  requirement: { actions: ['see-schedule'] },
  run: async (input, call) => {
    const { orOn, to, ...asked } = input;
    const days =
      orOn === undefined
        ? [{ ...asked, to }]
        : [
            { ...asked, to },
            { ...asked, from: orOn },
          ];
    const limit = MAX_SHOWN / days.length;
    const found = await Promise.all(days.map((day) => openingsFor(call, { ...day, limit })));
    const [{ visitType, zone }] = found as [Openings];
    const slots = found.flatMap(({ openings }) => openings);
    const more = found.reduce((sum, part) => sum + part.more, 0);
    const cards = await visitCards(call);
    return {
      output: { visitType: visitType.id, title: visitType.title, zone, slots, more },
      text: wordsFor(visitType.title, slots, { more, both: orOn !== undefined }),
      ...cards(),
    };
  },
});

function openingsFor(call: ToolCall, question: OpeningsQuestion): Promise<Openings> {
  const { store, slotTokens: tokens } = call.services;
  const holder = { ...chartOf(call), user: call.principal.user };
  return findOpenings(question, { store, tokens, holder, now: call.now });
}

function wordsFor(
  title: string,
  slots: Openings['openings'],
  { more, both }: { more: number; both: boolean },
): string {
  if (slots.length === 0) return `No open time for ${title} on those dates. Try other dates.`;
  const count = `${slots.length} open times for ${title}${more > 0 ? `, and ${more} more` : ''}.`;
  const days = new Set(slots.map(({ weekday, date }) => `${weekday}, ${date}`));
  const which = both && days.size > 1 ? ` Ask which day is meant: ${[...days].join(' or ')}.` : '';
  return `${count}${which} Nothing is reserved yet.`;
}
