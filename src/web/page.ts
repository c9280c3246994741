/** Making and finding elements. Text only ever goes in as text. */

/** The element that the page has there; without it page and script do not belong together. */
export function element<T extends HTMLElement>(selector: string, type: new () => T): T {
  const found = document.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`The page has no ${selector}.`);
  return found;
}

/** The element of that id. */
export const byId = <T extends HTMLElement>(id: string, type: new () => T): T => element(`#${id}`, type);

/** A new element with attributes and children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Term and description pairs of a list. */
export const pairs = (entries: readonly (readonly [string, string])[]): HTMLElement[] =>
  entries.map(([term, text]) => make('div', {}, make('dt', {}, term), make('dd', {}, text)));

/** A table with a head, for people and screen readers. */
export function tableOf(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): HTMLTableElement {
  const head = make('tr', {}, ...columns.map((name) => make('th', { scope: 'col' }, name)));
  const body = rows.map((row) => make('tr', {}, ...row.map((cell) => make('td', {}, cell))));
  return make('table', {}, make('caption', {}, title), make('thead', {}, head), make('tbody', {}, ...body));
}
