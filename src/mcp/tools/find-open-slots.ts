import { z } from 'zod';
import { findOpenings } from '../../clinic/openings.ts';
import { chartOf, defineTool } from '../tool.ts';
import { opening, patientArgument } from './choices.ts';
import { visitCards, visitWidget } from './visit-widget.ts';

const MAX_SHOWN = 12;

/** Open times for a visit type. */
export const findOpenSlots = defineTool({
  name: 'findOpenSlots',
  title: 'Find open times',
  description:
    'Finds times that can be booked for a visit type between two clinic-local dates (at most 31 days). Nothing is ' +
    'reserved. Each slotId lasts ten minutes and works only for this person. Offer the times as given, with weekday.',
  input: z.object({
    visitType: z.string().min(1).max(64).describe('An id from listVisitTypes'),
    from: z.string().max(10).describe('First date, YYYY-MM-DD, at the clinic'),
    to: z.string().max(10).optional().describe('Last date, YYYY-MM-DD; the same day when left out'),
    partOfDay: z.enum(['morning', 'afternoon']).optional(),
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
    const { store, slotTokens } = call.services;
    const holder = { ...chartOf(call), user: call.principal.user };
    const found = await findOpenings(
      { ...input, limit: MAX_SHOWN },
      { store, tokens: slotTokens, holder, now: call.now },
    );
    const { visitType, openings, more } = found;
    const cards = await visitCards(call);
    const text =
      openings.length === 0
        ? `No open time for ${visitType.title} on those dates. Try other dates.`
        : `${openings.length} open times for ${visitType.title}${more > 0 ? `, and ${more} more` : ''}. Nothing is reserved yet.`;
    return {
      output: {
        visitType: visitType.id,
        title: visitType.title,
        zone: found.zone,
        slots: [...openings],
        more,
      },
      text,
      ...cards(),
    };
  },
});
