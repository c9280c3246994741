import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { nodeSha256 } from '../../../src/audit/node-sha256.ts';
import { outsideName } from '../../../src/audit/outside.ts';
import { noteKey } from '../../../src/audit/signed-note.ts';
import type { Store } from '../../../src/kernel/store.ts';
import { openOwner, openStore, STORES } from '../../audit/stores.ts';
import { backUp, MINUTE, openScene, type Scene, wrong } from './scene.ts';

describe.each(STORES)('checkpoints, on real %s', (kind) => {
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
    await scene.append(4);
  });

  test('the auditor’s own earlier checkpoint is continued', async () => {
    const mine = await scene.settle();
    await scene.append(3);
    await scene.settle();
    const report = await scene.verify({ earlier: [mine] });
    expect(wrong(report)).toEqual({});
    expect(report.verdicts[1]).toMatchObject({ name: 'consistency', state: 'pass' });
  });

  test('an older restore is never signed over, and shown as shrunk', async () => {
    const mine = await scene.settle();
    const restore = await backUp(scene.rows);
    await scene.append(3);
    await scene.settle();
    await restore();
    await expect(scene.publish()).rejects.toMatchObject({ code: 'LOG_SHRUNK' });
    expect(wrong(await scene.verify({ earlier: [mine] }))).toMatchObject({
      inclusion: 'TILE_MISSING',
      consistency: 'LOG_SHRUNK',
    });
  });

  test('a restore that grew again is a fork: not signed, and shown', async () => {
    await scene.sequence();
    const restore = await backUp(scene.rows);
    await scene.append(3);
    const mine = await scene.settle();
    await restore();
    await scene.append(5);
    await scene.sequence();
    await expect(scene.publish()).rejects.toMatchObject({ code: 'LOG_FORKED' });
    expect(wrong(await scene.verify({ earlier: [mine] }))).toMatchObject({ consistency: 'FORKED' });
  });

  test('a forked tree with a valid signature is found by who holds an earlier checkpoint', async () => {
    await scene.sequence();
    const restore = await backUp(scene.rows);
    await scene.append(3);
    const mine = await scene.settle();
    await restore();
    scene.files.objects.delete(outsideName(scene.tenant, 'checkpoint', 1));
    await scene.append(5);
    await scene.sequence();
    const fork = await openFork(scene);
    const alone = await scene.verify({ checkpoint: fork });
    expect(wrong(alone)).not.toHaveProperty('signature');
    expect(wrong(await scene.verify({ checkpoint: fork, earlier: [mine] }))).toMatchObject({
      consistency: 'FORKED',
    });
  });

  test('during the overlap both keys sign; a retired one is refused afterwards', async () => {
    const second = scene.signer.create('key-2');
    await scene.settle();
    await scene.checkpoints.addSigner(scene.tenant, second);
    await scene.append(1);
    await scene.settle();
    const pinned = [second, scene.key].map(({ publicKey }) => ({
      key: noteKey(nodeSha256, { name: scene.origin, publicKey }),
      until: null,
    }));
    for (const key of pinned) expect(wrong(await scene.verify({ keys: [key], pinned: true }))).toEqual({});
    await scene.checkpoints.retireSigner(scene.tenant, 'key-1');
    await scene.append(1);
    scene.time.now += MINUTE;
    await scene.settle();
    expect(wrong(await scene.verify())).toEqual({});
    const root = (await scene.publish())?.checkpoint.root ?? new Uint8Array();
    expect(wrong(await scene.verify({ checkpoint: await scene.forge(6, root) }))).toMatchObject({
      signature: 'KEY_RETIRED',
    });
    await expect(scene.checkpoints.retireSigner(scene.tenant, 'key-2')).rejects.toMatchObject({
      code: 'NO_SIGNER',
    });
  });

  test('a key that the auditor has not pinned is refused', async () => {
    await scene.settle();
    const { publicKey } = scene.signer.create('key-x');
    const keys = [{ key: noteKey(nodeSha256, { name: scene.origin, publicKey }), until: null }];
    expect(wrong(await scene.verify({ keys, pinned: true }))).toMatchObject({
      signature: 'SIGNATURE_INVALID',
      inclusion: 'unknown',
    });
  });

  test('a stale checkpoint is shown as stale', async () => {
    await scene.settle();
    scene.time.now += 6 * MINUTE;
    expect(wrong(await scene.verify())).toEqual({ freshness: 'STALE' });
  });

  test('before the first checkpoint nothing is claimed', async () => {
    expect(wrong(await scene.verify())).toEqual({
      inclusion: 'unknown',
      signature: 'unknown',
      freshness: 'unknown',
    });
  });

  test('two publishers at once: one number, one note', async () => {
    await scene.sequence();
    const published = await Promise.all([scene.publish(), scene.publish(), scene.publish()]);
    expect(published.filter((one) => one !== null)).toHaveLength(1);
    for (let round = 0; round < 20; round += 1) await scene.publish();
    expect((await scene.outside.latest(scene.tenant, 'checkpoint'))?.number).toBe(21);
  });
});

/** A note over the tree as it is now, signed by the log's key without a look at what was signed before. */
async function openFork(scene: Scene): Promise<Uint8Array> {
  const { rangeRoot } = await import('../../../src/audit/tiles.ts');
  const { readSize, tileReader } = await import('../../../src/audit/tree-store.ts');
  const { hasher } = await import('../../audit/log-house.ts');
  const size = await readSize(scene.rows);
  return scene.forge(size, await rangeRoot(hasher, tileReader(scene.rows), { from: 0, to: size }));
}
