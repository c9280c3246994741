import { toBase64url } from '../../audit/bytes.ts';
import type { Report, Verdict } from '../../audit/verify/report.ts';
import { byId, make, pairs } from '../page.ts';
import type { OwnEvidence } from './protocol.ts';
import { clinicTime, utcTime } from './times.ts';
import { nameOf, QUESTIONS, sentenceOf, wordOf } from './verdict-words.ts';

const sentence = byId('overall', HTMLElement);
const bar = byId('progress', HTMLProgressElement);
const barText = byId('progress-text', HTMLElement);
const counts = byId('counts', HTMLElement);
const list = byId('verdicts', HTMLUListElement);
const keep = byId('keep', HTMLButtonElement);
const SHOWN = 5;

let kept: { readonly bytes: Uint8Array; readonly name: string } | null = null;

/** Nothing is claimed while the log is being read. */
export function showReading(): void {
  sentence.textContent = 'Reading and verifying the log …';
  sentence.dataset['tone'] = 'none';
  bar.removeAttribute('value');
  barText.textContent = '';
  counts.replaceChildren();
  list.replaceChildren();
  keep.disabled = true;
}

export function showProgress(done: number, of: number): void {
  bar.max = of;
  bar.value = done;
  barText.textContent = `${done.toLocaleString('en')} of ${of.toLocaleString('en')} events`;
}

export function showReport(report: Report, checkpoint: Uint8Array | null, ms: number): void {
  const { covered, sequenced, pending, signedAt } = report;
  const { tone, word } = sentenceOf(report);
  sentence.textContent = word;
  sentence.dataset['tone'] = tone;
  bar.max = bar.value = 1;
  barText.textContent = `${(covered + sequenced).toLocaleString('en')} events in ${(ms / 1_000).toFixed(1)} s`;
  counts.replaceChildren(
    ...pairs([
      ['Signed', covered.toLocaleString('en')],
      ['In the tree, not signed yet', sequenced.toLocaleString('en')],
      ['Pending', pending.toLocaleString('en')],
      ['Signed at (UTC)', signedAt === null ? 'never' : utcTime(signedAt)],
      ['Signed at (clinic)', signedAt === null ? 'never' : clinicTime(signedAt)],
    ]),
  );
  list.replaceChildren(...report.verdicts.map((verdict) => card(verdict, report)));
  kept = checkpoint === null ? null : { bytes: checkpoint, name: `checkpoint-${report.tenant}-${covered}` };
  keep.disabled = kept === null;
}

/** When the log could not be read: nothing that was found before stands. */
export function showUnread(words: string): void {
  sentence.textContent = words;
  sentence.dataset['tone'] = 'bad';
  bar.value = 0;
  barText.textContent = 'Not verified';
  counts.replaceChildren();
  list.replaceChildren();
  keep.disabled = true;
}

function card(verdict: Verdict, report: Report): HTMLElement {
  const { tone, word } = wordOf(verdict, report);
  const found = verdict.findings
    .slice(0, SHOWN)
    .map(({ code, at }) => make('li', {}, make('code', {}, code), ` at ${at}`));
  const more = verdict.count - found.length;
  return make(
    'li',
    { 'data-tone': tone, id: `verdict-${verdict.name}` },
    make('h2', {}, nameOf(verdict.name), make('span', { class: 'word' }, word)),
    make('p', { class: 'quiet' }, QUESTIONS[verdict.name]),
    make('p', {}, verdict.summary),
    ...(verdict.count > 1 ? [make('ul', { class: 'findings' }, ...found)] : []),
    ...(verdict.count > 1 && more > 0 ? [make('p', { class: 'quiet' }, `and ${more} more`)] : []),
  );
}

const REMEMBERED = 'chartseal/checkpoint/';

/** The files that the auditor chose, and the last checkpoint that this browser verified. */
export function ownEvidence(tenant: string): OwnEvidence {
  const file = (id: string): File | null => byId(id, HTMLInputElement).files?.[0] ?? null;
  const text = localStorage.getItem(REMEMBERED + tenant);
  return {
    checkpoint: file('own-checkpoint'),
    keys: file('own-keys'),
    journal: file('own-journal'),
    trail: file('own-trail'),
    remembered: text === null ? null : Uint8Array.from(atob(text), (char) => char.charCodeAt(0)),
  };
}

/** From now on the log must continue this checkpoint, whatever the server says later. It names sizes and hashes only. */
export function remember(tenant: string, checkpoint: Uint8Array): void {
  localStorage.setItem(REMEMBERED + tenant, btoa(String.fromCharCode(...checkpoint)));
}

keep.addEventListener('click', () => {
  if (kept === null) return;
  const data = toBase64url(kept.bytes).replaceAll('-', '+').replaceAll('_', '/');
  make('a', { href: `data:application/octet-stream;base64,${data}`, download: kept.name }).click();
});
