import type { AuditEvent } from './event.ts';
import type { LogSource } from './verify/source.ts';
import { readEvent } from './verify/walk.ts';

/**
 * Every leaf that is there when this begins: in the tree's order, then what is pending (`index` null). Nothing is verified.
 * What is pending is read first, for it may be sequenced meanwhile, and none may be missed or told twice.
 */
export async function* leavesOf(
  source: LogSource,
): AsyncGenerator<{ leaf: Uint8Array; index: number | null }> {
  const pending = new Map<string, Uint8Array>();
  for await (const { leaf } of source.pending()) if (leaf !== null) pending.set(textOf(leaf), leaf);
  const size = await source.size();
  for (let bundle = 0; bundle * 256 < size; bundle += 1)
    for (const [place, leaf] of (await source.leaves(bundle)).entries())
      if (leaf !== null && bundle * 256 + place < size) {
        if (pending.size > 0) pending.delete(textOf(leaf));
        yield { leaf, index: bundle * 256 + place };
      }
  for (const leaf of pending.values()) yield { leaf, index: null };
}

/** Leaves are UTF-8, and no two are alike: each has a random id. */
const textOf = (leaf: Uint8Array): string => new TextDecoder().decode(leaf);

/** The events of the log; what is no event is passed over. */
export async function* eventsOf(source: LogSource): AsyncGenerator<AuditEvent> {
  for await (const { leaf } of leavesOf(source)) {
    const event = readEvent(leaf);
    if (event !== null) yield event;
  }
}
