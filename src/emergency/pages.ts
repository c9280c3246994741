import { EMERGENCY_MINUTES, EMERGENCY_REASONS, REASON_LENGTH } from '../access/emergency.ts';
import type { EmergencyToReview, QueuedEmergency } from '../access/emergency-reviews.ts';
import { html, type SafeHtml } from '../kernel/html.ts';
import { layout, type Page, type PageAssets, policy } from '../oauth/pages.ts';
import { whoFields } from '../oauth/patient-search.ts';

const ERASED = 'who was erased since';

/** What the pages of a signed-in person carry. */
export interface EmergencyContext {
  readonly assets: PageAssets;
  readonly csrf: string;
  /** How times are shown: in the clinic's zone, with weekday and zone. */
  readonly time: (ms: number) => string;
}

/** The form that opens one chart. `problem` repeats nothing that was typed. */
export function openPage(context: EmergencyContext, say: { status: number; problem: string }): Page {
  const reasons = Object.entries(EMERGENCY_REASONS).map(
    ([code, words]) => html`<option value="${code}">${words}</option>`,
  );
  const minutes = EMERGENCY_MINUTES.map((count) => html`<option value="${count}">${count} minutes</option>`);
  const body = html`
    <h1>Open a chart in an emergency</h1>
    <p>One patient, for a short while, to read only. The clinic’s reviewers see who opened it and why.</p>
    <p class="error" role="alert">${say.problem}</p>
    <form method="post" action="/emergency/open" autocomplete="off">
      <input type="hidden" name="csrf" value="${context.csrf}">
      ${whoFields}
      <label for="reason">Reason</label>
      <select id="reason" name="reason" required>
        <option value="">Choose one</option>${reasons}
      </select>
      <label for="words">Why, in your own words</label>
      <textarea id="words" name="words" rows="3" required minlength="${REASON_LENGTH.min}"
        maxlength="${REASON_LENGTH.max}" aria-describedby="words-note"></textarea>
      <p id="words-note" class="detail">Kept sealed; only a reviewer reads it.</p>
      <label for="minutes">For how long</label>
      <select id="minutes" name="minutes">${minutes}</select>
      <button class="primary" type="submit">Open this chart</button>
    </form>
    ${signOutForm(context)}`;
  return pageOf(context.assets, { status: say.status, title: 'Open a chart in an emergency', body });
}

/** The chart is open: its handle, and until when. */
export function openedPage(assets: PageAssets, opened: { handle: string; until: string }): Page {
  const body = html`
    <h1>The chart is open</h1>
    <p>Until <strong>${opened.until}</strong> you may read it through your assistant. Give it this handle:</p>
    <p><output class="handle">${opened.handle}</output></p>
    <p class="detail">Each reading is marked as emergency access. Parts that the chart calls sensitive stay closed.
      You are signed out of this page now; sign in again for another patient.</p>`;
  return pageOf(assets, { status: 200, title: 'The chart is open', body });
}

/** What waits for a review. */
export function queuePage(context: EmergencyContext, queue: readonly QueuedEmergency[]): Page {
  const items = queue.map(
    (one) => html`
      <li class="waiting">
        <p><strong>${EMERGENCY_REASONS[one.reason] ?? one.reason}</strong>${one.overdue ? html` <span class="overdue">Overdue</span>` : ''}</p>
        <p class="detail">Opened ${context.time(one.openedAt)} by ${one.user}, patient ${one.alias ?? ERASED}. Review by ${context.time(one.dueAt)}.</p>
        ${
          one.own
            ? html`<p class="detail">You opened this yourself: somebody else reviews it.</p>`
            : html`<p><a class="button" href="/emergency/review/${one.record}">Review<span class="unseen"> the access opened ${context.time(one.openedAt)}</span></a></p>`
        }
      </li>`,
  );
  const body = html`
    <h1>Emergency access to review</h1>
    ${queue.length === 0 ? html`<p>Nothing waits for a review.</p>` : html`<ul class="queue">${items}</ul>`}
    ${signOutForm(context)}`;
  return pageOf(context.assets, { status: 200, title: 'Emergency access to review', body });
}

/** One emergency, with the clinician's words and the verdict to give. */
export function reviewPage(
  context: EmergencyContext,
  one: EmergencyToReview,
  say: { problem: string },
): Page {
  const body = html`
    <h1>Review emergency access</h1>
    <dl>
      <dt>Reason</dt><dd>${EMERGENCY_REASONS[one.reason] ?? one.reason}</dd>
      <dt>In the clinician’s words</dt><dd>${one.words ?? 'Erased with the patient'}</dd>
      <dt>Opened by</dt><dd>${one.user}</dd>
      <dt>Patient, as in the audit log</dt><dd>${one.alias ?? ERASED}</dd>
      <dt>Open from</dt><dd>${context.time(one.openedAt)}</dd>
      <dt>Until</dt><dd>${context.time(one.expiresAt)}</dd>
    </dl>
    <p class="error" role="alert">${say.problem}</p>
    <form method="post" action="/emergency/review/${one.record}">
      <input type="hidden" name="csrf" value="${context.csrf}">
      <button class="primary" type="submit" name="verdict" value="justified">Justified</button>
      <button type="submit" name="verdict" value="unjustified">Not justified: end it and follow up</button>
    </form>
    <p><a href="/emergency/review">Back to the queue</a></p>`;
  return pageOf(context.assets, {
    status: say.problem === '' ? 200 : 400,
    title: 'Review emergency access',
    body,
  });
}

const signOutForm = ({ csrf }: EmergencyContext): SafeHtml => html`
    <form method="post" action="/emergency/sign-out">
      <input type="hidden" name="csrf" value="${csrf}">
      <button type="submit">Sign out</button>
    </form>`;

function pageOf(assets: PageAssets, page: { status: number; title: string; body: SafeHtml }): Page {
  return {
    status: page.status,
    body: layout(assets, page.title, page.body),
    policy: policy({ connect: [] }),
  };
}
