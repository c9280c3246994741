import { CONSENT_TOPICS } from '../../access/consents.ts';
import { PURPOSE_WORDS } from '../../audit/reports/access-words.ts';
import type { Chart } from '../../clinic/chart.ts';
import { CLINICAL_TYPES, type ClinicalType } from '../../clinic/chart.ts';
import { type ChartLine, chartLines, displayName } from '../../clinic/chart-view.ts';
import { spoken } from '../../clinic/clinic-time.ts';
import { DOCUMENT_KINDS } from '../../clinic/documents/document.ts';
import { html, SafeHtml } from '../../kernel/html.ts';
import { KIND_WORDS, STATE_WORDS } from '../requests/words.ts';
import { pathOfDocument } from './document-files.ts';
import type { Held } from './held.ts';

const TITLES: Readonly<Record<ClinicalType, string>> = {
  Condition: 'Conditions',
  MedicationRequest: 'Medications',
  AllergyIntolerance: 'Allergies',
  Immunization: 'Immunizations',
  Observation: 'Results and observations',
};

/** No script, and nothing from elsewhere: it opens from a disk, prints, and follows the reader's colours. */
const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid GrayText; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid color-mix(in srgb, CanvasText 20%, Canvas); }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem; overflow-wrap: anywhere; }
@media (max-width: 44rem) {
  thead { position: absolute; clip-path: inset(50%); }
  tr { display: block; padding: .5rem 0; border-bottom: 1px solid GrayText; }
  td { display: block; padding: 0; border: 0; overflow-wrap: anywhere; }
  td:empty { display: none; }
  td::before { content: attr(data-name) ": "; font-weight: 600; }
}
`;
/** Accesses on the page; the access report has all of them. */
const SHOWN = 500;
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** Everything that is held on a patient as one page that people read. Self-contained. */
export function recordPage(held: Held): string {
  const { clinic, chart, at } = held;
  const when = timesOf(held);
  const name = chart.demographics === undefined ? '' : displayName(chart.demographics);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="${POLICY}">
<title>Health record of ${name}</title>
<style>${new SafeHtml(STYLE)}</style>
</head>
<body>
<main>
<h1>Health record of ${name}</h1>
<p>Everything that ${clinic.name} holds on you here, as of ${when(at)}. The same is in <code>record.fhir.json</code> for
other systems (FHIR R4), and every access in <code>access-report.csv</code>. The files of documents come beside it. Keep these files where only you can read them.</p>
${personOf(chart)}
${CLINICAL_TYPES.map((type) => linesOf(TITLES[type], chartLines(chart.clinical ?? null, type)))}
${tableOf(
  'Documents',
  ['Added', 'What', 'Title', 'File'],
  held.documents.map((one) => [when(one.addedAt), DOCUMENT_KINDS[one.kind], one.title, pathOfDocument(one)]),
)}
${visitsOf(held, when)}
${choicesOf(held, when)}
${accessOf(held, when)}
<p>Conversations with an assistant are not part of this record: the assistant’s provider keeps them, and only you can ask
it for them.</p>
</main>
</body>
</html>
`.markup;
}

type When = (ms: number) => string;

function timesOf({ clinic: { zone } }: Held): When {
  return (ms) => {
    const { date, time } = spoken(ms, zone);
    return `${date} ${time} (${zone})`;
  };
}

function personOf({ demographics, contact, identifiers }: Partial<Chart>): SafeHtml {
  const rows: [string, string][] = [
    ['Birth date', demographics?.birthDate ?? ''],
    ['Gender', demographics?.gender ?? ''],
    ...(contact?.telecom ?? []).map(({ system, value }): [string, string] => [
      system ?? 'Contact',
      value ?? '',
    ]),
    ...(contact?.address ?? []).map((address): [string, string] => [
      'Address',
      [...(address.line ?? []), address.city, address.state, address.postalCode, address.country]
        .filter((part) => part !== undefined)
        .join(', '),
    ]),
    ...(identifiers?.identifier ?? []).map((one): [string, string] => [kindOf(one), one.value ?? '']),
  ];
  const shown = rows.filter(([, value]) => value !== '');
  return html`<h2>Who you are</h2>
<dl>${shown.map(([term, value]) => html`<dt>${term}</dt><dd>${value}</dd>`)}</dl>`;
}

