import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AuditLog, auditEvents, auditPending } from '../../../src/audit/append.ts';
import { type Store, StoreError } from '../../../src/kernel/store.ts';
import { anEntry } from '../../audit/log-house.ts';
import { openOwner, openStore, STORES } from '../../audit/stores.ts';
import { eventAt, MINUTE, openScene, remove, type Scene, smuggle, wrong } from './scene.ts';

describe.each(STORES)('events that are not in the tree yet, on real %s', (kind) => {
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
    await scene.append(3);
    await scene.settle();
    await scene.log.append(scene.tenant, anEntry());
  });
  const victim = () => scene.journal.at(-1)?.id ?? '';

  test('pending events are shown as not covered yet', async () => {
    const report = await scene.verify();
    expect(report).toMatchObject({ covered: 3, sequenced: 0, pending: 1 });
    expect(wrong(report)).toEqual({});
    await scene.sequence();
    expect(await scene.verify()).toMatchObject({ covered: 3, sequenced: 1, pending: 0 });
  });

  test('deleted with its twin: the writer’s next event names it', async () => {
    await remove(scene.rows, auditEvents, victim());
    await remove(scene.rows, auditPending, victim());
    await scene.append(1);
    await scene.settle();
    expect(wrong(await scene.verify())).toEqual({ completeness: 'EVENT_LOST' });
  });

  test('only its twin deleted: it never gets into the tree, and is named too', async () => {
    await remove(scene.rows, auditPending, victim());
    await scene.append(1);
    await scene.settle();
    expect(wrong(await scene.verify())).toEqual({ completeness: 'EVENT_LOST' });
  });

  test('the event gone and its twin left', async () => {
    await remove(scene.rows, auditEvents, victim());
    expect(wrong(await scene.verify())).toEqual({ completeness: 'TWIN_WITHOUT_EVENT' });
    await scene.settle();
    expect(wrong(await scene.verify())).toMatchObject({ inclusion: 'LEAF_MISSING' });
  });

  test('a writer’s tail gone: only the journal tells', async () => {
    await remove(scene.rows, auditEvents, victim());
    await remove(scene.rows, auditPending, victim());
    expect(wrong(await scene.verify())).toEqual({});
    expect(wrong(await scene.verify({ journal: scene.journal }))).toEqual({ completeness: 'EVENT_LOST' });
  });

  test('a backdated insert is out of its time, or claims a count that is taken', async () => {
    await scene.settle();
    const model = await eventAt(scene.rows, 0);
    const recorded = new Date(scene.time.now - 26 * 60 * MINUTE).toISOString();
    const writer = { boot: 'wr_forged', count: 1, confirmed: [], abandoned: [] };
    await smuggle(scene.rows, { ...model, id: 'ev_forged', recorded, writer });
    await scene.settle();
    expect(wrong(await scene.verify())).toEqual({ completeness: 'BACKDATED' });
    await smuggle(scene.rows, { ...model, id: 'ev_forged_again' });
    await scene.settle();
    const codes = (await scene.verify()).verdicts[3]?.findings.map(({ code }) => code);
    expect(codes).toContain('COUNT_REPEATED');
  });

  test('a commit held for four minutes takes its place late, and nothing is wrong', async () => {
    const late = scene.log.draft(scene.tenant);
    await scene.append(2);
    await scene.settle();
    expect(wrong(await scene.verify())).toEqual({});
    const { rows } = scene;
    await rows.transact(async (tx) => late.write(tx, anEntry()));
    late.confirm();
    scene.time.now += 4 * MINUTE;
    await scene.append(1);
    await scene.settle();
    expect(wrong(await scene.verify({ journal: scene.journal }))).toEqual({});
  });

  test('a count that its writer neither used nor gave up is a lost event in the end', async () => {
    scene.log.draft(scene.tenant);
    await scene.append(1);
    scene.time.now += 11 * MINUTE;
    await scene.append(1);
    await scene.settle();
    expect(wrong(await scene.verify())).toEqual({ completeness: 'COUNT_MISSING' });
  });

  test('a draft that died with its writer is told apart: unknown, and settled by the journal', async () => {
    scene.log.draft(scene.tenant);
    await scene.append(1);
    scene.time.now += 30 * MINUTE;
    await scene.settle();
    expect(wrong(await scene.verify())).toEqual({ completeness: 'unknown' });
    expect(wrong(await scene.verify({ journal: scene.journal }))).toEqual({});
  });

  test.each([-60, 60])('a clock wrong by %i minutes changes nothing', async (minutes) => {
    const other = scene.writer(() => scene.time.now + minutes * MINUTE);
    await other.append(3);
    await scene.append(3);
    await scene.settle();
    expect(wrong(await scene.verify({ journal: [...scene.journal, ...other.journal] }))).toEqual({});
  });

  test('an event that cannot be created fails the call, and nothing is left of it', async () => {
    const refusing: Store = {
      ...store,
      tenant: (id) => ({
        ...store.tenant(id),
        transact: async () => {
          throw new StoreError('STORE_UNAVAILABLE', 'No.', { retryable: true });
        },
      }),
    };
    const journal: unknown[] = [];
    const log = new AuditLog({ store: refusing, clock: Date.now, journal: (line) => journal.push(line) });
    await expect(log.append(scene.tenant, anEntry())).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    expect(journal).toEqual([]);
    await scene.settle();
    expect(wrong(await scene.verify())).toEqual({});
  });

  test('a lost reply: given up by its writer, there after all, counted once', async () => {
    const draft = scene.log.draft(scene.tenant);
    await scene.rows.transact(async (tx) => draft.write(tx, anEntry()));
    draft.abandon();
    await scene.append(1);
    await scene.settle();
    expect(await scene.verify()).toMatchObject({ covered: 6 });
    expect(wrong(await scene.verify({ journal: scene.journal }))).toEqual({});
  });
});
