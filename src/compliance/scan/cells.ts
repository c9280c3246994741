import { sealedBytes } from '../../crypto/fields.ts';
import { Places } from './places.ts';
import type { PlaintextFacts } from './plaintext.ts';
import type { SealedFacts } from './sealed.ts';
import { readableText, type Shape, shapesIn } from './shapes.ts';

/** A clinic's own columns may hold these. */
const PUBLIC_SHAPES: ReadonlySet<Shape> = new Set(['name', 'phone', 'date']);

/** Judges cells in which something sealed belongs, one by one. Reads headers; opens nothing. */
export class SealedCells {
  readonly #byColumn: Record<string, number> = {};
  readonly #otherwise = new Places();
  readonly #readable = new Places();
  #values = 0;

  see(column: string, id: string, value: unknown): void {
    if (sealedBytes(value) === null) {
      this.#otherwise.add(`${column} ${id}`);
    } else {
      this.#values += 1;
      this.#byColumn[column] = (this.#byColumn[column] ?? 0) + 1;
    }
  }

  /** Protected bytes of any kind are never readable. */
  seeBytes(column: string, id: string, bytes: Uint8Array): void {
    if (readableText(bytes) !== null) this.#readable.add(`${column} ${id}`);
  }

  get facts(): Pick<SealedFacts, 'values' | 'byColumn' | 'otherwise' | 'readable'> {
    return {
      ...{ values: this.#values, byColumn: this.#byColumn },
      ...{ otherwise: this.#otherwise.found, readable: this.#readable.found },
    };
  }
}

/** Looks for PHI and card numbers in texts, one by one. */
export class PlaintextCells {
  readonly #phi = new Places();
  readonly #cards = new Places();
  #texts = 0;

  /** A public column may hold names, telephones and days. */
  see(column: string, id: string, { text, isPublic }: { text: string; isPublic: boolean }): void {
    this.#texts += 1;
    for (const shape of shapesIn(text)) {
      if (isPublic && PUBLIC_SHAPES.has(shape)) continue;
      (shape === 'card' ? this.#cards : this.#phi).add(`${column} ${id}: ${shape}`);
    }
  }

  get facts(): PlaintextFacts {
    return { texts: this.#texts, phi: this.#phi.found, cards: this.#cards.found };
  }
}
