/** What the verifier found. Everything in it is opaque ids, numbers and codes: no PHI. */

/** `pass` it holds; `fail` it does not; `unknown` it could not be found out; `skipped` nobody asked. */
export type VerdictState = 'pass' | 'fail' | 'unknown' | 'skipped';

/** The five verdicts on the log, and two comparisons with the world outside it. */
export const VERDICTS = [
  'inclusion',
  'consistency',
  'signature',
  'completeness',
  'freshness',
  'store',
  'keyUse',
] as const;
export type VerdictName = (typeof VERDICTS)[number];

/**
 * Inclusion: `LEAF_CHANGED` `LEAF_MISSING` `LEAF_UNREADABLE` `OTHER_TENANT` `TILE_CHANGED` `TILE_MISSING`
 * `ROOT_MISMATCH` `CUT_UNLOGGED` `CUT_TOO_YOUNG`. Consistency: `LOG_SHRUNK` `FORKED` `EARLIER_REFUSED`. Signature:
 * `NO_CHECKPOINT` `NOTE_MALFORMED` `OTHER_ORIGIN` `SIGNATURE_INVALID` `KEY_RETIRED` `TOO_FEW_WITNESSES`.
 * Completeness: `EVENT_LOST` `COUNT_MISSING` `COUNT_REPEATED` `TWIN_WITHOUT_EVENT`
 * `PENDING_CHANGED` `BACKDATED` `FROM_THE_FUTURE`. Freshness: `STALE` `NO_TIME`
 * `PENDING_OLD`. Store: `ROLLED_BACK` `VALUE_MISSING` `UNLOGGED_CHANGE`. Key use: `KMS_WITHOUT_EVENT`.
 */
export type FindingCode =
  | 'LEAF_CHANGED'
  | 'LEAF_MISSING'
  | 'LEAF_UNREADABLE'
  | 'OTHER_TENANT'
  | 'TILE_CHANGED'
  | 'TILE_MISSING'
  | 'ROOT_MISMATCH'
  | 'CUT_UNLOGGED'
  | 'CUT_TOO_YOUNG'
  | 'LOG_SHRUNK'
  | 'FORKED'
  | 'EARLIER_REFUSED'
  | 'NO_CHECKPOINT'
  | 'NOTE_MALFORMED'
  | 'OTHER_ORIGIN'
  | 'SIGNATURE_INVALID'
  | 'KEY_RETIRED'
  | 'TOO_FEW_WITNESSES'
  | 'EVENT_LOST'
  | 'COUNT_MISSING'
  | 'COUNT_REPEATED'
  | 'TWIN_WITHOUT_EVENT'
  | 'PENDING_CHANGED'
  | 'BACKDATED'
  | 'FROM_THE_FUTURE'
  | 'STALE'
  | 'NO_TIME'
  | 'PENDING_OLD'
  | 'ROLLED_BACK'
  | 'VALUE_MISSING'
  | 'UNLOGGED_CHANGE'
  | 'KMS_WITHOUT_EVENT';

/** One thing that is wrong, and where. */
export interface Finding {
  readonly code: FindingCode;
  /** A leaf's index, an event id, a tile, a writer and count, a patient alias and value. */
  readonly at: string;
}

/** One verdict, with its first findings. */
export interface Verdict {
  readonly name: VerdictName;
  readonly state: VerdictState;
  /** One line for people. */
  readonly summary: string;
  /** The first {@link MAX_FINDINGS}. */
  readonly findings: readonly Finding[];
  /** How many there are in all. */
  readonly count: number;
}

/** The whole answer. */
export interface Report {
  readonly tenant: string;
  readonly origin: string;
  /** Leaves that the signed checkpoint covers; 0 when no checkpoint is believed. */
  readonly covered: number;
  /** In the tree, not signed yet. */
  readonly sequenced: number;
  /** Committed, not in the tree yet. */
  readonly pending: number;
  /** When the checkpoint was signed, UTC; null when there is none. */
  readonly signedAt: string | null;
  readonly verdicts: readonly Verdict[];
}

export const MAX_FINDINGS = 50;

/** Gathers findings without growing with their number. */
export class Findings {
  readonly #first: Finding[] = [];
  #count = 0;

  add(code: FindingCode, at: string | number): void {
    this.#count += 1;
    if (this.#first.length < MAX_FINDINGS) this.#first.push({ code, at: String(at) });
  }

  get count(): number {
    return this.#count;
  }

  /** `state` and `summary` hold when nothing was found. */
  verdict(name: VerdictName, summary: string, state: VerdictState = 'pass'): Verdict {
    const [first] = this.#first;
    const more = this.#count > 1 ? ` and ${this.#count - 1} more` : '';
    return {
      name,
      state: first === undefined ? state : 'fail',
      summary: first === undefined ? summary : `${first.code} at ${first.at}${more}`,
      findings: this.#first,
      count: this.#count,
    };
  }
}

/** `fail` when any verdict fails, else `unknown` when any could not be found out, else `pass`. */
export function overall({ verdicts }: Report): 'pass' | 'fail' | 'unknown' {
  const states = new Set(verdicts.map(({ state }) => state));
  return states.has('fail') ? 'fail' : states.has('unknown') ? 'unknown' : 'pass';
}
