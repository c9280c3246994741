import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { auditEvents } from '../../../src/audit/append.ts';
import { bundleRef, eventIdsOf, tileRef } from '../../../src/audit/tree-store.ts';
import { ref } from '../../../src/kernel/collection.ts';
import type { Store } from '../../../src/kernel/store.ts';
import { openOwner, openStore, STORES } from '../../audit/stores.ts';
import { eventAt, idAt, openScene, overwrite, remove, type Scene, wrong } from './scene.ts';

describe.each(STORES)('events that are in the tree, on real %s', (kind) => {
  let store: Store;
  let owner: Store;
  let scene: Scene;
  beforeAll(async () => {
    store = await openStore(kind);
    owner = await openOwner(kind);
  });
  afterAll(async () => {
    await owner?.close();
    await store?.close();
  });
  beforeEach(async () => {
    scene = await openScene(store, owner);
    await scene.append(12);
    await scene.settle();
    expect(wrong(await scene.verify())).toEqual({});
  });

  test('an edited event is found', async () => {
    const { rows } = scene;
    const event = await eventAt(rows, 5);
    await overwrite(rows, event.id, { ...event, actor: { ...event.actor, user: 'usr_somebody_else' } });
    const report = await scene.verify();
    expect(wrong(report)).toMatchObject({ inclusion: 'LEAF_CHANGED' });
    expect(report.verdicts[0]?.findings).toEqual([{ code: 'LEAF_CHANGED', at: '5' }]);
  });

  test('a deleted event is found', async () => {
    await remove(scene.rows, auditEvents, await idAt(scene.rows, 7));
    expect(wrong(await scene.verify())).toMatchObject({ inclusion: 'LEAF_MISSING' });
  });

  test('events in swapped places are found', async () => {
    const { rows } = scene;
    const [row] = await rows.get(bundleRef(0));
    const ids = eventIdsOf(row);
    const swapped = [ids[1], ids[0], ...ids.slice(2)].join('\n');
    await rows.transact(async (tx) => tx.put(bundleRef(0), { events: swapped }));
    expect(wrong(await scene.verify())).toMatchObject({ inclusion: 'LEAF_CHANGED' });
  });

  test('an altered tile is found, and one that fits an altered event too', async () => {
    const { rows } = scene;
    const at = tileRef({ level: 0, index: 0 });
    const [tile] = await rows.get(at);
    const hashes = new Uint8Array(tile?.hashes ?? []);
    hashes[40] = (hashes[40] ?? 0) ^ 1;
    await rows.transact(async (tx) => tx.put(at, { hashes }));
    expect(wrong(await scene.verify())).toMatchObject({ inclusion: 'LEAF_CHANGED' });
    await remove(rows, auditEvents, await idAt(rows, 1));
    expect(wrong(await scene.verify()).inclusion).toBeDefined();
  });

  test('an event with a tile that was made to fit does not lead to the signed root', async () => {
    const { rows } = scene;
    const event = await eventAt(rows, 5);
    const { leafHash, leafOf } = await import('../../../src/audit/event.ts');
    const forged = { ...event, operation: 'whoAmI' };
    await overwrite(rows, event.id, forged);
    const at = tileRef({ level: 0, index: 0 });
    const [tile] = await rows.get(at);
    const hashes = new Uint8Array(tile?.hashes ?? []);
    hashes.set(leafHash(leafOf(forged)), 5 * 32);
    await rows.transact(async (tx) => tx.put(at, { hashes }));
    expect(wrong(await scene.verify())).toMatchObject({ inclusion: 'ROOT_MISMATCH' });
  });

  test('a leaf of another tenant, replayed, is found', async () => {
    const other = await openScene(store, owner);
    await other.append(1);
    await other.settle();
    const stolen = await eventAt(other.rows, 0);
    const { smuggle } = await import('./scene.ts');
    await smuggle(scene.rows, stolen);
    await scene.settle();
    expect(wrong(await scene.verify())).toMatchObject({ inclusion: 'OTHER_TENANT' });
    // Nor does the other tenant's checkpoint pass for this one's.
    expect(wrong(await scene.verify({ checkpoint: await other.latest() }))).toMatchObject({
      signature: 'OTHER_ORIGIN',
    });
  });

  test('a cut that nobody logged is found; a logged one keeps every proof', async () => {
    const { rows } = scene;
    for (const index of [0, 1, 2])
      await rows.transact(async (tx) => tx.delete(ref(auditEvents, await idAt(rows, index))));
    expect(wrong(await scene.verify())).toMatchObject({ inclusion: 'CUT_UNLOGGED' });
  });
});
