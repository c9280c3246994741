import { collection, type Ref, type Row, ref } from '../kernel/collection.ts';
import type { PatientId } from '../kernel/ids.ts';
import type { Transaction } from '../kernel/store.ts';

/** What a patient is asked about: being treated with this chart, a proxy acting, sensitive parts being read. */
export const CONSENT_TOPICS = ['proxy', 'sensitive', 'treatment'] as const;
export type ConsentTopic = (typeof CONSENT_TOPICS)[number];
/** `none`: never asked. */
export const CONSENT_STATES = ['none', 'granted', 'refused', 'withdrawn'] as const;
export type ConsentState = (typeof CONSENT_STATES)[number];

/** What a patient said on each topic. */
export type Consent = Readonly<Record<ConsentTopic, ConsentState>>;

/** What patients said, id = patient. Read at every call and never cached: a withdrawal holds on the next one. */
export const consents = collection('consents', {
  proxy: 'text',
  sensitive: 'text',
  treatment: 'text',
  changedAt: 'instant',
});

/** Where a patient's answers are. */
export const consentRef = (patient: PatientId): Ref<typeof consents.columns> => ref(consents, patient);

/** Never asked about anything. */
export const NO_CONSENT: Consent = { proxy: 'none', sensitive: 'none', treatment: 'none' };

/** A word that is no state counts as refused. */
export function consentOf(row: Row<typeof consents.columns> | null): Consent {
  if (row === null) return NO_CONSENT;
  const { proxy, sensitive, treatment } = row;
  return { proxy: stateOf(proxy), sensitive: stateOf(sensitive), treatment: stateOf(treatment) };
}

const stateOf = (word: string): ConsentState => CONSENT_STATES.find((state) => state === word) ?? 'refused';

/**
 * Records what a patient says on one topic. Withdrawing what was not granted is a refusal. The caller writes the
 * audit event into the same transaction, after this.
 *
 * @returns the state that now holds.
 */
export async function recordConsent(
  tx: Transaction,
  said: { patient: PatientId; topic: ConsentTopic; state: 'granted' | 'refused' | 'withdrawn'; now: number },
): Promise<ConsentState> {
  const { patient, topic, now } = said;
  const [row] = await tx.get(consentRef(patient));
  const before = consentOf(row);
  const state = said.state === 'withdrawn' && before[topic] !== 'granted' ? 'refused' : said.state;
  tx.put(consentRef(patient), { ...before, [topic]: state, changedAt: now });
  return state;
}
