import { z } from 'zod';
import { spoken } from '../../clinic/clinic-time.ts';
import {
  CONSENT_CHANGES,
  REFUSALS,
  REQUEST_KINDS,
  REQUEST_STATES,
  type RequestState,
  type RequestView,
} from '../../lifecycle/requests/request.ts';

/** A request about a person's data as the model and the person see it. Codes, dates and our own words; no text of anybody. */
export const shownRequest = z.object({
  requestId: z.string(),
  kind: z.enum(REQUEST_KINDS),
  state: z.enum(REQUEST_STATES),
  about: z.enum(CONSENT_CHANGES).optional(),
  asked: z.string(),
  /** The day on which this state is over. */
  until: z.string().optional(),
  /** The day by which the clinic has to answer. */
  answerBy: z.string().optional(),
  next: z.string(),
});

const NEXT: Readonly<Record<RequestState, string>> = {
  asked: 'Not confirmed yet. Sign in on the page and confirm it.',
  confirmed: 'It is being prepared.',
  review: 'The clinic looks at it.',
  cooling: 'Approved. It can still be withdrawn on the page.',
  erasing: 'It is being deleted.',
  ready: 'Ready. Download it on the page.',
  done: 'Done.',
  refused: 'Refused.',
  withdrawn: 'Withdrawn. Nothing was changed.',
  expired: 'Over. Ask anew.',
};

/** Spells a request, its days in the clinic's zone. */
export function spellRequest(view: RequestView, zone: string): z.infer<typeof shownRequest> {
  const day = (at: number): string => spoken(at, zone).date;
  const { id, kind, state, about, askedAt, until, answerBy, reason } = view;
  return {
    requestId: id,
    kind,
    state,
    ...(about === null ? {} : { about }),
    asked: day(askedAt),
    ...(until === null ? {} : { until: day(until) }),
    ...(answerBy === null ? {} : { answerBy: day(answerBy) }),
    next: reason === null ? NEXT[state] : `${NEXT[state]} ${REFUSALS[reason]}.`,
  };
}
