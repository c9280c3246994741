import { html, type SafeHtml } from '../kernel/html.ts';
import { layout, type Page, type PageAssets, policy } from '../oauth/pages.ts';

/** As the audit log names this page. */
export const CLIENT = 'privacy-page';

/** How times are shown: in the clinic's zone, with weekday and zone. */
export type SayTime = (ms: number) => string;

/** What the pages of a signed-in person carry. */
export interface PrivacyContext {
  readonly assets: PageAssets;
  readonly csrf: string;
  readonly time: SayTime;
}

/** A form of this sign-in. */
export const formTo = ({ csrf }: PrivacyContext, action: string, fields: SafeHtml): SafeHtml => html`
    <form method="post" action="${action}">
      <input type="hidden" name="csrf" value="${csrf}">${fields}
    </form>`;

export const hidden = (name: string, value: string): SafeHtml =>
  html`<input type="hidden" name="${name}" value="${value}">`;

export const signOutForm = (context: PrivacyContext): SafeHtml =>
  formTo(context, '/privacy/sign-out', html`<button type="submit">Sign out</button>`);

/** Wider than a sign-in: it holds lists. */
export function pageOf(assets: PageAssets, page: { status: number; title: string; body: SafeHtml }): Page {
  return {
    status: page.status,
    body: layout(assets, page.title, html`<div class="wide-card">${page.body}</div>`),
    policy: policy({ connect: [] }),
  };
}
