import type { JsonValue } from '../kernel/collection.ts';
import type { Facts } from './facts.ts';

/** `not-assessable`: software cannot tell here; the sentence says what a person looks at instead. */
export const STATES = ['satisfied', 'not-satisfied', 'not-assessable'] as const;
export type State = (typeof STATES)[number];

/** What a check found. No PHI: names, ids, counts and codes. */
export interface Outcome {
  readonly state: State;
  /** One sentence for people. */
  readonly sentence: string;
  /** What the sentence stands on, small. */
  readonly evidence: JsonValue;
}

/**
 * One thing that is so or is not. Pure: it judges facts that were gathered once, and does no I/O. `F` is what of them it
 * looks at.
 */
export interface Check<F = Facts> {
  /** Stable, kebab-case: reports of different days are compared by it. */
  readonly id: string;
  /** What holds when it is satisfied. */
  readonly title: string;
  /** OSCAL's words: TEST tries the running system, EXAMINE reads what is configured or stored. */
  readonly method: 'EXAMINE' | 'TEST';
  /** What to do when it is not satisfied. */
  readonly remedy: string;
  run(facts: F): Outcome;
}

/** The two answers of a check, `yes` when `ok`. */
export function judge(ok: boolean, says: { yes: string; no: string; evidence: JsonValue }): Outcome {
  return {
    state: ok ? 'satisfied' : 'not-satisfied',
    sentence: ok ? says.yes : says.no,
    evidence: says.evidence,
  };
}

/** Software cannot tell: `sentence` says who looks at what. */
export const cannotTell = (sentence: string, evidence: JsonValue = null): Outcome => ({
  state: 'not-assessable',
  sentence,
  evidence,
});

/** `1 row`, `2 rows`. */
export const count = (n: number, one: string, many: string = `${one}s`): string =>
  `${n} ${n === 1 ? one : many}`;
