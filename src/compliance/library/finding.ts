import type { JsonValue } from '../../kernel/collection.ts';

/** `notAssessable`: what was given does not tell; the summary says what a person looks at. */
export type Status = 'satisfied' | 'notSatisfied' | 'notAssessable';

/** What one check found. No value of a row is in it: names, ids, counts and codes. */
export interface Finding {
  /** Stable, kebab-case: findings of different days are compared by it. */
  readonly check: string;
  readonly status: Status;
  /** One sentence for people. */
  readonly summary: string;
  /** What the summary stands on, small. */
  readonly evidence: JsonValue;
}
