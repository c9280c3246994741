import type { JsonValue } from '../kernel/collection.ts';
import type { AuditEvent } from './event.ts';
import type { LogSource } from './verify/source.ts';

/** How far back {@link recentEvents} looks: 256 sequenced events to a bundle, and the events not sequenced yet. */
const BUNDLE = 256;
const MAX_BUNDLES = 8;
const MAX_PENDING = 400;

/** The newest events of a log, and whether there are older ones. */
export interface RecentEvents {
  /** Newest first. */
  readonly events: readonly AuditEvent[];
  /** False when the log goes further back than was looked. */
  readonly complete: boolean;
}

/**
 * The newest events of a log: about two thousand, whatever its size. For a quick answer; the reports read all of it.
 */
export async function recentEvents(source: LogSource): Promise<RecentEvents> {
  const leaves: Uint8Array[] = [];
  for await (const { leaf } of source.pending()) {
    if (leaf !== null) leaves.push(leaf);
    if (leaves.length >= MAX_PENDING) break;
  }
  const bundles = Math.ceil((await source.size()) / BUNDLE);
  const first = Math.max(0, bundles - MAX_BUNDLES);
  for (let bundle = first; bundle < bundles; bundle += 1)
    for (const leaf of await source.leaves(bundle)) if (leaf !== null) leaves.push(leaf);
  const events = leaves.map(
    (leaf) => JSON.parse(Buffer.from(leaf).toString('utf8')) as JsonValue & AuditEvent,
  );
  // An event that was sequenced between the two looks is in both.
  const distinct = [...new Map(events.map((event) => [event.id, event as AuditEvent])).values()];
  return {
    events: distinct.sort((a, b) => (a.recorded < b.recorded ? 1 : -1)),
    complete: first === 0 && leaves.length < MAX_PENDING + MAX_BUNDLES * BUNDLE,
  };
}
