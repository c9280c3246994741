/** What may be asked about one's data, as a person would say it; by the codes of `requestPrivacyAction`. */
export const KIND_WORDS: Readonly<Record<string, string>> = {
  export: 'Send me what you have on me',
  correction: 'Ask for a correction',
  consent: 'Change what I allow',
  erasure: 'Delete my data',
};

/** What may be allowed and no longer allowed. */
export const CONSENT_WORDS: Readonly<Record<string, string>> = {
  'proxy.granted': 'Let the person who acts for me use my chart',
  'proxy.withdrawn': 'Let nobody act for me any more',
  'sensitive.granted': 'Show the sensitive parts of my chart',
  'sensitive.withdrawn': 'Keep the sensitive parts of my chart closed',
  'treatment.granted': 'Let those who treat me use my chart',
  'treatment.withdrawn': 'Stop those who treat me from using my chart',
};
