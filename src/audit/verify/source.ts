import type { TileAt } from '../tiles.ts';

/** One committed event that is not in the tree yet. */
export interface PendingEvent {
  readonly id: string;
  readonly leafHash: Uint8Array;
  /** Null when there is a twin and no event. */
  readonly leaf: Uint8Array | null;
}

/**
 * Where a log is read from: a store, an evidence bundle, a server. It is not believed; it may be wrong in every way.
 */
export interface LogSource {
  /** How many leaves it says it has. */
  size(): Promise<number>;
  tile(at: TileAt): Promise<Uint8Array | null>;
  /** The leaves of one bundle of 256 in order; null for one that is not there. */
  leaves(bundle: number): Promise<readonly (Uint8Array | null)[]>;
  pending(): AsyncIterable<PendingEvent>;
}

/** One value of a chart as the store has it now. */
export interface StoredValue {
  readonly alias: string;
  /** As events name it under `written`: a value id, or `manifest`. */
  readonly value: string;
  readonly digest: string;
}

/** One line of the journal that another administrator keeps. */
export interface JournalLine {
  readonly id: string;
  readonly leafHash: string;
}

/** What is used of a CloudTrail record. */
export interface KeyUse {
  readonly eventTime: string;
  readonly eventName: string;
  readonly requestParameters?: {
    readonly encryptionContext?: Readonly<Record<string, unknown>> | null;
  } | null;
  readonly errorCode?: string;
}
