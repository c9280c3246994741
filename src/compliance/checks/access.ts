import { type Check, cannotTell, count, judge } from '../check.ts';
import type { AccessFacts, ConfigFacts } from '../facts.ts';
import type { DutyFacts } from '../scan/duties.ts';
import { foundJson } from '../scan/places.ts';
import { SESSION_LIMITS } from '../sessions.ts';

const MOST_CHARTS_AN_HOUR = 200;

/** What is known of who gets in, whoever’s house it is. */
export interface AdmittanceFacts {
  readonly access: AccessFacts;
  readonly config: Pick<ConfigFacts, 'withoutSecondFactor' | 'staffRoles' | 'sessions'>;
  readonly rows: { readonly duties: Pick<DutyFacts, 'members' | 'oddMembers'> };
}

/** Who gets in, and to what, in any house. */
export const ADMITTANCE: readonly Check<AdmittanceFacts>[] = [
  {
    id: 'policies-answer',
    title: 'The access policies answer every case of their table, refusals above all',
    method: 'TEST',
    remedy: 'Run chartseal policy test, and mend the policy or, after review, the table.',
    run: ({ access: { cases } }) =>
      judge(cases.asked > 0 && cases.refusals > 0 && cases.wrong.length === 0, {
        yes: `${count(cases.asked, 'case')} asked, ${cases.refusals} of them refusals: all are answered as the table says.`,
        no: `${count(cases.wrong.length, 'case')} answered otherwise than the table says.`,
        evidence: { asked: cases.asked, refusals: cases.refusals, wrongLines: [...cases.wrong] },
      }),
  },
  {
    id: 'access-matrix',
    title: 'Who may use which tool is what was reviewed',
    method: 'TEST',
    remedy: 'Review the change, and run chartseal policy matrix --out docs/access-matrix.md.',
    run: ({ access: { matrix } }) =>
      matrix.reviewed === null
        ? cannotTell('The reviewed matrix is not here. Compare docs/access-matrix.md by hand.', {
            now: matrix.now,
          })
        : judge(matrix.now === matrix.reviewed, {
            yes: 'The matrix of the policies that run is the reviewed one, to the letter.',
            no: 'The policies that run give another matrix than the one that was reviewed.',
            evidence: { ...matrix },
          }),
  },
  {
    id: 'staff-second-factor',
    title: 'Everybody who may see others’ charts signs in with a second factor',
    method: 'EXAMINE',
    remedy: 'Unset CHARTSEAL_WITHOUT_SECOND_FACTOR.',
    run: ({ config: { withoutSecondFactor, staffRoles } }) =>
      judge(withoutSecondFactor === 0 && staffRoles.length > 0, {
        yes: `Every account of the roles ${staffRoles.join(', ')} needs a second factor.`,
        no: `${count(withoutSecondFactor, 'account')} of staff are exempt from the second factor.`,
        evidence: { exempt: withoutSecondFactor, staffRoles: [...staffRoles] },
      }),
  },
  {
    id: 'session-limits',
    title: 'Sessions and tokens end within their bounds',
    method: 'EXAMINE',
    remedy: 'Shorten the lifetimes in oauth/lifetimes.ts.',
    run: ({ config: { sessions } }) => {
      const names = Object.keys(SESSION_LIMITS) as (keyof typeof SESSION_LIMITS)[];
      const over = names.filter((name) => !(sessions[name] > 0 && sessions[name] <= SESSION_LIMITS[name]));
      return judge(over.length === 0, {
        yes: `An access token lasts ${sessions.accessToken / 60} minutes; a connection that nobody uses ends in ${sessions.idleGrant / 86_400} days.`,
        no: `Too long: ${over.join(', ')}.`,
        evidence: { seconds: { ...sessions }, most: { ...SESSION_LIMITS } },
      });
    },
  },
  {
    id: 'members-known',
    title: 'Every account has one known role, and patients their own chart',
    method: 'TEST',
    remedy: 'Correct or remove the named accounts.',
    run: ({ rows: { duties } }) =>
      judge(duties.oddMembers.count === 0, {
        yes: `${count(duties.members, 'account')}, each with a known role.`,
        no: `${count(duties.oddMembers.count, 'account')} with an unknown role or without a chart.`,
        evidence: { members: duties.members, ...(foundJson(duties.oddMembers) as object) },
      }),
  },
];

/** Who gets in here, and to what. */
export const ACCESS: readonly Check[] = [
  ...ADMITTANCE,
  {
    id: 'chart-limits',
    title: 'Somebody who opens unusually many charts is stopped',
    method: 'EXAMINE',
    remedy: 'Lower CHARTSEAL_PERSON_CHARTS.',
    run: ({ config: { personChartsAnHour } }) =>
      judge(personChartsAnHour <= MOST_CHARTS_AN_HOUR, {
        yes: `A person is stopped at ${personChartsAnHour} charts an hour.`,
        no: `A person is stopped at ${personChartsAnHour} charts an hour only; ${MOST_CHARTS_AN_HOUR} is the most here.`,
        evidence: { anHour: personChartsAnHour },
      }),
  },
  {
    id: 'relationships-end',
    title: 'Access to somebody’s chart ends by itself',
    method: 'TEST',
    remedy: 'Give the named relationships an end within five years.',
    run: ({ rows: { duties } }) =>
      judge(duties.endless.count === 0, {
        yes: `${count(duties.relationships, 'relationship')}, each ends within five years.`,
        no: `${count(duties.endless.count, 'relationship')} last longer than five years.`,
        evidence: foundJson(duties.endless),
      }),
  },
  {
    id: 'emergency-reviews',
    title: 'Every emergency access was reviewed in time by somebody else',
    method: 'TEST',
    remedy: 'Review what is overdue at /emergency.',
    run: ({ rows: { duties } }) =>
      judge(duties.overdueReviews.count === 0, {
        yes: `${count(duties.emergencies, 'emergency access', 'emergency accesses')}, none overdue.`,
        no: `${count(duties.overdueReviews.count, 'review')} overdue.`,
        evidence: { emergencies: duties.emergencies, ...(foundJson(duties.overdueReviews) as object) },
      }),
  },
];
