import { CONSENT_TOPICS } from '../access/consents.ts';
import type { AuditEvent } from '../audit/event.ts';
import { ACTION_WORDS, PURPOSE_WORDS } from '../audit/reports/access-words.ts';
import { html, type SafeHtml } from '../kernel/html.ts';
import { DOCUMENTS_FILE } from '../lifecycle/export/document-files.ts';
import { EXPORT_FILE_IDS, EXPORT_FILES } from '../lifecycle/export/files.ts';
import { TYPED } from '../lifecycle/requests/confirm.ts';
import { REFUSALS, type RequestView, WORDS_LENGTH } from '../lifecycle/requests/request.ts';
import { REQUEST_LIMITS } from '../lifecycle/requests/rules.ts';
import { KIND_WORDS, STATE_WORDS } from '../lifecycle/requests/words.ts';
import type { OwnChart } from '../oauth/page-charts.ts';
import type { Page } from '../oauth/pages.ts';
import type { DeskOverview } from './desk.ts';
import { formTo, hidden, type PrivacyContext, pageOf, signOutForm } from './frame.ts';
import { AFTER_REFUSAL, CONSENT_WORDS, TOPIC_WORDS } from './words.ts';

const COOLING_DAYS = REQUEST_LIMITS.coolingMs / 86_400_000;

/** Said wherever something is deleted. */
const NOT_OURS = html`<p class="note">Your conversation with ChatGPT is not ours to delete: OpenAI keeps it. Delete it in
  ChatGPT, or ask OpenAI.</p>`;

const pathOf = (patient: string, act?: string): string =>
  `/privacy/chart/${patient}${act === undefined ? '' : `/${act}`}`;

/** Whose data it is to be about, for somebody who has several, or none. */
export function choicePage(context: PrivacyContext, charts: readonly OwnChart[]): Page {
  const items = charts.map(
    ({ patient, name }) =>
      html`<li class="waiting"><p><a class="button" href="${pathOf(patient)}">${name ?? 'Your own data'}</a></p></li>`,
  );
  const body = html`
    <h1>Your data</h1>
    ${
      charts.length === 0
        ? html`<p>No health record is connected with this account. Ask the clinic’s front desk.</p>`
        : html`<p>Whose data is it about?</p><ul class="queue">${items}</ul>`
    }
    ${signOutForm(context)}`;
  return pageOf(context.assets, { status: 200, title: 'Your data', body });
}

/** Everything about one chart. `problem` repeats nothing that was typed. */
export function overviewPage(
  context: PrivacyContext,
  { chart, seen }: { chart: OwnChart; seen: DeskOverview },
  say: { status: number; problem: string },
): Page {
  const title = chart.name === null ? 'Your data' : `The data of ${chart.name}`;
  const body = html`
    <h1>${title}</h1>
    <p class="error" role="alert">${say.problem}</p>
    <h2>Requests</h2>
    ${requestsOf(context, seen)}
    ${startersOf(context, seen)}
    <h2>What is allowed</h2>
    ${consentsOf(context, seen)}
    <h2>Who opened the record</h2>
    ${accessesOf(context, seen)}
    ${NOT_OURS}
    ${signOutForm(context)}`;
  return pageOf(context.assets, { status: say.status, title, body });
}

function requestsOf(context: PrivacyContext, { patient, requests }: DeskOverview): SafeHtml {
  if (requests.length === 0) return html`<p>You have not asked for anything yet.</p>`;
  const items = requests.map(
    (one) => html`
      <li class="waiting">
        <p><strong>${KIND_WORDS[one.kind]}</strong></p>
        <p class="detail">${STATE_WORDS[one.state]}. Asked ${context.time(one.askedAt)}.${moreOf(context, one)}</p>
        ${actionsOf(context, patient, one)}
      </li>`,
  );
  return html`<ul class="queue">${items}</ul>`;
}

function moreOf({ time }: PrivacyContext, one: RequestView): string {
  if (one.reason !== null) return ` ${REFUSALS[one.reason]}. ${AFTER_REFUSAL[one.reason]}`;
  if (one.state === 'cooling' && one.until !== null) return ` Deletion begins ${time(one.until)}.`;
  if (one.state === 'ready' && one.until !== null) return ` Kept until ${time(one.until)}.`;
  if (one.state === 'asked' && one.until !== null) return ` Confirm it before ${time(one.until)}.`;
  return one.answerBy === null ? '' : ` You have an answer by ${time(one.answerBy)}.`;
}

function actionsOf(context: PrivacyContext, patient: string, one: RequestView): SafeHtml {
  const about = html`<span class="unseen"> ${KIND_WORDS[one.kind]}, asked ${context.time(one.askedAt)}</span>`;
  const id = hidden('id', one.id);
  const withdraw = html`<button type="submit">Withdraw${about}</button>`;
  return html`${
    one.state === 'ready'
      ? [...EXPORT_FILE_IDS, 'documents' as const].map((file) => {
          const { words } = file === 'documents' ? DOCUMENTS_FILE : EXPORT_FILES[file];
          const fields = html`${id}${hidden('file', file)}<button type="submit">${words}${about}</button>`;
          return formTo(context, pathOf(patient, 'download'), fields);
        })
      : ''
  }${one.state === 'asked' ? confirmOf(context, patient, one, about) : ''}${
    ['asked', 'confirmed', 'review', 'cooling', 'ready'].includes(one.state)
      ? formTo(context, pathOf(patient, 'withdraw'), html`${id}${withdraw}`)
      : ''
  }`;
}