function kindOf(identifier: Readonly<Record<string, unknown>>): string {
  const type = identifier['type'] as { text?: unknown } | undefined;
  return typeof type?.text === 'string' ? type.text : 'Identifier';
}

const linesOf = (title: string, lines: readonly ChartLine[]): SafeHtml =>
  tableOf(
    title,
    ['Date', 'What', 'Status', 'Detail'],
    lines.map(({ date = '', text, status = '', detail = '' }) => [date.slice(0, 10), text, status, detail]),
  );

function visitsOf({ visits, waiting }: Held, when: When): SafeHtml {
  return html`${tableOf(
    'Visits',
    ['When', 'What', 'With', 'Status', 'Reason'],
    visits.map(({ appointment: { start, status, reason }, title, practitioner }) => [
      when(start),
      title,
      practitioner,
      status,
      reason ?? '',
    ]),
  )}${tableOf(
    'Waiting list',
    ['Since', 'What', 'Between'],
    waiting.map(({ waiting: { joinedAt, visitType, from, to } }) => [
      when(joinedAt),
      visitType,
      `${when(from)} and ${when(to)}`,
    ]),
  )}`;
}

function choicesOf({ consent, related, requests, words, cards }: Held, when: When): SafeHtml {
  const said =
    consent === null ? [] : CONSENT_TOPICS.map((topic) => [topic, consent[topic], when(consent.changedAt)]);
  return html`${tableOf('Consents', ['About', 'Said', 'Last change'], said)}${tableOf(
    'Who acts for you or treats you',
    ['Account', 'As', 'Until'],
    related.map(({ user, kind, expiresAt }) => [
      user,
      kind === 'proxy' ? 'acts for you' : 'treats you',
      when(expiresAt),
    ]),
  )}${tableOf(
    'Your requests',
    ['Asked', 'What', 'State', 'In your words'],
    requests.map((view) => [
      when(view.askedAt),
      KIND_WORDS[view.kind],
      STATE_WORDS[view.state],
      words.get(view.id) ?? '',
    ]),
  )}${tableOf(
    'Payment cards',
    ['Card', 'Ends in', 'Expires'],
    cards.map(({ brand, lastFour, expires }) => [brand, lastFour, expires]),
  )}`;
}

function accessOf({ events }: Held, when: When): SafeHtml {
  const done = events.filter(({ outcome }) => outcome === '0').reverse();
  const rows = done
    .slice(0, SHOWN)
    .map(({ recorded, actor, operation, purposeOfUse, entity }) => [
      when(Date.parse(recorded)),
      `${actor.role} (${actor.user})`,
      operation,
      PURPOSE_WORDS[purposeOfUse] ?? purposeOfUse,
      entity?.fields?.join(', ') ?? '',
    ]);
  const left = done.length > SHOWN ? ` These are the last ${SHOWN} of ${done.length}; the file has all.` : '';
  return html`${tableOf('Who opened your record', ['When', 'Who', 'What', 'Why', 'Parts'], rows)}
<p>Acts that succeeded, the newest first.${left}</p>`;
}

function tableOf(title: string, columns: readonly string[], rows: readonly (readonly string[])[]): SafeHtml {
  if (rows.length === 0) return html`<h2>${title}</h2><p>Nothing recorded.</p>`;
  return html`<h2>${title}</h2>
<table>
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell, at) => html`<td data-name="${columns[at] ?? ''}">${cell}</td>`)}</tr>\n`)}</tbody>
</table>`;
}
