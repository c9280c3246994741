import type { JsonValue } from '../../kernel/collection.ts';

/** How many places a finding names. */
export const MAX_PLACES = 20;

/** Where something was found: the first places, and how many there are. Memory does not grow with the rows. */
export class Places {
  readonly #first: string[] = [];
  #count = 0;

  add(place: string): void {
    this.#count += 1;
    if (this.#first.length < MAX_PLACES) this.#first.push(place);
  }

  get found(): Found {
    return { count: this.#count, first: this.#first };
  }
}

/** Places as they are reported: collection, column and row id, never a value. */
export interface Found {
  readonly count: number;
  readonly first: readonly string[];
}

/** As evidence. */
export const foundJson = ({ count, first }: Found): JsonValue => ({ count, first });
