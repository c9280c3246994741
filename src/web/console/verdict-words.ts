import { overall, type Report, type Verdict, type VerdictName } from '../../audit/verify/report.ts';

/** How a verdict is shown: a tone for its colour, a word, and a sentence. */
export interface Shown {
  readonly tone: 'good' | 'bad' | 'warn' | 'none';
  readonly word: string;
}

/** What each verdict asks, in the words of somebody who is not a cryptographer. */
export const QUESTIONS: Readonly<Record<VerdictName, string>> = {
  inclusion: 'Is every signed event here, unchanged, in its place?',
  consistency: 'Does the log continue what was signed before?',
  signature: 'Did the log’s own key sign it?',
  completeness: 'Is no event missing that a writer wrote?',
  freshness: 'Is the signature recent?',
  store: 'Are the charts as they were last logged?',
  keyUse: 'Has each use of a patient’s key an event?',
};

/** A verdict in one word. What is not covered yet is said to be not covered yet. */
export function wordOf({ name, state, findings }: Verdict, { pending }: Report): Shown {
  switch (state) {
    case 'pass':
      return name === 'completeness' && pending > 0
        ? { tone: 'good', word: `Verified, ${pending} pending` }
        : { tone: 'good', word: 'Verified' };
    case 'fail':
      return findings.every(({ code }) => code === 'STALE')
        ? { tone: 'warn', word: 'Stale' }
        : { tone: 'bad', word: 'Broken' };
    case 'unknown':
      return { tone: 'warn', word: 'Not known' };
    case 'skipped':
      return { tone: 'none', word: 'Not checked' };
  }
}

/** The whole answer in one sentence. */
export function sentenceOf(report: Report): Shown {
  const failed = report.verdicts.filter(({ state }) => state === 'fail');
  const isStale = failed.every(({ findings }) => findings.every(({ code }) => code === 'STALE'));
  if (failed.length > 0 && !isStale)
    return {
      tone: 'bad',
      word: `The log does not hold: ${failed.map(({ name }) => nameOf(name)).join(', ')}.`,
    };
  if (failed.length > 0)
    return {
      tone: 'warn',
      word: 'What was signed holds, but the last signature is stale: newer events are not covered.',
    };
  if (overall(report) === 'unknown')
    return { tone: 'warn', word: 'Nothing wrong was found, but not everything could be found out.' };
  return { tone: 'good', word: 'Every signed event is here, unchanged and in its place.' };
}

/** A verdict's name for people. */
export const nameOf = (name: VerdictName): string => (name === 'keyUse' ? 'key use' : name);
