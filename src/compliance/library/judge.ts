import type { Check, Outcome, State } from '../check.ts';
import type { Finding, Status } from './finding.ts';

const STATUS: Readonly<Record<State, Status>> = {
  satisfied: 'satisfied',
  'not-satisfied': 'notSatisfied',
  'not-assessable': 'notAssessable',
};

/** Runs checks over what was given of a stranger's house. */
export const findingsOf = <F>(checks: readonly Check<F>[], facts: F): Finding[] =>
  checks.map(({ id, run }) => findingOf(id, run(facts)));

/** An outcome in the words that other apps read. */
export const findingOf = (check: string, { state, sentence, evidence }: Outcome): Finding => ({
  ...{ check, status: STATUS[state], summary: sentence, evidence },
});
