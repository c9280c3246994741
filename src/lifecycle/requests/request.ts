import { CONSENT_TOPICS } from '../../access/consents.ts';
import type { ValueName } from '../../crypto/open-chart.ts';
import { collection, type Row } from '../../kernel/collection.ts';

/** What may be asked for. Stored: never rename one. */
export const REQUEST_KINDS = ['export', 'correction', 'consent', 'erasure'] as const;
export type RequestKind = (typeof REQUEST_KINDS)[number];

/** How far a request is. Stored: never rename one. The README draws what follows what. */
export const REQUEST_STATES = [
  'asked',
  'confirmed',
  'review',
  'cooling',
  'erasing',
  'ready',
  'done',
  'refused',
  'withdrawn',
  'expired',
] as const;
export type RequestState = (typeof REQUEST_STATES)[number];

/** Why a request is refused: code → words. */
export const REFUSALS = {
  retention: 'The law obliges the clinic to keep this record for longer',
  'legal-hold': 'The record is needed for a legal claim or an investigation',
  'not-entitled': 'The person who asks may not ask this for the patient',
  accurate: 'The record was checked and is accurate and complete',
  'not-ours': 'The clinic did not create this part of the record',
} as const;
export type Refusal = keyof typeof REFUSALS;

/** What a consent change would say: topic and state. */
export const CONSENT_CHANGES = CONSENT_TOPICS.flatMap((topic) =>
  (['granted', 'withdrawn'] as const).map((state) => `${topic}.${state}` as const),
);
export type ConsentChange = (typeof CONSENT_CHANGES)[number];

/** Requests about patients' data. Codes, times and opaque ids alone. */
export const privacyRequests = collection('privacyRequests', {
  patient: 'text',
  kind: 'text',
  state: 'text',
  /** The consent that is to change; null for other kinds. */
  about: 'text?',
  /** Who asked. */
  asker: 'text',
  askedAt: 'instant',
  changedAt: 'instant',
  /** When the present state is over: unconfirmed, cooling off, or ready. */
  until: 'instant?',
  /** Why it was refused. */
  reason: 'text?',
  /** The first of two who approve an erasure, or whoever answered. */
  reviewer: 'text?',
  /** The export that goes before an erasure. */
  linked: 'text?',
  /** Keyed digest of what was asked: the same again is the same request. */
  same: 'bytes',
  /** The person wrote something, sealed in the chart. */
  hasWords: 'boolean',
});
export type RequestRow = Row<typeof privacyRequests.columns>;

/** A request as people see it. Times are ms since the epoch. */
export interface RequestView {
  readonly id: string;
  readonly kind: RequestKind;
  readonly state: RequestState;
  readonly about: ConsentChange | null;
  readonly askedAt: number;
  readonly changedAt: number;
  readonly until: number | null;
  /** By when the clinic has to answer: a month (GDPR Art. 12(3)), 30 days (45 CFR 164.524(b)(2)). Null once it has. */
  readonly answerBy: number | null;
  readonly reason: Refusal | null;
  readonly linked: string | null;
}

/** Version of the plaintext of what a person wrote: UTF-8 text. */
export const WORDS_SCHEMA = 1;
/** What a person may write, in characters. */
export const WORDS_LENGTH = { min: 3, max: 2_000 } as const;

/** Where what a person wrote is sealed. */
export const wordsName = (id: string): ValueName => ({
  collection: 'requests',
  document: id,
  compartment: 'words',
});
