import type { ConsentState, ConsentTopic } from '../access/consents.ts';
import type { Refusal } from '../lifecycle/requests/request.ts';

/** What each consent is about. */
export const TOPIC_WORDS: Readonly<Record<ConsentTopic, { title: string; means: string }>> = {
  treatment: {
    title: 'Treatment with this record',
    means: 'Clinicians who treat you may open your record.',
  },
  proxy: {
    title: 'Somebody acts for you',
    means: 'Who is registered to act for you may see and do what you may.',
  },
  sensitive: {
    title: 'Sensitive parts',
    means: 'Parts that are marked sensitive may be read by those who may read the rest.',
  },
};

export const CONSENT_WORDS: Readonly<Record<ConsentState, string>> = {
  none: 'Never asked',
  granted: 'Allowed',
  refused: 'Not allowed',
  withdrawn: 'Withdrawn',
};

/** What a refusal leaves open. */
export const AFTER_REFUSAL: Readonly<Record<Refusal, string>> = {
  retention: 'Ask again when that time is over.',
  'legal-hold': 'The clinic tells you when that has ended.',
  'not-entitled': 'Ask the clinic who may.',
  accurate: 'You may write a statement of disagreement; the clinic keeps it with the record.',
  'not-ours': 'Ask whoever wrote it.',
};
