import type { RequestKind, RequestState } from './request.ts';

/** Kinds of requests as people call them. */
export const KIND_WORDS: Readonly<Record<RequestKind, string>> = {
  export: 'A copy of my data',
  correction: 'A correction',
  consent: 'A change of what I allow',
  erasure: 'Delete my data',
};

/** States as people read them. */
export const STATE_WORDS: Readonly<Record<RequestState, string>> = {
  asked: 'Waits for you to confirm it',
  confirmed: 'Being prepared',
  review: 'The clinic is looking at it',
  cooling: 'Approved. You can still stop it',
  erasing: 'Being deleted',
  ready: 'Ready to download',
  done: 'Done',
  refused: 'Refused',
  withdrawn: 'Withdrawn',
  expired: 'Over',
};
