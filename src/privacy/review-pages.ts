import { html, type SafeHtml } from '../kernel/html.ts';
import { REFUSALS } from '../lifecycle/requests/request.ts';
import { KIND_WORDS } from '../lifecycle/requests/words.ts';
import type { Page } from '../oauth/pages.ts';
import { formTo, type PrivacyContext, pageOf, signOutForm } from './frame.ts';
import type { QueuedRequest, RequestToReview } from './reviews.ts';

const ERASED = 'who was erased since';
const TITLE = 'Requests about patients’ data';

/** What waits for an answer of the clinic. */
export function queuePage(context: PrivacyContext, queue: readonly QueuedRequest[]): Page {
  const { time } = context;
  const items = queue.map(
    ({ view, alias, overdue, own, approvedOnce }) => html`
      <li class="waiting">
        <p><strong>${KIND_WORDS[view.kind]}</strong>${overdue ? html` <span class="overdue">Overdue</span>` : ''}</p>
        <p class="detail">Asked ${time(view.askedAt)}, patient ${alias ?? ERASED}.${dueOf(context, { view, approvedOnce })}</p>
        ${
          own && view.state === 'review'
            ? html`<p class="detail">You asked for this or have approved it: somebody else goes on.</p>`
            : html`<p><a class="button" href="/privacy/review/${view.id}">Review<span class="unseen"> the request of ${time(view.askedAt)}</span></a></p>`
        }
      </li>`,
  );
  const body = html`
    <h1>${TITLE}</h1>
    ${queue.length === 0 ? html`<p>Nothing waits for an answer.</p>` : html`<ul class="queue">${items}</ul>`}
    ${signOutForm(context)}`;
  return pageOf(context.assets, { status: 200, title: TITLE, body });
}

function dueOf(
  { time }: PrivacyContext,
  { view, approvedOnce }: Pick<QueuedRequest, 'view' | 'approvedOnce'>,
): string {
  if (view.state === 'cooling') return ` Approved; begins ${time(view.until ?? view.changedAt)}.`;
  const once = approvedOnce ? ' One of two has approved it.' : '';
  return `${once}${view.answerBy === null ? '' : ` Answer by ${time(view.answerBy)}.`}`;
}

/** One request, with what it is decided by, and the answer to give. */
export function reviewPage(
  context: PrivacyContext,
  one: RequestToReview,
  say: { status: number; problem: string },
): Page {
  const { view, alias, words, against } = one;
  const body = html`
    <h1>${KIND_WORDS[view.kind]}</h1>
    <dl>
      <dt>Asked</dt><dd>${context.time(view.askedAt)}</dd>
      <dt>Patient, as in the audit log</dt><dd>${alias ?? ERASED}</dd>
      ${words === null ? '' : html`<dt>In the person’s words</dt><dd>${words}</dd>`}
      ${view.kind === 'erasure' ? html`<dt>The rules</dt><dd>${against === null ? 'Nothing stands against it' : REFUSALS[against]}</dd>` : ''}
    </dl>
    <p class="error" role="alert">${say.problem}</p>
    ${against === null && view.state === 'review' ? approveForm(context, one) : ''}
    ${refuseForm(context, one)}
    <p><a class="button" href="/privacy/review">Back to the requests</a></p>`;
  return pageOf(context.assets, { status: say.status, title: KIND_WORDS[view.kind], body });
}

function approveForm(context: PrivacyContext, { view, approvedOnce }: RequestToReview): SafeHtml {
  const words =
    view.kind !== 'erasure'
      ? 'The record was corrected'
      : approvedOnce
        ? 'Approve as the second person'
        : 'Approve as the first of two';
  return formTo(
    context,
    `/privacy/review/${view.id}`,
    html`<button class="primary" type="submit" name="verdict" value="approve">${words}</button>`,
  );
}

function refuseForm(context: PrivacyContext, { view, against }: RequestToReview): SafeHtml {
  const reasons = Object.entries(REFUSALS).map(([code, words]) =>
    code === against
      ? html`<option value="${code}" selected>${words}</option>`
      : html`<option value="${code}">${words}</option>`,
  );
  return formTo(
    context,
    `/privacy/review/${view.id}`,
    html`<label for="reason">Or refuse, with the reason that the person is told</label>
      <select id="reason" name="reason" required><option value="">Choose one</option>${reasons}</select>
      <button type="submit" name="verdict" value="refuse">Refuse</button>`,
  );
}
