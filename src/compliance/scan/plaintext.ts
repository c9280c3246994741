import { PlaintextCells } from './cells.ts';
import type { Found } from './places.ts';
import { columnsOf, type Page, type RowWatch } from './rows.ts';
import { readableText } from './shapes.ts';
import { PUBLIC_COLUMNS } from './stored-bytes.ts';

/** Known shapes of PHI and cards that lie in the rows in clear. */
export interface PlaintextFacts {
  /** Texts that were looked at. */
  readonly texts: number;
  readonly phi: Found;
  readonly cards: Found;
}

/** Of an event's leaf all but its time, which is no shape of a bare date. */
const WRITTEN = ['text', 'json'] as const;

/** Looks for PHI and card numbers in every column that can be read. */
export class PlaintextWatch implements RowWatch {
  readonly #cells = new PlaintextCells();

  see({ of, rows }: Page): void {
    const written = WRITTEN.flatMap((type) => columnsOf(of, type));
    const bytes = columnsOf(of, 'bytes');
    for (const { id, row } of rows) {
      for (const column of written) {
        const value = row[column] ?? null;
        if (value !== null)
          this.#look(`${of.name}.${column}`, id, typeof value === 'string' ? value : JSON.stringify(value));
      }
      for (const column of bytes) {
        const value = row[column];
        const text = value instanceof Uint8Array ? readableText(value) : null;
        if (text !== null) this.#look(`${of.name}.${column}`, id, text);
      }
    }
  }

  get facts(): PlaintextFacts {
    return this.#cells.facts;
  }

  #look(column: string, id: string, text: string): void {
    this.#cells.see(column, id, { text, isPublic: PUBLIC_COLUMNS.has(column) });
  }
}
