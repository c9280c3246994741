import type { ReportName } from '../../audit/reports/report-table.ts';
import { overall } from '../../audit/verify/report.ts';
import { byId, tableOf } from '../page.ts';
import { showEvent } from './event-dialog.ts';
import { currentFilter, startFilters, suggest } from './filters.ts';
import { Grid } from './grid.ts';
import { showKeys } from './keys.ts';
import { ownEvidence, remember, showProgress, showReading, showReport, showUnread } from './overview.ts';
import { watchSession } from './session.ts';
import { setClinicZone } from './times.ts';
import { type Told, WorkerClient } from './worker-client.ts';

/** The console's page: it asks the worker and shows what it says. */

interface Config {
  readonly tenant: string;
  readonly zone: string;
  readonly idleMs: number;
  readonly until: number;
}

const VIEWS = ['overview', 'events', 'reports', 'reviews', 'keys', 'exports'] as const;
const FAILURES: Readonly<Record<string, string>> = {
  UNREACHABLE:
    'The server cannot be reached, so nothing was verified. Check your connection and verify again.',
  BROKEN_OFF: 'Verifying broke off, so nothing is known. Check the files that you brought, and verify again.',
};
const FAILED = 'The server did not give the whole log, so nothing was verified. Verify again in a minute.';

const config = JSON.parse(byId('console-config', HTMLScriptElement).text) as Config;
const banner = byId('banner', HTMLElement);
const shown = byId('shown', HTMLElement);
setClinicZone(config.zone);

const worker = new WorkerClient(hear);
const grid = new Grid({
  rows: (from, to) => worker.ask({ kind: 'rows', from, to }),
  open: (place) => void worker.ask({ kind: 'event', place }).then(showEvent),
});
let isRead = false;

function hear(message: Told): void {
  if (message.kind === 'progress') showProgress(message.done, message.of);
  else if (message.kind === 'verified') take(message);
  else if (message.code === 'CONSOLE_SESSION') location.assign('/console?left=ended');
  else fail(FAILURES[message.code] ?? FAILED);
}

function take({ report, checkpoint, names, ms }: Extract<Told, { kind: 'verified' }>): void {
  isRead = true;
  showReport(report, checkpoint, ms);
  if (checkpoint !== null && overall(report) !== 'fail') remember(config.tenant, checkpoint);
  suggest(names);
  void applyFilter();
  void showReviews();
}

/** What was found before is not true any more. */
function fail(words: string): void {
  isRead = false;
  banner.hidden = false;
  banner.textContent = words;
  shown.textContent = words;
  showUnread(words);
}

function verify(): void {
  banner.hidden = true;
  isRead = false;
  showReading();
  shown.textContent = 'Reading the log …';
  grid.show(0);
  worker.verify(ownEvidence(config.tenant));
}

async function applyFilter(): Promise<void> {
  if (!isRead) return;
  const count = await worker.ask({ kind: 'filter', filter: currentFilter() });
  shown.textContent =
    count === 0
      ? 'No event matches. Clear a filter to see more.'
      : `${count.toLocaleString('en')} event${count === 1 ? '' : 's'}`;
  grid.show(count);
}

async function showReviews(): Promise<void> {
  const table = await worker.ask({ kind: 'report', name: 'emergency', patient: '' });
  const count = (state: string): number => table.rows.filter(([first]) => first === state).length;
  byId('reviews-say', HTMLElement).textContent =
    table.rows.length === 0
      ? 'There was no emergency access.'
      : `${count('OVERDUE')} overdue, ${count('open')} open, ${count('reviewed')} reviewed. ${table.note}`;
  byId('reviews-table', HTMLElement).replaceChildren(
    ...(table.rows.length === 0 ? [] : [tableOf(table.title, table.columns, table.rows)]),
  );
}

async function makeReport(): Promise<void> {
  const says = byId('report-says', HTMLElement);
  const place = byId('report-table', HTMLElement);
  const name = byId('report-name', HTMLSelectElement).value as ReportName;
  const patient = byId('report-patient', HTMLInputElement);
  place.replaceChildren();
  if (!isRead) {
    says.textContent = 'The log is not read yet. Wait, or verify again.';
    return;
  }
  if ((name === 'access' || name === 'disclosures') && patient.value.trim() === '') {
    says.textContent = 'Give the patient alias: this report is about one chart.';
    patient.focus();
    return;
  }
  const table = await worker.ask({ kind: 'report', name, patient: patient.value.trim() });
  says.textContent = table.rows.length === 0 ? `Nothing to report. ${table.note}` : table.note;
  if (table.rows.length > 0) place.replaceChildren(tableOf(table.title, table.columns, table.rows));
}

function route(): void {
  const wanted = location.hash.slice(1).split('?')[0];
  const view = VIEWS.find((name) => name === wanted) ?? 'overview';
  for (const name of VIEWS) {
    byId(name, HTMLElement).hidden = name !== view;
    const link = byId(`to-${name}`, HTMLAnchorElement);
    if (name === view) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (view === 'keys') void showKeys();
}

byId('verify', HTMLButtonElement).addEventListener('click', verify);
byId('report', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  void makeReport();
});
addEventListener('hashchange', route);
if (matchMedia('(max-width: 40rem)').matches) byId('filters', HTMLDetailsElement).open = false;
route();
startFilters(() => void applyFilter());
watchSession(config);
verify();
