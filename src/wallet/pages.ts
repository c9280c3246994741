import { html, type SafeHtml } from '../kernel/html.ts';
import type { OwnVisit } from '../oauth/own-pages.ts';
import { layout, type Page, policy } from '../oauth/pages.ts';
import { type KeptCard, MAX_CARDS } from '../payments/card-vault.ts';

const YEARS = 15;
const BRANDS: Readonly<Record<string, string>> = {
  visa: 'Visa',
  mastercard: 'Mastercard',
  'american-express': 'American Express',
  'diners-club': 'Diners Club',
  discover: 'Discover',
  jcb: 'JCB',
  unionpay: 'UnionPay',
  maestro: 'Maestro',
};

/** The cards that are kept, by their last four digits, and the form for another. Repeats nothing that was typed. */
export function walletPage(
  visit: OwnVisit,
  { cards, now }: { cards: readonly KeptCard[]; now: number },
  say: { status: number; problem: string },
): Page {
  const body = html`
    <h1>Your cards</h1>
    <p class="error" role="alert">${say.problem}</p>
    ${
      cards.length === 0
        ? html`<p>No card is kept.</p>`
        : html`<ul class="queue">${cards.map((card) => cardOf(visit, card))}</ul>`
    }
    ${cards.length < MAX_CARDS ? keepForm(visit, now) : html`<p>Remove a card to keep another.</p>`}
    <p class="note">Type a card number on this page only. The clinic never asks for it, or for the security code, in a chat.</p>
    ${formTo(visit, 'sign-out', html`<button type="submit">Sign out</button>`)}`;
  return pageOf(visit, { status: say.status, body });
}

/** For an account that has no health record. */
export const nobodyPage = (visit: OwnVisit): Page =>
  pageOf(visit, {
    status: 200,
    body: html`<h1>Your cards</h1>
      <p>No health record is connected with this account. Ask the clinic’s front desk.</p>
      ${formTo(visit, 'sign-out', html`<button type="submit">Sign out</button>`)}`,
  });

function cardOf(visit: OwnVisit, { id, brand, lastFour, expires }: KeptCard): SafeHtml {
  const name = `${BRANDS[brand] ?? 'Card'} ending in ${lastFour}`;
  const [year = '', month = ''] = expires.split('-');
  return html`<li class="waiting">
      <p><strong>${name}</strong></p>
      <p class="detail">Good through ${month}/${year}</p>
      ${formTo(
        visit,
        'remove',
        html`<input type="hidden" name="card" value="${id}">
        <button type="submit">Remove<span class="unseen"> ${name}</span></button>`,
      )}
    </li>`;
}

function keepForm(visit: OwnVisit, now: number): SafeHtml {
  const months = Array.from({ length: 12 }, (_, at) => String(at + 1).padStart(2, '0'));
  const first = new Date(now).getUTCFullYear();
  const years = Array.from({ length: YEARS }, (_, ahead) => String(first + ahead));
  return formTo(
    visit,
    'keep',
    html`<fieldset>
        <legend>Keep a card</legend>
        <label for="number">Card number</label>
        <input id="number" name="number" inputmode="numeric" autocomplete="cc-number" required maxlength="32" spellcheck="false">
        <label for="month">Month of expiry</label>
        <select id="month" name="month" autocomplete="cc-exp-month" required>${months.map((one) => html`<option>${one}</option>`)}</select>
        <label for="year">Year of expiry</label>
        <select id="year" name="year" autocomplete="cc-exp-year" required>${years.map((one) => html`<option>${one}</option>`)}</select>
      </fieldset>
      <button class="primary" type="submit">Keep this card</button>`,
  );
}

const formTo = ({ csrf }: OwnVisit, act: string, fields: SafeHtml): SafeHtml => html`
    <form method="post" action="/wallet/${act}">
      <input type="hidden" name="csrf" value="${csrf}">${fields}
    </form>`;

const pageOf = ({ assets }: OwnVisit, page: { status: number; body: SafeHtml }): Page => ({
  status: page.status,
  body: layout(assets, 'Your cards', html`<div class="wide-card">${page.body}</div>`),
  policy: policy({ connect: [] }),
});
