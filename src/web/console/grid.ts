import { byId, make } from '../page.ts';
import type { Row } from './protocol.ts';
import { clinicTime, utcTime } from './times.ts';

/** Where rows come from. */
export interface GridSource {
  rows(from: number, to: number): Promise<readonly Row[]>;
  open(place: number): void;
}

const ROW_PX = 40;
const OVERSCAN = 8;
const OUTCOMES: Readonly<Record<string, string>> = { '0': 'ok', '4': 'refused', '8': 'failed' };
const STATES: Readonly<Record<Row['state'], string>> = {
  signed: 'signed',
  sequenced: 'not signed yet',
  pending: 'pending',
  changed: 'CHANGED',
  missing: 'MISSING',
};

/** Header → the cell's text. The names are class names too. */
const COLUMNS: readonly (readonly [name: string, header: string, (row: Row) => string])[] = [
  ['utc', 'Time (UTC)', (row) => utcTime(row.recorded)],
  ['local', 'Time (clinic)', (row) => clinicTime(row.recorded)],
  ['operation', 'What', (row) => row.operation],
  ['outcome', 'Outcome', (row) => [OUTCOMES[row.outcome] ?? '', row.reason].filter(Boolean).join(' ')],
  ['user', 'Person', (row) => row.user],
  ['role', 'Role', (row) => row.role],
  ['client', 'Client', (row) => row.client],
  ['patient', 'Patient alias', (row) => row.patient],
  ['purpose', 'Purpose', (row) => row.purpose],
  ['policy', 'Policy', (row) => row.policy],
  [
    'state',
    'Proof',
    (row) => (row.index === null ? STATES[row.state] : `${STATES[row.state]} #${row.index}`),
  ],
];

/**
 * A hundred thousand rows of which only those in view exist. The grid itself scrolls and has the focus; the row that
 * keys move is its active descendant.
 */
export class Grid {
  readonly #element = byId('grid', HTMLElement);
  readonly #body = make('div', { role: 'rowgroup', class: 'body' });
  readonly #source: GridSource;
  readonly #made = new Map<number, HTMLElement>();
  #count = 0;
  #active = 0;
  /** Counts fills and filters: an answer that comes too late is dropped. */
  #turn = 0;

  constructor(source: GridSource) {
    this.#source = source;
    const cells = COLUMNS.map(([name, header]) => make('div', { role: 'columnheader', class: name }, header));
    const head = make('div', { role: 'row', class: 'head', 'aria-rowindex': '1' }, ...cells);
    this.#element.replaceChildren(make('div', { role: 'rowgroup', class: 'sticky' }, head), this.#body);
    this.#element.addEventListener('scroll', () => requestAnimationFrame(() => void this.#fill()));
    this.#element.addEventListener('keydown', (event) => this.#key(event));
    this.#body.addEventListener('click', (event) => this.#click(event));
    new ResizeObserver(() => void this.#fill()).observe(this.#element);
  }

  /** Shows `count` rows from the top. */
  show(count: number): void {
    this.#count = count;
    this.#active = 0;
    this.#element.setAttribute('aria-rowcount', String(count + 1));
    this.#body.style.height = `${count * ROW_PX}px`;
    this.#element.scrollTop = 0;
    this.#clear();
    void this.#fill();
  }

  #clear(): void {
    this.#turn += 1;
    for (const row of this.#made.values()) row.remove();
    this.#made.clear();
    this.#element.removeAttribute('aria-activedescendant');
  }

  async #fill(): Promise<void> {
    const top = Math.floor(this.#element.scrollTop / ROW_PX);
    const from = Math.max(0, top - OVERSCAN);
    const to = Math.min(this.#count, top + Math.ceil(this.#element.clientHeight / ROW_PX) + OVERSCAN);
    for (const [place, row] of this.#made)
      if (place < from || place >= to) {
        row.remove();
        this.#made.delete(place);
      }
    const missing = Array.from({ length: Math.max(0, to - from) }, (_, n) => from + n).filter(
      (place) => !this.#made.has(place),
    );
    const [first] = missing;
    const last = missing.at(-1);
    if (first === undefined || last === undefined) return;
    this.#turn += 1;
    const turn = this.#turn;
    const rows = await this.#source.rows(first, last + 1);
    if (turn !== this.#turn) return;
    for (const [n, row] of rows.entries()) if (!this.#made.has(first + n)) this.#put(first + n, row);
    this.#mark();
  }

  #put(place: number, row: Row): void {
    const cells = COLUMNS.map(([name, , text]) => make('div', { role: 'gridcell', class: name }, text(row)));
    const element = make(
      'div',
      {
        role: 'row',
        class: 'line',
        id: `row-${place}`,
        'aria-rowindex': String(place + 2),
        'data-state': row.state,
        'data-outcome': row.outcome,
      },
      ...cells,
    );
    element.style.transform = `translateY(${place * ROW_PX}px)`;
    this.#made.set(place, element);
    this.#body.append(element);
  }

  #mark(): void {
    for (const [place, row] of this.#made) row.setAttribute('aria-selected', String(place === this.#active));
    if (this.#made.has(this.#active))
      this.#element.setAttribute('aria-activedescendant', `row-${this.#active}`);
  }

  #key(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(this.#element.clientHeight / ROW_PX) - 2);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -this.#count,
      End: this.#count,
    };
    const step = steps[event.key];
    if (event.key === 'Enter' && this.#count > 0) this.#source.open(this.#active);
    else if (step !== undefined) this.#move(step);
    else return;
    event.preventDefault();
  }

  #move(step: number): void {
    this.#active = Math.max(0, Math.min(this.#count - 1, this.#active + step));
    const top = this.#active * ROW_PX;
    // The head covers the first row's height.
    const bottom = top + 2 * ROW_PX - this.#element.clientHeight;
    if (this.#element.scrollTop > top) this.#element.scrollTop = top;
    else if (this.#element.scrollTop < bottom) this.#element.scrollTop = bottom;
    this.#mark();
    void this.#fill();
  }

  #click(event: MouseEvent): void {
    const row = (event.target as Element).closest('.line');
    if (row === null) return;
    this.#active = Number(row.id.replace('row-', ''));
    this.#mark();
    this.#source.open(this.#active);
  }
}
