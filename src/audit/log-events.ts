import type { AuditEvent } from './event.ts';
import type { LogSource } from './verify/source.ts';
import { readEvent } from './verify/walk.ts';

/** Every leaf that is there: in the tree's order, then what is pending (`index` null). Nothing is verified. */
export async function* leavesOf(
  source: LogSource,
): AsyncGenerator<{ leaf: Uint8Array; index: number | null }> {
  const size = await source.size();
  for (let bundle = 0; bundle * 256 < size; bundle += 1)
    for (const [place, leaf] of (await source.leaves(bundle)).entries())
      if (leaf !== null && bundle * 256 + place < size) yield { leaf, index: bundle * 256 + place };
  for await (const { leaf } of source.pending()) if (leaf !== null) yield { leaf, index: null };
}

/** The events of the log; what is no event is passed over. */
export async function* eventsOf(source: LogSource): AsyncGenerator<AuditEvent> {
  for await (const { leaf } of leavesOf(source)) {
    const event = readEvent(leaf);
    if (event !== null) yield event;
  }
}
