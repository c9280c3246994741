import { html, type SafeHtml } from '../kernel/html.ts';
import type { ShellConfig } from './pages.ts';

/** The markup of the console: landmarks, forms and empty places that `src/web/console` fills by id. */
export function shell(name: string, config: ShellConfig): SafeHtml {
  return html`
    <a class="skip" href="#view">Skip to the content</a>
    <header class="top">
      <p class="brand">${name}</p>
      <p class="whose">Audit log of <strong>${config.clinic}</strong></p>
      <form method="post" action="/console/sign-out">
        <span class="quiet">${config.user}</span>
        <button type="submit">Sign out</button>
      </form>
    </header>
    <nav aria-label="Console">
      ${VIEWS.map(([id, title]) => html`<a href="#${id}" id="to-${id}">${title}</a>`)}
    </nav>
    <main id="view" tabindex="-1">
      <p id="banner" class="banner" role="status" hidden></p>
      ${overview}${events}${reports}${reviews}${keys}${exports}
    </main>
    ${eventDialog}
    <noscript><p class="banner">The console verifies the log in this browser, so it needs JavaScript.</p></noscript>`;
}

const VIEWS = [
  ['overview', 'Overview'],
  ['events', 'Events'],
  ['reports', 'Reports'],
  ['reviews', 'Emergency reviews'],
  ['keys', 'Keys'],
  ['exports', 'Exports'],
] as const;

const evidenceFile = (id: string, label: string, hint: string): SafeHtml => html`
  <div><label for="${id}">${label}</label><input type="file" id="${id}" aria-describedby="${id}-hint">
  <p class="quiet" id="${id}-hint">${hint}</p></div>`;

const overview = html`
  <section id="overview" aria-labelledby="overview-title" hidden>
    <h1 id="overview-title">Is the log whole?</h1>
    <p class="lead" id="overall" role="status">Reading the log …</p>
    <div class="progress">
      <label for="progress">Verified in this browser</label>
      <progress id="progress" max="1" value="0"></progress>
      <span id="progress-text" class="quiet"></span>
    </div>
    <dl id="counts" class="counts"></dl>
    <ul id="verdicts" class="verdicts"></ul>
    <div class="row">
      <button type="button" id="verify">Verify again</button>
      <button type="button" id="keep" disabled>Keep this checkpoint</button>
    </div>
    <details>
      <summary>Bring evidence of your own</summary>
      <p>Files are read in this browser and sent nowhere. With them you need not trust what this server says of itself.</p>
      <div class="fields">
        ${evidenceFile('own-checkpoint', 'An earlier checkpoint', 'One that you kept: the log must continue it.')}
        ${evidenceFile('own-keys', 'Pinned keys', 'One key a line, as you were given them.')}
        ${evidenceFile('own-journal', 'The journal', 'Lines of the log bucket: finds a writer’s lost tail.')}
        ${evidenceFile('own-trail', 'CloudTrail', 'KMS records: each use of a patient’s key needs an event.')}
      </div>
    </details>
  </section>`;

const text = (id: string, label: string, list = ''): SafeHtml => html`
  <div><label for="${id}">${label}</label><input id="${id}" name="${id.replace('filter-', '')}" autocomplete="off"
    spellcheck="false"${list === '' ? '' : html` list="${list}"`}></div>`;

const options = (pairs: readonly (readonly [string, string])[]): SafeHtml[] =>
  pairs.map(([value, label]) => html`<option value="${value}">${label}</option>`);

const OUTCOMES = [
  ['', 'Any'],
  ['0', 'Succeeded'],
  ['4', 'Refused'],
  ['8', 'Failed'],
] as const;

