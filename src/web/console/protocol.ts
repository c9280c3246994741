import type { ReportName, ReportTable } from '../../audit/reports/report-table.ts';
import type { Report } from '../../audit/verify/report.ts';

/** What page and worker say to each other. */

/** Files that the auditor brought; they are read in the browser and sent nowhere. */
export interface OwnEvidence {
  readonly checkpoint: File | null;
  readonly keys: File | null;
  readonly journal: File | null;
  readonly trail: File | null;
  /** The last checkpoint that this browser verified. */
  readonly remembered: Uint8Array | null;
}

/** What events are shown. Texts match anywhere, without regard to case. */
export interface Filter {
  /** Ms since the epoch, `from` included, `to` not. */
  readonly from: number | null;
  readonly to: number | null;
  readonly user: string;
  readonly role: string;
  readonly client: string;
  readonly operation: string;
  readonly patient: string;
  readonly purpose: string;
  readonly outcome: string;
  readonly policy: string;
  readonly emergency: boolean;
}

/** `signed` the checkpoint covers it; `sequenced` not yet; `pending` not in the tree; the others are findings. */
export type RowState = 'signed' | 'sequenced' | 'pending' | 'changed' | 'missing';

/** One line of the grid. */
export interface Row {
  readonly index: number | null;
  readonly state: RowState;
  readonly id: string;
  readonly recorded: string;
  readonly operation: string;
  readonly outcome: string;
  readonly reason: string;
  readonly user: string;
  readonly role: string;
  readonly client: string;
  readonly patient: string;
  readonly purpose: string;
  readonly policy: string;
}

/** An event opened: its exact bytes as text, its hash, and the proof from there to the signed root. */
export interface OpenedEvent {
  readonly row: Row;
  readonly raw: string;
  readonly leafHash: string;
  /** Hashes, base64; null where there is no signed tree to prove it in. */
  readonly path: readonly string[] | null;
  readonly root: string;
  readonly size: number;
  /** Whether leaf and path lead to the signed root, as checked just now. */
  readonly isProven: boolean;
}

/** What the log names, for the filter's suggestions. */
export interface Names {
  readonly roles: readonly string[];
  readonly operations: readonly string[];
  readonly purposes: readonly string[];
  readonly policies: readonly string[];
}

export type ToWorker =
  | { readonly kind: 'verify'; readonly own: OwnEvidence }
  | { readonly kind: 'filter'; readonly call: number; readonly filter: Filter }
  | { readonly kind: 'rows'; readonly call: number; readonly from: number; readonly to: number }
  | { readonly kind: 'event'; readonly call: number; readonly place: number }
  | { readonly kind: 'report'; readonly call: number; readonly name: ReportName; readonly patient: string };

/** The answer to each kind of call. */
export interface Answers {
  readonly filter: number;
  readonly rows: readonly Row[];
  readonly event: OpenedEvent;
  readonly report: ReportTable;
}

export type FromWorker =
  | { readonly kind: 'progress'; readonly done: number; readonly of: number }
  | {
      readonly kind: 'verified';
      readonly report: Report;
      readonly checkpoint: Uint8Array | null;
      readonly names: Names;
      readonly ms: number;
    }
  /** `code` is the server's, or `UNREACHABLE`, `BROKEN_OFF`. */
  | { readonly kind: 'failed'; readonly code: string }
  | { readonly kind: 'answer'; readonly call: number; readonly value: Answers[keyof Answers] };
