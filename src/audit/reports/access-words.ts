import type { AuditEvent } from '../event.ts';

/** HL7 v3 PurposeOfUse in the words of a patient's own report. */
export const PURPOSE_WORDS: Readonly<Record<string, string>> = {
  PATRQT: 'at the patient’s own request',
  FAMRQT: 'for somebody who acts for the patient',
  TREAT: 'treatment',
  ETREAT: 'emergency',
  HOPERAT: 'the clinic’s work',
};

/** What an event did, in the same words. */
export const ACTION_WORDS: Readonly<Record<AuditEvent['action'], string>> = {
  C: 'wrote',
  R: 'read',
  U: 'changed',
  D: 'deleted',
  E: 'found in a search',
};
