import type { Check } from '../check.ts';
import { ageOf, WRAPPING_KEY } from '../checks/keys.ts';
import { MAX_PLACES } from '../scan/places.ts';
import type { Finding } from './finding.ts';
import { findingOf } from './judge.ts';

/** One key, as its administrator sees it. */
export interface KeyRecord {
  /** What may be reported: an ARN, a version; never the key. */
  readonly id: string;
  /** `wrapping`: in a key management service, which turns it by itself. `data`: wrapped by one, and replaced with age. */
  readonly kind: 'wrapping' | 'data';
  /** `retired`: nothing is sealed or opened with it any more, and it is not looked at. */
  readonly state: 'enabled' | 'disabled' | 'pendingDeletion' | 'retired';
  /** When its material was made or last replaced, in ms since the epoch. */
  readonly createdAt: number;
  /** How often its service turns it, in days; null when it does not. */
  readonly rotatesEveryDays: number | null;
}

/** Against what {@link checkKeyRotation} judges. */
export interface KeyRotationOptions {
  /** Ms since the epoch. */
  readonly now: number;
  /** The oldest that a data key becomes, in ms: your own cryptoperiod. No law names one; a year is usual. */
  readonly maxAgeMs: number;
}

const AGE = ageOf<KeyRecord>(
  { id: 'key-age', title: 'No data key is over its greatest age', remedy: '' },
  ({ createdAt }) => createdAt,
);

/**
 * Judges a list of keys: `key-works` (each is enabled), `key-rotation` (each wrapping key is turned by its service at
 * least once a year), `key-age` (no data key is older than you allow). A check for which no key was given is
 * `notAssessable`.
 */
export function checkKeyRotation(keys: readonly KeyRecord[], options: KeyRotationOptions): Finding[] {
  const inUse = keys.filter(({ state }) => state !== 'retired');
  const wrapping = inUse.filter(({ kind }) => kind === 'wrapping');
  const { now: at, maxAgeMs: keyMaxAgeMs } = options;
  return [
    ...WRAPPING_KEY.map((check) => overAll(check, check.id === 'key-works' ? inUse : wrapping, asWrapping)),
    overAll(
      AGE,
      inUse.filter(({ kind }) => kind === 'data'),
      (key) => ({ keys: key, at, config: { keyMaxAgeMs } }),
    ),
  ];
}

const AWS_STATES = { enabled: 'Enabled', disabled: 'Disabled', pendingDeletion: 'PendingDeletion' };

const asWrapping = ({ state, createdAt, rotatesEveryDays }: KeyRecord) => ({
  keys: {
    wrappingKey: {
      problem: null,
      facts: {
        ...{
          state: AWS_STATES[state === 'retired' ? 'disabled' : state],
          createdAt,
          material: null,
          deletedAt: null,
        },
        rotation: rotatesEveryDays === null ? null : { periodDays: rotatesEveryDays, nextAt: null },
      },
    },
  },
});

/** One check over many keys: satisfied when it is for each. */
function overAll<F>(check: Check<F>, keys: readonly KeyRecord[], factsOf: (key: KeyRecord) => F): Finding {
  const outcomes = keys.map((key) => ({ key, outcome: check.run(factsOf(key)) }));
  const red = outcomes.filter(({ outcome }) => outcome.state !== 'satisfied');
  const worst = red[0];
  const evidence = {
    keys: keys.length,
    count: red.length,
    first: red.slice(0, MAX_PLACES).map(({ key, outcome }) => ({ key: key.id, evidence: outcome.evidence })),
  };
  if (keys.length === 0)
    return findingOf(check.id, { state: 'not-assessable', sentence: 'No such key was given.', evidence });
  if (worst === undefined)
    return findingOf(check.id, {
      state: 'satisfied',
      sentence: `${keys.length} of ${keys.length} keys.`,
      evidence,
    });
  const sentence = `${red.length} of ${keys.length} keys, the first ${worst.key.id}: ${worst.outcome.sentence}`;
  return findingOf(check.id, { ...worst.outcome, sentence, evidence });
}
