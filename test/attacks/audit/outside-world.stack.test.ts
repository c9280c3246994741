import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { auditEvents } from '../../../src/audit/append.ts';
import { cutOldEvents } from '../../../src/audit/retention.ts';
import type { StoredValue } from '../../../src/audit/verify/source.ts';
import type { PatientAlias } from '../../../src/kernel/ids.ts';
import type { Store } from '../../../src/kernel/store.ts';
import { anEntry } from '../../audit/log-house.ts';
import { openOwner, openStore, STORES } from '../../audit/stores.ts';
import { MINUTE, openScene, type Scene, wrong } from './scene.ts';

const YEAR = 365.25 * 24 * 60 * MINUTE;

describe.each(STORES)('the log held against the world outside it, on real %s', (kind) => {
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
  });

  const write = (revision: number, digests: Record<string, string>) =>
    scene.log.append(scene.tenant, anEntry({ action: 'U', written: { revision, digests } }));
  const stored = (values: Record<string, string>): StoredValue[] =>
    Object.entries(values).map(([value, digest]) => ({ alias: 'pa_1', value, digest }));
  const settleLater = async () => {
    scene.time.now += 5 * MINUTE;
    await scene.settle();
  };

  test('a chart that is as it was last logged passes; rolled back, changed or gone does not', async () => {
    await write(1, { a: 'a1', b: 'b1', manifest: 'm1' });
    await write(2, { a: 'a2', b: 'removed', manifest: 'm2' });
    await settleLater();
    const compare = async (values: Record<string, string>) =>
      wrong(await scene.verify({ stored: stored(values) }));
    expect(await compare({ a: 'a2', manifest: 'm2' })).toEqual({});
    expect(await compare({ a: 'a1', b: 'b1', manifest: 'm1' })).toEqual({ store: 'ROLLED_BACK' });
    expect(await compare({ a: 'a9', manifest: 'm2' })).toEqual({ store: 'UNLOGGED_CHANGE' });
    expect(await compare({ a: 'a2', c: 'c1', manifest: 'm2' })).toEqual({ store: 'UNLOGGED_CHANGE' });
    expect(await compare({ manifest: 'm2' })).toEqual({ store: 'VALUE_MISSING' });
    expect(await compare({})).toEqual({ store: 'VALUE_MISSING' });
  });

  test('a patient’s key destroyed: the proofs stay valid, and nothing of theirs is missed', async () => {
    await write(1, { a: 'a1', manifest: 'm1' });
    await scene.log.append(scene.tenant, anEntry({ action: 'D', operation: 'patient erase' }));
    await settleLater();
    expect(wrong(await scene.verify({ stored: [] }))).toEqual({});
    expect(wrong(await scene.verify({ stored: stored({ a: 'a1' }) }))).toEqual({ store: 'VALUE_MISSING' });
  });

  test('KMS used without an event is found; with one it is accounted for', async () => {
    await scene.append(1);
    const use = (alias: string, tenant: string = scene.tenant) => ({
      eventTime: new Date(scene.time.now).toISOString(),
      eventName: 'Decrypt',
      requestParameters: { encryptionContext: { app: 'chartseal', tenant, patient: alias, version: '1' } },
    });
    const uses = [use('pa_1')];
    await settleLater();
    expect(wrong(await scene.verify({ keyUse: uses }))).toEqual({});
    const late = { ...use('pa_1'), eventTime: new Date(scene.time.now - 60 * MINUTE).toISOString() };
    for (const secret of [{ ...uses[0], ...use('pa_2'), eventTime: uses[0]?.eventTime ?? '' }, late])
      expect(wrong(await scene.verify({ keyUse: [...uses, secret] }))).toEqual({
        keyUse: 'KMS_WITHOUT_EVENT',
      });
    const refused = { ...late, errorCode: 'AccessDenied' };
    const foreign = { ...use('pa_2', 'another-tenant'), eventTime: late.eventTime };
    expect(wrong(await scene.verify({ keyUse: [refused, foreign] }))).toEqual({});
  });

  describe('retention', () => {
    const cut = (years?: number) =>
      cutOldEvents({ store: owner, audit: scene.log, now: scene.time.now }, scene.tenant, {
        by: 'usr_admin',
        ...(years === undefined ? {} : { years }),
      });

    test('a logged cut after ten years keeps every proof and the earlier checkpoint', async () => {
      const now = scene.time.now;
      scene.time.now = now - 11 * YEAR;
      await scene.append(5);
      const mine = await scene.settle();
      scene.time.now = now;
      await scene.append(3);
      await scene.settle();
      expect(await cut()).toEqual({ upTo: 5, deleted: 5 });
      await scene.settle();
      expect(await scene.rows.list(auditEvents, { limit: 100 })).toHaveLength(4);
      const report = await scene.verify({ earlier: [mine] });
      expect(wrong(report)).toEqual({});
      expect(report.verdicts[0]?.summary).toContain('5 cut by retention');
      expect(await cut()).toMatchObject({ deleted: 0 });
    });

    test('below six years nothing is cut, and a cut that claims more than it may is found', async () => {
      await expect(cut(5)).rejects.toMatchObject({ code: 'RETENTION' });
      await scene.append(2);
      await scene.settle();
      await scene.log.append(
        scene.tenant,
        anEntry({
          action: 'D',
          operation: 'auditRetention',
          entity: {
            resource: 'AuditEvent',
            id: 'leaves-0-2',
            fields: [`newest ${new Date().toISOString()}`],
          },
        }),
      );
      await scene.settle();
      expect(wrong(await scene.verify())).toEqual({ inclusion: 'CUT_TOO_YOUNG' });
    });

    test('a cut of what an earlier checkpoint had not seen is too young, whatever it says', async () => {
      const mine = await scene.settle();
      await scene.append(2);
      await scene.settle();
      const fields = ['newest 2001-01-01T00:00:00.000Z'];
      const entity = { resource: 'AuditEvent', id: 'leaves-0-2', fields };
      await scene.log.append(scene.tenant, anEntry({ action: 'D', operation: 'auditRetention', entity }));
      await scene.settle();
      expect(wrong(await scene.verify({ earlier: [mine] }))).toEqual({ inclusion: 'CUT_TOO_YOUNG' });
    });
  });

  test('an alias that no chart has is no secret to the log', async () => {
    await scene.log.append(scene.tenant, anEntry({ patient: 'pa_gone' as PatientAlias }));
    await settleLater();
    expect(wrong(await scene.verify({ stored: [] }))).toEqual({});
  });
});
