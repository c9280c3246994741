import { fileNameOf } from '../clinic/documents/display-text.ts';
import { type ChartDocument, DOCUMENT_KINDS, DOCUMENT_LIMITS } from '../clinic/documents/document.ts';
import { FILE_TYPES } from '../clinic/documents/file-types.ts';
import { html, type SafeHtml } from '../kernel/html.ts';
import type { OwnVisit } from '../oauth/own-pages.ts';
import type { OwnChart } from '../oauth/page-charts.ts';
import { layout, type Page, policy } from '../oauth/pages.ts';
import { whoFields } from '../oauth/patient-search.ts';
import type { DocumentsOverview } from './desk.ts';

const MIB = 1_048_576;
const TITLE = 'Documents';
/** What the browser offers to choose; what counts is what is in the file. */
const ACCEPT = Object.entries(FILE_TYPES).flatMap(([type, { ending }]) => [type, `.${ending}`]);

/** What went wrong; repeats nothing that was typed. */
export interface Say {
  readonly status: number;
  readonly problem: string;
  readonly done?: string;
}

export const chartPath = (patient: string, act?: string): string =>
  `/documents/chart/${patient}${act === undefined ? '' : `/${act}`}`;

/** Whose documents, for somebody who has several, or none. */
export function choicePage(visit: OwnVisit, charts: readonly OwnChart[]): Page {
  const items = charts.map(
    ({ patient, name }) =>
      html`<li class="waiting"><p><a class="button" href="${chartPath(patient)}">${name ?? 'Your own documents'}</a></p></li>`,
  );
  const body = html`
    <h1>${TITLE}</h1>
    ${
      charts.length === 0
        ? html`<p>No health record is connected with this account. Ask the clinic’s front desk.</p>`
        : html`<p>Whose documents?</p><ul class="queue">${items}</ul>`
    }
    ${signOutForm(visit)}`;
  return pageOf(visit, { status: 200, body });
}

/** For staff: which patient. */
export function findPage(visit: OwnVisit, say: Say): Page {
  const body = html`
    <h1>${TITLE}</h1>
    <p class="error" role="alert">${say.problem}</p>
    ${formTo(visit, '/documents/find', html`${whoFields}<button class="primary" type="submit">Go on</button>`)}
    ${signOutForm(visit)}`;
  return pageOf(visit, { status: say.status, body });
}

/** The documents of one chart, and the form for another. */
export function documentsPage(visit: OwnVisit, seen: DocumentsOverview, say: Say): Page {
  const { patient, name, documents } = seen;
  const body = html`
    <h1>${name === null ? 'Your documents' : `Documents of ${name}`}</h1>
    <p class="error" role="alert">${say.problem}</p>
    ${say.done === undefined ? '' : html`<p role="status">${say.done}</p>`}
    ${documents === null ? html`<p>You may add a document. Who treats the patient reads it.</p>` : listOf(visit, patient, documents)}
    ${addForm(visit, patient)}
    <p class="note">Files are kept here, never in a chat: what you send to ChatGPT stays with OpenAI and does not come into
      the record.</p>
    ${signOutForm(visit)}`;
  return pageOf(visit, { status: say.status, body });
}

function listOf(visit: OwnVisit, patient: string, documents: readonly ChartDocument[]): SafeHtml {
  if (documents.length === 0) return html`<p>No document is kept.</p>`;
  const items = documents.map(
    ({ id, title, kind, type, size, addedAt, addedBy }) => html`
      <li class="waiting">
        <p><strong>${title}</strong></p>
        <p class="detail">${DOCUMENT_KINDS[kind]}, ${FILE_TYPES[type].words}, ${sizeOf(size)}. Added ${visit.time(addedAt)}
          by ${BY_WORDS[addedBy] ?? 'the clinic'}.</p>
        ${formTo(
          visit,
          chartPath(patient, 'open'),
          html`<input type="hidden" name="id" value="${id}">
          <button type="submit">Download<span class="unseen"> ${title}</span></button>`,
        )}
      </li>`,
  );
  return html`<ul class="queue">${items}</ul>`;
}

function addForm(visit: OwnVisit, patient: string): SafeHtml {
  const kinds = Object.entries(DOCUMENT_KINDS).map(
    ([kind, words]) => html`<option value="${kind}">${words}</option>`,
  );
  // The file stands last: what it is checked against has arrived when it begins.
  return html`
    <form method="post" action="${chartPath(patient, 'add')}" enctype="multipart/form-data">
      <input type="hidden" name="csrf" value="${visit.csrf}">
      <fieldset>
        <legend>Add a document</legend>
        <label for="kind">What it is</label>
        <select id="kind" name="kind" required><option value="">Choose one</option>${kinds}</select>
        <label for="title">Title</label>
        <input id="title" name="title" maxlength="120" aria-describedby="title-note">
        <p id="title-note" class="detail">Left empty, the file’s name.</p>
        <label for="file">File</label>
        <input id="file" name="file" type="file" required accept="${ACCEPT.join(',')}" aria-describedby="file-note">
        <p id="file-note" class="detail">PDF, PNG, JPEG or plain text, at most ${DOCUMENT_LIMITS.bytes / MIB} MB. It stays in
          the record: only the clinic can correct that.</p>
      </fieldset>
      <button class="primary" type="submit">Add this document</button>
    </form>`;
}

const BY_WORDS: Readonly<Record<string, string>> = {
  patient: 'the patient',
  proxy: 'who acts for the patient',
  clinician: 'a clinician',
  frontdesk: 'the front desk',
};

const sizeOf = (bytes: number): string =>
  bytes >= MIB ? `${(bytes / MIB).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1_024))} KB`;

/** The name under which it is saved, and our own word for its type: the sender's counts for nothing. */
export const savedAs = ({ title, type }: ChartDocument): { name: string; type: string } => ({
  name: fileNameOf(title, FILE_TYPES[type].ending),
  type: type === 'text/plain' ? 'text/plain; charset=utf-8' : type,
});

const formTo = ({ csrf }: OwnVisit, action: string, fields: SafeHtml): SafeHtml => html`
    <form method="post" action="${action}">
      <input type="hidden" name="csrf" value="${csrf}">${fields}
    </form>`;

const signOutForm = (visit: OwnVisit): SafeHtml =>
  formTo(visit, '/documents/sign-out', html`<button type="submit">Sign out</button>`);

const pageOf = ({ assets }: OwnVisit, page: { status: number; body: SafeHtml }): Page => ({
  status: page.status,
  body: layout(assets, TITLE, html`<div class="wide-card">${page.body}</div>`),
  policy: policy({ connect: [] }),
});
