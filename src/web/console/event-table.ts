import type { AuditEvent } from '../../audit/event.ts';
import type { SeenEvent } from '../../audit/verify/walk.ts';
import type { Filter, Names, Row, RowState } from './protocol.ts';

interface Kept extends Omit<Row, 'state'> {
  readonly at: number;
}

const BROKEN = {
  id: '',
  recorded: '',
  operation: '',
  outcome: '',
  reason: '',
  user: '',
  role: '',
  client: '',
  patient: '',
  purpose: '',
  policy: '',
} as const;

/** Every event of the log in memory, small: texts that repeat are kept once. */
export class EventTable {
  readonly #texts = new Map<string, string>();
  readonly #rows: Kept[] = [];
  readonly #states: RowState[] = [];
  readonly #broken = new Set<number>();
  /** Places in `#rows` that the filter lets through, the newest first. */
  #shown: Int32Array = new Int32Array();

  add({ event, at }: SeenEvent, index: number | null, state: RowState): void {
    const { id, recorded } = event;
    this.#rows.push({ index, id, recorded, at, ...this.#named(event) });
    this.#states.push(state);
  }

  /** Whether the leaf at that place of the tree is gone or altered. */
  isBroken(index: number): boolean {
    return this.#broken.has(index);
  }

  /** A leaf that is gone, or is not what its hash says. */
  addBroken(index: number, state: RowState, event: AuditEvent | null): void {
    const named = event === null ? BROKEN : { ...this.#named(event), id: event.id, recorded: event.recorded };
    this.#broken.add(index);
    this.#rows.push({ ...named, index, at: event === null ? 0 : Date.parse(event.recorded) });
    this.#states.push(state);
  }

  /** Sorts by time, once everything was added. What has no time of its own stays by its neighbour in the tree. */
  finish(): void {
    const placeOf = ({ index }: Kept): number => index ?? Number.MAX_SAFE_INTEGER;
    const rows = this.#rows.map((row, n) => ({ row, state: this.#states[n] ?? 'missing', at: row.at }));
    rows.sort((a, b) => placeOf(a.row) - placeOf(b.row));
    for (const [n, one] of rows.entries()) if (one.at === 0) one.at = rows[n - 1]?.at ?? 0;
    rows.sort((a, b) => a.at - b.at);
    for (const [n, { row, state }] of rows.entries()) {
      this.#rows[n] = row;
      this.#states[n] = state;
    }
  }

  /** @returns how many are shown. */
  filter(filter: Filter): number {
    const texts = textFilters(filter);
    const shown = new Int32Array(this.#rows.length);
    let count = 0;
    for (let place = this.#rows.length - 1; place >= 0; place -= 1) {
      const row = this.#rows[place] as Kept;
      if (isWithin(row, filter) && texts.every(([key, wanted]) => row[key].toLowerCase().includes(wanted)))
        shown[count++] = place;
    }
    this.#shown = shown.slice(0, count);
    return count;
  }

  rows(from: number, to: number): Row[] {
    return [...this.#shown.subarray(from, to)].map((place) => this.#row(place));
  }

  rowAt(shown: number): Row | null {
    const place = this.#shown[shown];
    return place === undefined ? null : this.#row(place);
  }

  names(): Names {
    const distinct = (key: 'role' | 'operation' | 'purpose' | 'policy'): string[] =>
      [...new Set(this.#rows.map((row) => row[key]))].filter((name) => name !== '').sort();
    return {
      roles: distinct('role'),
      operations: distinct('operation'),
      purposes: distinct('purpose'),
      policies: distinct('policy'),
    };
  }

  #row(place: number): Row {
    const { at: _at, ...row } = this.#rows[place] as Kept;
    return { ...row, state: this.#states[place] ?? 'missing' };
  }

  #named(event: AuditEvent): Omit<Kept, 'index' | 'id' | 'recorded' | 'at'> {
    const { actor, operation, outcome, reason, patient, purposeOfUse, policy } = event;
    return {
      operation: this.#once(operation),
      outcome: this.#once(outcome),
      reason: this.#once(reason ?? ''),
      user: this.#once(actor.user),
      role: this.#once(actor.role),
      client: this.#once(actor.client),
      patient: this.#once(patient ?? ''),
      purpose: this.#once(purposeOfUse),
      policy: this.#once(policy),
    };
  }

  #once(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    this.#texts.set(text, text);
    return text;
  }
}

const TEXTS = ['user', 'role', 'client', 'operation', 'patient', 'purpose', 'policy'] as const;

const textFilters = (filter: Filter) =>
  TEXTS.map((key) => [key, filter[key].trim().toLowerCase()] as const).filter(([, wanted]) => wanted !== '');

function isWithin(row: Kept, { from, to, outcome, emergency }: Filter): boolean {
  if (from !== null && row.at < from) return false;
  if (to !== null && row.at >= to) return false;
  if (outcome !== '' && row.outcome !== outcome) return false;
  return !emergency || row.purpose === 'ETREAT' || /^emergency/i.test(row.operation);
}
