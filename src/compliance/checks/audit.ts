import type { VerdictName } from '../../audit/verify/report.ts';
import { type Check, cannotTell, count, judge } from '../check.ts';
import type { LogFacts } from '../scan/log.ts';
import { foundJson } from '../scan/places.ts';

const NO_LOG = 'No log could be verified. Set CHARTSEAL_CHECKPOINTS, and run chartseal audit verify.';

/** A verdict of the verifier as a check. */
const verdict = (name: VerdictName, check: Pick<Check, 'id' | 'title' | 'remedy'>): Check => ({
  ...check,
  method: 'TEST',
  run: ({ verified }) => {
    const found = verified?.verdicts.find((one) => one.name === name);
    if (found === undefined) return cannotTell(NO_LOG);
    const evidence = {
      state: found.state,
      count: found.count,
      first: found.findings.slice(0, 5).map((one) => ({ ...one })),
    };
    if (found.state === 'unknown' || found.state === 'skipped')
      return cannotTell(`${found.summary}.`, evidence);
    return judge(found.state === 'pass', {
      yes: `The verifier: ${found.summary}.`,
      no: `The verifier: ${found.summary}.`,
      evidence,
    });
  },
});
const ALARM =
  'Follow “audit alarm” in docs/runbook.md: keep the bundle, compare checkpoints, find who wrote.';

/** What is known of events, whoever’s log they are in. */
export interface EventFacts {
  readonly log: Pick<
    LogFacts,
    'events' | 'unattributed' | 'refusals' | 'disclosures' | 'unnamedDisclosures'
  > | null;
}

/** What events say, in any log. */
export const EVENTS: readonly Check<EventFacts>[] = [
  {
    id: 'events-attributed',
    title: 'Every event on a patient names who, why and by which policy',
    method: 'TEST',
    remedy: 'Find what wrote the named events past the pipeline.',
    run: ({ log }) =>
      log === null || log.events === 0
        ? cannotTell('The log has no event yet.')
        : judge(log.unattributed.count === 0, {
            yes: `${count(log.events, 'event')}, each with person, purpose and policy; ${log.refusals} of them refusals.`,
            no: `${count(log.unattributed.count, 'event')} without person, purpose or policy.`,
            evidence: foundJson(log.unattributed),
          }),
  },
  {
    id: 'disclosures-named',
    title: 'Every disclosure names who received it',
    method: 'TEST',
    remedy: 'Name the recipient: an accounting without one is none (45 CFR 164.528(b)(2)(ii)).',
    run: ({ log }) =>
      log === null
        ? cannotTell(NO_LOG)
        : judge(log.unnamedDisclosures.count === 0, {
            yes: `${count(log.disclosures, 'disclosure')}, each with its recipient.`,
            no: `${count(log.unnamedDisclosures.count, 'disclosure')} without a recipient.`,
            evidence: foundJson(log.unnamedDisclosures),
          }),
  },
];

/** The log, held to account by the verifier, and what its events say. */
export const AUDIT: readonly Check[] = [
  verdict('inclusion', {
    id: 'log-inclusion',
    title: 'No signed event was changed or removed',
    remedy: ALARM,
  }),
  verdict('consistency', {
    id: 'log-consistency',
    title: 'The log continues every checkpoint that was seen before',
    remedy: ALARM,
  }),
  verdict('signature', {
    id: 'log-signature',
    title: 'The log’s state is signed by a key that the server does not hold',
    remedy: ALARM,
  }),
  verdict('completeness', { id: 'log-completeness', title: 'No writer misses an event', remedy: ALARM }),
  verdict('freshness', {
    id: 'log-freshness',
    title: 'The last checkpoint is fresh, and nothing waits long',
    remedy: 'See why auditSequence and auditCheckpoint do not run.',
  }),
  verdict('store', { id: 'charts-as-logged', title: 'Charts are as they were last logged', remedy: ALARM }),
  verdict('keyUse', {
    id: 'key-use-logged',
    title: 'Each use of a patient’s key in CloudTrail has an event',
    remedy: `Run chartseal audit verify --cloudtrail FILE. ${ALARM}`,
  }),
  {
    id: 'journal-kept',
    title: 'Every line of the journal, kept by another administrator, is in the log',
    method: 'TEST',
    remedy: ALARM,
    run: ({ brought, verified }) => {
      const found = verified?.verdicts.find(({ name }) => name === 'completeness');
      if (!brought.journal || found === undefined)
        return cannotTell(
          'The journal is in another administrator’s log bucket. Run chartseal audit verify --journal FILE.',
        );
      return judge(!found.findings.some(({ code }) => code === 'EVENT_LOST'), {
        yes: 'Every line of the journal that was brought has its event.',
        no: 'The journal names events that the log does not have.',
        evidence: { state: found.state, count: found.count },
      });
    },
  },
  {
    id: 'journal-apart',
    title: 'The journal goes to another administrator’s log bucket',
    method: 'EXAMINE',
    remedy:
      'Make the bucket and the sink (npm run deploy -- --dry-run lists them), and set CHARTSEAL_JOURNAL to it.',
    run: ({ config: { journal } }) =>
      judge(journal !== null, {
        yes: `The journal is kept in ${journal}.`,
        no: 'No place of the journal is configured.',
        evidence: { journal },
      }),
  },
  {
    id: 'checkpoints-apart',
    title: 'Signed checkpoints are kept under another administrator',
    method: 'EXAMINE',
    remedy:
      'Set CHARTSEAL_CHECKPOINTS=gs://BUCKET, a bucket of another project with a locked retention policy.',
    run: ({ config: { checkpoints, witnesses } }) =>
      judge(checkpoints === 'bucket', {
        yes: `Checkpoints go to a bucket; ${count(witnesses, 'witness', 'witnesses')} sign them too.`,
        no:
          checkpoints === null
            ? 'Checkpoints are kept nowhere.'
            : 'Checkpoints go to a folder of this machine.',
        evidence: { checkpoints, witnesses },
      }),
  },
  {
    id: 'audit-retention',
    title: 'No audit event was cut before six years',
    method: 'TEST',
    remedy: 'Restore the named events from the backup, and cut with chartseal audit cut alone.',
    run: ({ log }) =>
      log === null
        ? cannotTell(NO_LOG)
        : judge(log.youngCuts.count === 0, {
            yes: `${count(log.cuts, 'cut')} in ${count(log.events, 'event')}, none of younger events.`,
            no: `${count(log.youngCuts.count, 'cut')} took events younger than six years.`,
            evidence: {
              events: log.events,
              first: log.first,
              cuts: log.cuts,
              young: foundJson(log.youngCuts),
            },
          }),
  },
  ...EVENTS,
];
