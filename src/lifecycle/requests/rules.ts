import { RequestError } from './errors.ts';
import {
  CONSENT_CHANGES,
  REFUSALS,
  REQUEST_KINDS,
  REQUEST_STATES,
  type Refusal,
  type RequestKind,
  type RequestRow,
  type RequestState,
  type RequestView,
  WORDS_LENGTH,
} from './request.ts';

const DAY_MS = 86_400_000;

/** Limits of requests. Times in ms. */
export const REQUEST_LIMITS = {
  /** Open requests about one chart. */
  open: 10,
  /** How long a request waits to be confirmed. */
  confirmMs: 7 * DAY_MS,
  /** How long a finished export can be fetched. */
  readyMs: 7 * DAY_MS,
  /** How long after its approval an erasure can still be withdrawn. */
  coolingMs: 7 * DAY_MS,
  answerMs: 30 * DAY_MS,
} as const;

/** What can happen to a request. */
export type Step =
  | { readonly step: 'confirm' | 'withdraw' | 'made' | 'begin' | 'finish' | 'expire' }
  | { readonly step: 'approve'; readonly by: string }
  | { readonly step: 'refuse'; readonly by: string; readonly reason: Refusal };

const OVER: readonly RequestState[] = ['done', 'refused', 'withdrawn', 'expired'];
const WITHDRAWABLE: readonly RequestState[] = ['asked', 'confirmed', 'review', 'cooling', 'ready'];
/** States that end by themselves, unless a job takes them further. */
const EXPIRES: readonly RequestState[] = ['asked', 'ready'];
const CONFIRMED: Readonly<Record<RequestKind, RequestState>> = {
  export: 'confirmed',
  correction: 'review',
  consent: 'done',
  erasure: 'review',
};

/** The state at `now`: one whose time is over is expired, also before a job has written that down. */
export function stateAt({ state, until }: Pick<RequestRow, 'state' | 'until'>, now: number): RequestState {
  const known = REQUEST_STATES.find((one) => one === state) ?? 'expired';
  return EXPIRES.includes(known) && until !== null && until <= now ? 'expired' : known;
}

/** Whether a request still goes somewhere at `now`. */
export const isOpen = (row: Pick<RequestRow, 'state' | 'until'>, now: number): boolean =>
  !OVER.includes(stateAt(row, now));

/**
 * The request after a step.
 *
 * @throws RequestError `REQUEST_STATE` when the step cannot follow.
 */
export function afterStep(row: RequestRow, step: Step, now: number): RequestRow {
  const next = nextOf(row, step, now);
  if (next === null)
    throw new RequestError(
      'REQUEST_STATE',
      `This request is ${stateAt(row, now)}, so that cannot be done with it. Nothing was changed.`,
    );
  return { ...row, ...next, changedAt: now };
}

type Change = Partial<Pick<RequestRow, 'state' | 'until' | 'reason' | 'reviewer'>>;

function nextOf(row: RequestRow, step: Step, now: number): Change | null {
  const state = stateAt(row, now);
  const from = (...states: readonly RequestState[]) => states.includes(state);
  switch (step.step) {
    case 'confirm':
      return from('asked') ? to(CONFIRMED[kindOf(row)]) : null;
    case 'withdraw':
      return from(...WITHDRAWABLE) ? to('withdrawn') : null;
    case 'made':
      return from('confirmed') ? to('ready', now + REQUEST_LIMITS.readyMs) : null;
    case 'begin':
      return from('cooling') && row.until !== null && row.until <= now ? to('erasing') : null;
    case 'finish':
      return from('erasing') ? to('done') : null;
    case 'expire':
      return row.state !== state && state === 'expired' ? to('expired') : null;
    case 'approve':
      return from('review') ? approved(row, step.by, now) : null;
    case 'refuse':
      return from('review', 'cooling') ? { ...to('refused'), reason: step.reason, reviewer: step.by } : null;
  }
}

const to = (state: RequestState, until: number | null = null): Change => ({ state, until });

/** A correction takes one person. An erasure takes two, so that nobody destroys alone; null for the same one twice. */
function approved(row: RequestRow, by: string, now: number): Change | null {
  if (kindOf(row) !== 'erasure') return { ...to('done'), reviewer: by };
  if (row.reviewer === null) return { reviewer: by };
  return row.reviewer === by ? null : to('cooling', now + REQUEST_LIMITS.coolingMs);
}

export const kindOf = ({ kind }: Pick<RequestRow, 'kind'>): RequestKind => {
  const known = REQUEST_KINDS.find((one) => one === kind);
  if (known === undefined) throw new RequestError('REQUEST_STATE', 'A newer version made this request.');
  return known;
};

/** @throws RequestError `REQUEST_INPUT` unless a kind comes with what it needs and nothing else. */
export function checkAsked(asked: {
  readonly kind: RequestKind;
  readonly about: string | null;
  readonly words: string | null;
}): void {
  const { kind, about, words } = asked;
  const isConsent = kind === 'consent';
  if (isConsent !== (about !== null) || (isConsent && !CONSENT_CHANGES.some((one) => one === about)))
    throw new RequestError('REQUEST_INPUT', `A consent change names one of: ${CONSENT_CHANGES.join(', ')}.`);
  const length = words?.trim().length ?? 0;
  const fits = length >= WORDS_LENGTH.min && length <= WORDS_LENGTH.max;
  if ((kind === 'correction') !== (words !== null) || (words !== null && !fits))
    throw new RequestError(
      'REQUEST_INPUT',
      `A correction says what is wrong in ${WORDS_LENGTH.min} to ${WORDS_LENGTH.max} characters; other requests take no text.`,
    );
}

/** A row as people see it at `now`. */
export function viewOf(id: string, row: RequestRow, now: number): RequestView {
  const state = stateAt(row, now);
  const waits = state === 'confirmed' || state === 'review';
  return {
    id,
    kind: kindOf(row),
    state,
    about: CONSENT_CHANGES.find((one) => one === row.about) ?? null,
    askedAt: row.askedAt,
    changedAt: row.changedAt,
    until: state === 'expired' ? null : row.until,
    answerBy: waits ? row.askedAt + REQUEST_LIMITS.answerMs : null,
    reason: (Object.keys(REFUSALS) as Refusal[]).find((one) => one === row.reason) ?? null,
    linked: row.linked,
  };
}