const events = html`
  <section id="events" aria-labelledby="events-title" hidden>
    <h1 id="events-title">Events</h1>
    <details id="filters" open>
      <summary>Filters <span id="filters-on" class="quiet"></span></summary>
      <form id="filter">
        <div class="fields">
          <div><label for="filter-from">From (UTC)</label><input type="datetime-local" id="filter-from" name="from"></div>
          <div><label for="filter-to">To (UTC)</label><input type="datetime-local" id="filter-to" name="to"></div>
          ${text('filter-user', 'Person')}${text('filter-role', 'Role', 'roles')}
          ${text('filter-client', 'Client')}${text('filter-operation', 'Tool or page', 'operations')}
          ${text('filter-patient', 'Patient alias')}${text('filter-purpose', 'Purpose of use', 'purposes')}
          <div><label for="filter-outcome">Outcome</label>
            <select id="filter-outcome" name="outcome">${options(OUTCOMES)}</select></div>
          ${text('filter-policy', 'Policy', 'policies')}
          <div class="check"><input type="checkbox" id="filter-emergency" name="emergency">
            <label for="filter-emergency">Emergency access only</label></div>
        </div>
        <div class="row">
          <button type="reset">Clear</button>
          <label for="views" class="inline">Saved views</label>
          <select id="views"><option value="">Choose …</option></select>
          <label for="view-name" class="inline">Name</label>
          <input id="view-name" maxlength="40" autocomplete="off">
          <button type="button" id="save-view">Save view</button>
          <button type="button" id="delete-view">Delete view</button>
        </div>
        <datalist id="roles"></datalist><datalist id="operations"></datalist>
        <datalist id="purposes"></datalist><datalist id="policies"></datalist>
      </form>
    </details>
    <p id="shown" role="status" class="quiet"></p>
    <div id="grid" class="grid" role="grid" tabindex="0" aria-labelledby="events-title" aria-describedby="grid-keys"></div>
    <p id="grid-keys" class="quiet">Arrow keys, Page Up and Page Down, Home and End move; Enter opens an event with its proof.</p>
  </section>`;

const REPORTS = [
  ['access', 'Who opened a chart, when and why'],
  ['disclosures', 'Accounting of disclosures (45 CFR 164.528)'],
  ['users', 'Access review by user'],
  ['denied', 'Denied attempts'],
  ['erasures', 'Erasures and their receipts'],
] as const;

const reports = html`
  <section id="reports" aria-labelledby="reports-title" hidden>
    <h1 id="reports-title">Reports</h1>
    <p>Made in this browser, from the events that it verified.</p>
    <form id="report">
      <div class="fields">
        <div><label for="report-name">Report</label><select id="report-name">${options(REPORTS)}</select></div>
        <div><label for="report-patient">Patient alias</label><input id="report-patient" autocomplete="off" spellcheck="false"></div>
      </div>
      <div class="row"><button type="submit" class="primary">Make the report</button></div>
    </form>
    <p id="report-says" role="status" class="quiet"></p>
    <div id="report-table" class="scroll"></div>
  </section>`;

const reviews = html`
  <section id="reviews" aria-labelledby="reviews-title" hidden>
    <h1 id="reviews-title">Emergency reviews</h1>
    <p>Each emergency access is reviewed by somebody else. Reviews are made at <a href="/emergency">/emergency</a>;
      here is what the log says of them.</p>
    <p id="reviews-say" role="status" class="quiet"></p>
    <div id="reviews-table" class="scroll"></div>
  </section>`;

const keys = html`
  <section id="keys" aria-labelledby="keys-title" hidden>
    <h1 id="keys-title">Keys</h1>
    <p class="lead" id="keys-say" role="status">Reading …</p>
    <dl id="keys-facts" class="facts"></dl>
    <div id="keys-jobs" class="scroll" tabindex="0" role="region" aria-label="Last jobs"></div>
    <p class="quiet">Rotations are begun by the clock, or by <code>chartseal keys rotate</code>. What a job has proven is the event
      “drained” in the log, which this browser verifies.</p>
  </section>`;

const EXPORTS = [
  ['csv', 'CSV, for a spreadsheet'],
  ['ndjson', 'NDJSON, for programs'],
  ['fhir', 'FHIR R4 AuditEvents (IHE BALP)'],
  ['cef', 'CEF, for a SIEM'],
  ['bundle', 'Evidence bundle: a zip that verifies itself without a network'],
] as const;

const exports = html`
  <section id="exports" aria-labelledby="exports-title" hidden>
    <h1 id="exports-title">Exports</h1>
    <p>Every export is an event of the log itself. Unpack the evidence bundle and run <code>node verify.mjs</code> in it.</p>
    <ul class="exports">
      ${EXPORTS.map(
        ([format, title]) => html`<li><span>${title}</span><form method="post" action="/console/export">
          <input type="hidden" name="format" value="${format}">
          <button type="submit">Download ${format.toUpperCase()}</button></form></li>`,
      )}
    </ul>
  </section>`;

const eventDialog = html`
  <dialog id="event" aria-labelledby="event-title">
    <div class="row"><h2 id="event-title">Event</h2><button type="button" id="event-close">Close</button></div>
    <p id="event-proof" role="status"></p>
    <dl id="event-facts" class="facts"></dl>
    <h3>Inclusion proof</h3>
    <ol id="event-path" class="hashes" tabindex="0" aria-label="Inclusion proof"></ol>
    <h3>The leaf’s exact bytes</h3>
    <pre id="event-raw" tabindex="0" aria-label="The leaf’s exact bytes"></pre>
  </dialog>`;
