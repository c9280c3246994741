import { type AuditEntry, AuditLog, auditEvents } from '../../src/audit/append.ts';
import { leafHash } from '../../src/audit/event.ts';
import { GrowingTree, splitHashes, TreeHasher } from '../../src/audit/merkle.ts';
import { nodeSha256 } from '../../src/audit/node-sha256.ts';
import { rangeRoot } from '../../src/audit/tiles.ts';
import { bundleRef, eventIdsOf, readSize, tileReader } from '../../src/audit/tree-store.ts';
import { ref } from '../../src/kernel/collection.ts';
import { type PatientAlias, randomId, type TenantId } from '../../src/kernel/ids.ts';
import type { Store } from '../../src/kernel/store.ts';

export const hasher = new TreeHasher(nodeSha256);

/** A read of one chart, as `getPatient` records it. */
export const anEntry = (more: Partial<AuditEntry> = {}): AuditEntry => ({
  action: 'R',
  operation: 'getPatient',
  outcome: '0',
  actor: { user: 'usr_1', role: 'clinician', client: 'client-1' },
  patient: 'pa_1' as PatientAlias,
  entity: { resource: 'Patient', fields: ['demographics.name'] },
  purposeOfUse: 'TREAT',
  policy: 'care-team',
  ...more,
});

/** A tenant of a test's own, a writer to its log, and the lines of its journal. */
export function openLog(store: Store, clock: () => number = Date.now) {
  const tenant = randomId('t') as TenantId;
  return { tenant, ...openWriter(store, tenant, clock) };
}

export function openWriter(store: Store, tenant: TenantId, clock: () => number = Date.now) {
  const journal: { id: string; leafHash: string }[] = [];
  const log = new AuditLog({ store, clock, journal: (line) => journal.push(line) });
  const append = async (count: number, more: Partial<AuditEntry> = {}): Promise<void> => {
    for (let at = 0; at < count; at += 20)
      await Promise.all(
        Array.from({ length: Math.min(20, count - at) }, () => log.append(tenant, anEntry(more))),
      );
  };
  return { log, journal, append };
}

/** The ids of the tree in order, after a check that tiles, bundles and events are those of one another. */
export async function readTree(store: Store, tenant: TenantId): Promise<string[]> {
  const rows = store.tenant(tenant);
  const size = await readSize(rows);
  const ids: string[] = [];
  const tree = new GrowingTree(hasher);
  for (let bundle = 0; bundle * 256 < size; bundle += 1) {
    const [entries] = await rows.get(bundleRef(bundle));
    const inBundle = eventIdsOf(entries);
    const hashes = splitHashes((await tileReader(rows)({ level: 0, index: bundle })) ?? new Uint8Array());
    const events = await rows.get(...inBundle.map((id) => ref(auditEvents, id)));
    for (const [at, event] of events.entries()) {
      if (event === null || !leafHash(event.leaf).equals(hashes[at] ?? new Uint8Array()))
        throw new Error(`Leaf ${bundle * 256 + at} is not the event's.`);
      tree.push(hashes[at] ?? new Uint8Array());
    }
    ids.push(...inBundle);
  }
  const root = await rangeRoot(hasher, tileReader(rows), { from: 0, to: size });
  if (!Buffer.from(root).equals(tree.root())) throw new Error('The tiles do not lead to the leaves’ root.');
  if (ids.length !== size) throw new Error('The bundles are not as many as the head says.');
  return ids;
}
