import type { AuditEvent } from '../event.ts';

/** A report as a table, the same for the command line, the console and programs. Names and ids only: no PHI. */
export interface ReportTable {
  readonly name: ReportName;
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What the table leaves out, or how it is to be read. */
  readonly note: string;
}

export const REPORTS = ['access', 'disclosures', 'users', 'emergency', 'denied', 'erasures'] as const;
export type ReportName = (typeof REPORTS)[number];

/** What a report is made of. */
export interface ReportOptions {
  /** Whose chart: a patient alias. `access` and `disclosures` need one; the others narrow by it. */
  readonly patient?: string;
  /** Now, ms since the epoch. */
  readonly now: number;
}

/** Gathers one report, event by event, in any order. */
export interface Reporter {
  see(event: AuditEvent): void;
  table(): ReportTable;
}

/** Rows in one table at most: the newest. */
export const MAX_ROWS = 1_000;

/** Keeps the newest rows without growing with the log. */
export class NewestRows<T extends { readonly recorded: string }> {
  #kept: T[] = [];
  #seen = 0;

  add(row: T): void {
    this.#seen += 1;
    this.#kept.push(row);
    if (this.#kept.length > 2 * MAX_ROWS) this.#trim();
  }

  /** Newest first. */
  get rows(): readonly T[] {
    this.#trim();
    return this.#kept;
  }

  /** What to say of those that were left out; empty when none were. */
  get leftOut(): string {
    return this.#seen > MAX_ROWS ? ` Only the newest ${MAX_ROWS} of ${this.#seen} are shown.` : '';
  }

  #trim(): void {
    this.#kept.sort((a, b) => (a.recorded < b.recorded ? 1 : a.recorded > b.recorded ? -1 : 0));
    this.#kept.length = Math.min(this.#kept.length, MAX_ROWS);
  }
}

export const fieldsOf = ({ entity }: AuditEvent): string => entity?.fields?.join(', ') ?? '';
