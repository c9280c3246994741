import { ref } from '../kernel/collection.ts';
import type { Reader } from '../kernel/store.ts';
import { auditEvents, auditPending } from './append.ts';
import { bundleRef, eventIdsOf, readSize, tileReader } from './tree-store.ts';
import type { LogSource, PendingEvent } from './verify/source.ts';

const PAGE = 200;

/** A tenant's log as the store has it. */
export function storeSource(reader: Reader): LogSource {
  return {
    size: () => readSize(reader),
    tile: tileReader(reader),
    leaves: async (bundle) => {
      const [row] = await reader.get(bundleRef(bundle));
      const events = await reader.get(...eventIdsOf(row).map((id) => ref(auditEvents, id)));
      return events.map((event) => event?.leaf ?? null);
    },
    pending: () => pendingOf(reader),
  };
}

async function* pendingOf(reader: Reader): AsyncGenerator<PendingEvent> {
  for (let after: string | undefined; ; ) {
    const page = await reader.list(auditPending, { limit: PAGE, ...(after === undefined ? {} : { after }) });
    const events = await reader.get(...page.map(({ id }) => ref(auditEvents, id)));
    for (const [at, { id, row }] of page.entries())
      yield { id, leafHash: row.leafHash, leaf: events[at]?.leaf ?? null };
    after = page.at(-1)?.id;
    if (page.length < PAGE) return;
  }
}
