import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditPending } from '../../src/audit/append.ts';
import { sequenceAll, sequenceBatch } from '../../src/audit/sequencer.ts';
import { headRef, tileRef } from '../../src/audit/tree-store.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import type { Store } from '../../src/kernel/store.ts';
import { openLog, openWriter, readTree } from './log-house.ts';
import { openStore, STORES } from './stores.ts';

describe.each(STORES)('the sequencer on real %s', (kind) => {
  let store: Store;
  beforeAll(async () => {
    store = await openStore(kind);
  });
  afterAll(async () => store?.close());
  const pending = (tenant: TenantId) => store.tenant(tenant).list(auditPending, { limit: 1000 });
  const idsOf = (journal: readonly { id: string }[]) => journal.map(({ id }) => id).sort();

  test('puts every event into the tree once, across tiles and batches', async () => {
    const { tenant, journal, append } = openLog(store);
    await append(300);
    expect(await sequenceBatch(store, tenant, 3)).toEqual({ added: 3, size: 3 });
    expect(await sequenceAll(store, tenant, { paceMs: 0 })).toBe(297);
    await append(20);
    expect(await sequenceBatch(store, tenant)).toEqual({ added: 20, size: 320 });
    expect((await readTree(store, tenant)).sort()).toEqual(idsOf(journal));
    expect(await pending(tenant)).toEqual([]);
    expect(await sequenceBatch(store, tenant)).toEqual({ added: 0, size: null });
  });

  test('several at once, under writers, lose and duplicate nothing', async () => {
    const { tenant, journal, append } = openLog(store);
    const other = openWriter(store, tenant);
    const sequencing = async () => {
      for (let round = 0; round < 6; round += 1) await sequenceBatch(store, tenant, 15).catch(() => null);
    };
    await Promise.all([append(40), other.append(40), sequencing(), sequencing(), sequencing()]);
    await sequenceAll(store, tenant, { paceMs: 0 });
    expect((await readTree(store, tenant)).sort()).toEqual(idsOf([...journal, ...other.journal]));
  });

  test('a tree that was changed is not added to', async () => {
    const { tenant, append } = openLog(store);
    await append(5);
    await sequenceBatch(store, tenant);
    await append(1);
    const rows = store.tenant(tenant);
    const [head] = await rows.get(headRef);
    await rows.transact(async (tx) => tx.put(headRef, { size: 4 }));
    await expect(sequenceBatch(store, tenant)).rejects.toMatchObject({ code: 'TREE_CORRUPT' });
    await rows.transact(async (tx) => tx.delete(headRef));
    await expect(sequenceBatch(store, tenant)).rejects.toMatchObject({ code: 'TREE_CORRUPT' });
    await rows.transact(async (tx) => {
      tx.put(headRef, head ?? { size: 0 });
      tx.put(tileRef({ level: 0, index: 0 }), { hashes: new Uint8Array(64) });
    });
    await expect(sequenceBatch(store, tenant)).rejects.toMatchObject({ code: 'TREE_CORRUPT' });
    expect(await pending(tenant)).toHaveLength(1);
  });
});
