import type { PolicyDocument, PolicyFacts } from './facts.ts';
import { LAW } from './law.ts';
import { blank, duration, listed, seconds, tableOf } from './words.ts';

/** Who may see what, and for how long. */
export function accessPolicy({ config, access }: PolicyFacts): PolicyDocument {
  const { lifetimes, charts, emergency } = access;
  return {
    id: 'access',
    title: 'Access',
    body: `
Owner: ${blank('name and role')}. The access matrix was approved by ${blank('name, date')}.

## Who

Roles: ${listed(access.roles)}. A call is allowed when the tenant, the token’s scopes, the role, the relationship to the
patient, the patient’s consent (${listed(access.consents)}) and the purpose (${listed(access.purposes)}) all allow it; else it is
refused in the words of a record that does not exist. Cells of the matrix are in docs/access-matrix.md (${LAW.hash}
\`${access.matrixSha256}\`); in short:

${tableOf(
  ['Role', 'Tools'],
  access.tools.map(({ role, tools }) => [role, tools.join(', ') || 'none']),
)}

## Signing in

- ${listed(config.staffRoles)} sign in with a second factor. Accounts that are exempt: ${config.withoutSecondFactor}.
- A sign-in older than ${seconds(lifetimes.signIn)} is not accepted. An access token lasts ${seconds(lifetimes.accessToken)}; a connection ends
  after ${seconds(lifetimes.grant)}, and after ${seconds(lifetimes.idleGrant)} that nobody used it.
- Pages for private matters sign out after ${duration(lifetimes.pageMs)}; the auditor’s console after ${duration(lifetimes.consoleIdleMs)} without a call
  and ${duration(lifetimes.consoleMs)} in any case.

## Bounds

Within an hour a person who opens ${charts.person.slowAfter} different charts is slowed and at ${charts.person.stopAfter} stopped; a client that many share at ${charts.client.slowAfter} and
${charts.client.stopAfter}. Both ring an alarm.

## Emergency

A clinician who must open a chart does so at \`/emergency\`, freshly signed in, for ${listed(emergency.minutes.map(String))} minutes, to read only. Somebody else
reviews each within ${duration(emergency.reviewMs)}.

## Joining and leaving

Accounts are asked for by ${blank('role')}, approved by ${blank('role')}, and removed on the last day of work by ${blank('role')}. They are
reviewed every ${blank('period')}.
`,
  };
}

/** How long what is kept, and how it ends. */
export function retentionPolicy({ config, retention, requests }: PolicyFacts): PolicyDocument {
  return {
    id: 'retention',
    title: 'Retention and erasure',
    body: `
Owner: ${blank('name and role')}. Which law sets the time for records here: ${blank('law and place')}.

${tableOf(
  ['What', 'How long'],
  [
    [
      'records of patients',
      config.recordMs > 0
        ? `at least ${duration(config.recordMs)} after the last treatment`
        : 'no least time is set',
    ],
    [
      'audit events',
      `${retention.auditYears} years; never less than ${retention.auditFloorYears} (${LAW.documents}; ${LAW.auditPractice})`,
    ],
    ['backups', `at most ${duration(config.backupMs)}`],
    ['answers kept for repeated requests', duration(retention.answerKeptMs)],
    ['finished exports', duration(requests.readyMs)],
    ['requests that nobody confirmed', duration(requests.confirmMs)],
    ['registered clients that nobody connected', seconds(retention.unusedClientS)],
  ],
)}

Rows that end by themselves: ${listed(retention.expiring)}.

## Erasure

An erasure takes an administrator and a second one, and can be withdrawn for ${duration(requests.coolingMs)}. It destroys the patient’s keys first, then
the rows, and leaves a receipt that says when the last backup is gone. A legal hold stops it. Erased people stay erased
after a restore: tombstones are applied before anything is served.

Documents of this policy are kept by ${blank('role')} (${LAW.documents}).
`,
  };
}

/** Words for the people whose data it is. The organisation's own notice goes around them. */
export function privacyNotice({ config, requests, retention, processors }: PolicyFacts): PolicyDocument {
  return {
    id: 'privacy-notice',
    title: 'Privacy notice: the part about this app',
    body: `
*A text to put into the organisation’s own notice (${LAW.notice}); counsel reads it before it is shown.*

**Who we are.** ${blank('name and address of the clinic')}. Questions about your data: ${blank('privacy officer, telephone, e-mail')}.

**What the app does.** You ask an assistant (${listed(processors.assistants)}) to look something up in your record or to book a visit. The
assistant sees what it asked for and what our answer says: as little as the task needs. Card numbers, social security numbers
and notes marked as sensitive are never given to it.

**What we keep.** Your record, your visits, what you allowed, and who opened your record when and why. It is sealed so that
the database alone shows none of it.

**How long.** ${config.recordMs > 0 ? `Your record at least ${duration(config.recordMs)} after your last treatment` : `Your record for ${blank('time')}`}; the log of who opened it ${retention.auditYears} years.
After an erasure the last backup is gone within ${duration(config.backupMs)}.

**What you can do.** At ${config.origin}/privacy: see who opened your record, get a copy, ask for a correction, allow and
withdraw, have it deleted. We answer within ${duration(requests.answerMs)}. A deletion can be withdrawn for ${duration(requests.coolingMs)}.

**Who else receives it.** Those named in our list of processors: ${blank('where it can be read')}.

**To complain.** ${blank('supervisory authority, or the HHS Office for Civil Rights')}. You may ask for an accounting of disclosures (${LAW.accounting}).
`,
  };
}