function confirmOf(context: PrivacyContext, patient: string, one: RequestView, about: SafeHtml): SafeHtml {
  if (one.kind === 'erasure')
    return html`<p><a class="button" href="${pathOf(patient, `erase/${one.id}`)}">Go on<span class="unseen"> with deleting</span></a></p>`;
  const fields = html`${hidden('id', one.id)}<button class="primary" type="submit">Confirm${about}</button>`;
  return formTo(context, pathOf(patient, 'confirm'), fields);
}

function startersOf(context: PrivacyContext, { patient }: DeskOverview): SafeHtml {
  const start = pathOf(patient, 'start');
  return html`
    <details><summary>Ask for something</summary>
    ${formTo(context, start, html`${hidden('kind', 'export')}<button type="submit">Get a copy of everything</button>`)}
    ${formTo(
      context,
      start,
      html`${hidden('kind', 'correction')}<label for="words">What is wrong, and what is right?</label>
        <textarea id="words" name="words" rows="3" required minlength="${WORDS_LENGTH.min}" maxlength="${WORDS_LENGTH.max}"
          aria-describedby="words-note"></textarea>
        <p id="words-note" class="detail">Kept sealed in the record; the clinic’s reviewer reads it.</p>
        <button type="submit">Ask for a correction</button>`,
    )}
    ${formTo(context, start, html`${hidden('kind', 'erasure')}<button type="submit">Delete everything…</button>`)}
    </details>`;
}

function consentsOf(context: PrivacyContext, { patient, consent }: DeskOverview): SafeHtml {
  const items = CONSENT_TOPICS.map((topic) => {
    const { title, means } = TOPIC_WORDS[topic];
    const granted = consent[topic] === 'granted';
    const fields = html`${hidden('topic', topic)}${hidden('state', granted ? 'withdrawn' : 'granted')}
      <button type="submit">${granted ? 'Withdraw' : 'Allow'}<span class="unseen"> ${title}</span></button>`;
    return html`
      <li class="waiting">
        <p><strong>${title}</strong> <span class="state">${CONSENT_WORDS[consent[topic]]}</span></p>
        <p class="detail">${means}</p>
        ${formTo(context, pathOf(patient, 'consent'), fields)}
      </li>`;
  });
  return html`<p class="detail">A change holds at once.</p><ul class="queue">${items}</ul>`;
}

function accessesOf({ time }: PrivacyContext, { accesses, complete }: DeskOverview): SafeHtml {
  const items = accesses.map(
    (event) => html`
      <li class="waiting"><p>${who(event)} ${ACTION_WORDS[event.action]}
        <span class="detail">(${event.operation}, ${PURPOSE_WORDS[event.purposeOfUse] ?? event.purposeOfUse})<br>${time(Date.parse(event.recorded))}</span></p></li>`,
  );
  const note = complete
    ? ''
    : html`<p class="detail">These are the last ones. All of them are in the copy of your data.</p>`;
  return html`<p class="detail">Your own visits to this page are left out.</p>
    <ul class="queue">${items}</ul>${note}`;
}

const ROLE_WORDS: Readonly<Record<string, string>> = {
  patient: 'The patient',
  proxy: 'Who acts for the patient',
  clinician: 'A clinician',
  frontdesk: 'The front desk',
  job: 'The system',
  admin: 'An administrator',
};
const who = ({ actor: { role } }: AuditEvent): string => ROLE_WORDS[role] ?? role;

/** What deleting means, and the field to type it out. */
export function erasePage(
  context: PrivacyContext,
  at: { patient: string; id: string },
  say: { status: number; problem: string },
): Page {
  const body = html`
    <h1>Delete everything?</h1>
    <ol class="steps">
      <li>First a copy of everything is prepared for you. Download it, with your documents: afterwards nobody can make one.</li>
      <li>Two people at the clinic check that the law lets it go. Some records must be kept for years; then you are told
        so, with the reason.</li>
      <li>After their approval you have ${COOLING_DAYS} days to change your mind, here.</li>
      <li>Then the keys of the record are destroyed, and nothing of it opens any more. Visits to come are cancelled, and
        the patient’s own account is deleted.</li>
      <li>Backups that still hold sealed remains are gone some weeks later. The log of who opened the record stays, without
        your name.</li>
    </ol>
    ${NOT_OURS}
    ${formTo(
      context,
      pathOf(at.patient, 'confirm'),
      html`${hidden('id', at.id)}<label for="typed">Type ${TYPED} to go on</label>
      <input id="typed" name="typed" autocomplete="off" autocapitalize="characters" spellcheck="false" required autofocus
        aria-describedby="problem">
      <p id="problem" class="error" role="alert">${say.problem}</p>
      <button class="primary" type="submit">Ask the clinic to delete it</button>`,
    )}
    <p><a class="button" href="${pathOf(at.patient)}">Keep everything</a></p>`;
  return pageOf(context.assets, { status: say.status, title: 'Delete everything?', body });
}
