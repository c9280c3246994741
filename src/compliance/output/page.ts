import { html, SafeHtml } from '../../kernel/html.ts';
import type { Checked, ComplianceReport, Controlled } from '../assess.ts';
import { STATES, type State } from '../check.ts';

/** No script, and nothing from elsewhere: it opens from a disk, prints, and follows the reader's colours. */
const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --quiet: light-dark(#52616f, #a5b3bf); --line: light-dark(#dde3e8, #2d3740); }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; background: light-dark(#fff, #12171c); color: light-dark(#17212b, #e9eef2); overflow-wrap: anywhere; }
h2 { margin-top: 2.5rem; } .quiet { color: var(--quiet); font-size: .9rem; margin: 0; }
ul { padding: 0; list-style: none; } li { padding: .75rem 0; border-top: 1px solid var(--line); break-inside: avoid; } li p { margin: .15rem 0; }
.tally { display: flex; flex-wrap: wrap; gap: 1rem; } .tally span { font-size: 1.6rem; font-weight: 700; }
b.satisfied { color: light-dark(#17693a, #7bdca0); } b.not-satisfied { color: light-dark(#b3261e, #ffb4ab); } b.not-assessable { color: light-dark(#7a4a00, #f5c46b); }
`;
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";
const WORDS: Readonly<Record<State, string>> = {
  satisfied: '✓ satisfied',
  'not-satisfied': '✗ not satisfied',
  'not-assessable': '? a person must look',
};
/** What needs doing comes first. */
const ORDER: readonly State[] = ['not-satisfied', 'not-assessable', 'satisfied'];

/** The report as a page that people read and print. */
export function reportPage(report: ComplianceReport): string {
  const { tenant, at, version, commit, rows, isSample, summary, corrections } = report;
  const frameworks = Map.groupBy(report.controls, ({ framework }) => framework);
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="${POLICY}">
<title>What was checked of ${tenant}</title><style>${new SafeHtml(STYLE)}</style></head>
<body><main>
<h1>What was checked of ${tenant}</h1>
<p class="quiet">${at} · Chartseal ${version}${commit === null ? '' : ` · commit ${commit}`} · ${rows} rows looked at${isSample ? ', a sample' : ''}</p>
<div class="tally">${STATES.map((state) => html`<p><span>${summary.checks[state]}</span> <b class="${state}">${WORDS[state]}</b></p>`)}</div>
<h2>The ${report.checks.length} checks</h2>
<ul>${sorted(report.checks).map(checkItem)}</ul>
${[...frameworks].map(([name, controls]) => html`<h2>${name}</h2><ul>${controls.map(controlItem)}</ul>`)}
<h2>Often said, and not so</h2>
<ul>${corrections.map((text) => html`<li>${text}</li>`)}</ul>
<p class="quiet">Configuration SHA-256 ${report.configSha256}. This page says what software saw; whether the law is met, people judge.</p>
</main></body></html>
`.markup;
}

const sorted = (checks: readonly Checked[]): Checked[] =>
  [...checks].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));

const checkItem = (
  check: Checked,
): SafeHtml => html`<li><b class="${check.state}">${WORDS[check.state]}</b> <strong>${check.title}</strong>
<p>${check.sentence}</p>${check.state === 'not-satisfied' ? html`<p>To do: ${check.remedy}</p>` : html``}
<p class="quiet">${check.id} · ${check.method} · ${check.controls.join(', ')} · evidence ${check.evidenceSha256.slice(0, 16)}</p></li>`;

const controlItem = (
  control: Controlled,
): SafeHtml => html`<li><b class="${control.state}">${WORDS[control.state]}</b> <strong>${control.id}</strong> ${control.title}
<p class="quiet">${control.checks.join(', ')}${control.person === '' ? '' : ` A person looks at: ${control.person}`}</p></li>`;
