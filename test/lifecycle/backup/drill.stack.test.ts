import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { originOf } from '../../../src/audit/checkpoint.ts';
import { Checkpoints } from '../../../src/audit/checkpoints.ts';
import { nodeSha256 } from '../../../src/audit/node-sha256.ts';
import { Outside } from '../../../src/audit/outside.ts';
import { sequenceAll } from '../../../src/audit/sequencer.ts';
import { statedKeys } from '../../../src/audit/signers.ts';
import { storeSource } from '../../../src/audit/store-source.ts';
import { verifyLog } from '../../../src/audit/verify/verify-log.ts';
import { COLLECTIONS } from '../../../src/collections.ts';
import type { PatientRef } from '../../../src/crypto/patient-keys.ts';
import { storedDigests } from '../../../src/crypto/stored-digests.ts';
import type { Store } from '../../../src/kernel/store.ts';
import { backupEntry } from '../../../src/lifecycle/backup/events.ts';
import { openCheckpointFolder } from '../../../src/storage/checkpoints/folder.ts';
import { createSigner, PROJECT, wrong } from '../../attacks/audit/scene.ts';
import { openOwner, openStore } from '../../audit/stores.ts';
import { at as time } from '../../clinic/house.ts';
import { addressOf } from '../../stack/addresses.ts';
import { describeNeeding } from '../../stack/needs.ts';
import { drillStrongErasure } from '../epoch-house.ts';
import { openPrivacy } from '../house.ts';
import { BY, backUp, destroyTenant, openRestore, tempFolder } from './house.ts';
import type { RestoringWork } from './restoring-process.ts';

const SCRIPT = join(import.meta.dirname, 'restoring-process.ts');
const MINUTE_MS = 60_000;
const DAY = { from: time('2026-12-08T00:00'), to: time('2026-12-09T00:00') };
const RESOURCES = ['dr', 'dr--2', 'nurse', 'room--r1'];

/** When, by whose checkpoints, and beside which of an auditor's own. */
interface Verified {
  readonly now: number;
  readonly place: Outside;
  readonly earlier: readonly Uint8Array[];
}

const DIRECTIONS = [
  ['firestore', 'postgres'],
  ['postgres', 'firestore'],
] as const;

for (const [kind, otherKind] of DIRECTIONS)
  describeNeeding('firestore', `the drill: from ${kind} into ${otherKind}`, () => {
    let source: Store;
    let target: Store;
    let folder: string;
    let outside: Outside;
    let at: Awaited<ReturnType<typeof openPrivacy>>;
    let checkpoints: Checkpoints;
    let signer: ReturnType<typeof createSigner>;
    beforeAll(async () => {
      [source, target] = await Promise.all([openStore(kind), openStore(otherKind)]);
    });
    afterAll(() => Promise.all([source.close(), target.close()]));
    beforeEach(async () => {
      folder = tempFolder();
      outside = new Outside(openCheckpointFolder(folder));
      at = await openPrivacy(source, { outside });
      signer = createSigner();
      checkpoints = new Checkpoints({ store: source, outside, signer, clock: Date.now, project: PROJECT });
      await checkpoints.addSigner(at.tenant, signer.create('key-1'));
    });

    /** The log as it is, in the tree and signed. */
    const settle = async (): Promise<void> => {
      await sequenceAll(source, at.tenant, { paceMs: 0 });
      await checkpoints.publish(at.tenant);
    };
    const checkpointNow = async (): Promise<Uint8Array> =>
      (await outside.latest(at.tenant, 'checkpoint'))?.bytes ?? new Uint8Array();
    // Past what counts as being written while the store is read.
    const soon = (): number => Date.now() + 2 * MINUTE_MS;
    const verified = async (
      store: Store,
      { now = soon(), place = outside, earlier = [] }: Partial<Verified> = {},
    ) => {
      const rows = store.tenant(at.tenant);
      const origin = originOf(PROJECT, at.tenant);
      return verifyLog(storeSource(rows), {
        ...{ tenant: at.tenant, origin, sha256: nodeSha256, stored: storedDigests(rows) },
        checkpoint: (await place.latest(at.tenant, 'checkpoint'))?.bytes ?? null,
        keys: await statedKeys({ store, outside: place, tenant: at.tenant, origin }),
        ...{ now, earlier },
      });
    };
    const named = async ({ patient }: PatientRef): Promise<string[]> => {
      const names: string[] = [];
      for (const of of COLLECTIONS)
        for (const { id, row } of await target.tenant(at.tenant).list(of, { limit: 1_000 }))
          if (`${id} ${JSON.stringify(row)}`.includes(patient)) names.push(of.name);
      return names;
    };

    test('every chart opens, visits and taken times are equal, and the log verifies', async () => {
      const [of, other] = [await at.plant(), await at.imported()];
      await settle();
      const { to } = await backUp(source, at.tenant, { outside });
      const there = openRestore(target, { outside });
      expect(await there.restore(at.tenant, to)).toMatchObject({ erasedAgain: 0, keyless: 0 });
      for (const each of [of, other]) {
        const [was, is] = [await at.charts.read(each, []), await there.charts.read(each, [])];
        expect(is?.chart.names()).toEqual(was?.chart.names());
        expect((await there.visits.all(each))?.visits).toEqual(await at.visits(each));
      }
      expect(await target.tenant(at.tenant).busy(RESOURCES, DAY)).toEqual(
        await at.reader.busy(RESOURCES, DAY),
      );
      // At one moment: the verdicts tell the checkpoint's age.
      const now = soon();
      expect((await verified(target, { now })).verdicts).toEqual((await verified(source, { now })).verdicts);
    }, 60_000);

    test('a backup under live writes is of one moment: no chart in it is ahead of its log or behind', async () => {
      const of = await at.imported();
      await settle();
      let [busy, writes] = [true, 0];
      const traffic = async (): Promise<void> => {
        for (; busy; writes += 1) {
          await at.imported();
          await at.step(of, await at.start(of, 'correction', 'Not so.'), { step: 'withdraw' });
        }
      };
      const [{ to }] = await Promise.all([
        backUp(source, at.tenant, { outside }).finally(() => {
          busy = false;
        }),
        traffic(),
      ]);
      expect(writes).toBeGreaterThan(1);
      const restored = await openRestore(target, { outside }).restore(at.tenant, to);
      expect(restored).toMatchObject({ erasedAgain: 0, keyless: 0 });
      expect(wrong(await verified(target))).toEqual({});
    }, 60_000);

    test('beside a newer log an older state is found, chart by chart', async () => {
      const of = await at.imported();
      await settle();
      const first = await backUp(source, at.tenant, { outside });
      await at.start(of, 'correction', 'Not so.');
      await settle();
      const second = await backUp(source, at.tenant, { outside });
      const there = openRestore(target, { outside });
      await there.restore(at.tenant, first.to, { log: join(second.to, 'log') });
      expect(wrong(await verified(source))).toEqual({});
      expect(wrong(await verified(target))).toEqual({ store: 'ROLLED_BACK' });
    }, 60_000);

    test('with the log of then the signed checkpoints say that it was longer', async () => {
      const of = await at.imported();
      await settle();
      const { to } = await backUp(source, at.tenant, { outside });
      await at.start(of, 'correction', 'Not so.');
      await settle();
      await openRestore(target, { outside }).restore(at.tenant, to);
      expect(wrong(await verified(target))).toEqual({
        inclusion: 'TILE_MISSING',
        consistency: 'LOG_SHRUNK',
      });
    }, 60_000);

    test('whose tail is lost for good, the log is signed again from a new place, and the old one keeps what it knows', async () => {
      await at.imported();
      await settle();
      const { to } = await backUp(source, at.tenant, { outside });
      const covered = await checkpointNow();
      await at.imported();
      await settle();
      const lost = await checkpointNow();
      await openRestore(target, { outside }).restore(at.tenant, to);
      const signing = { store: target, signer, clock: Date.now, project: PROJECT };
      await sequenceAll(target, at.tenant, { paceMs: 0 });
      await expect(new Checkpoints({ ...signing, outside }).publish(at.tenant)).rejects.toMatchObject({
        code: 'LOG_SHRUNK',
      });

      const newFolder = tempFolder();
      for (const kind of ['key', 'tombstone'])
        if (existsSync(join(folder, at.tenant, kind)))
          cpSync(join(folder, at.tenant, kind), join(newFolder, at.tenant, kind), { recursive: true });
      const place = new Outside(openCheckpointFolder(newFolder));
      const again = new Checkpoints({ ...signing, outside: place });
      expect(await again.publish(at.tenant)).toMatchObject({ number: 1 });
      expect(wrong(await verified(target, { place, earlier: [covered] }))).toEqual({});
      expect(wrong(await verified(target, { place, earlier: [lost] }))).toEqual({
        consistency: 'LOG_SHRUNK',
      });

      await openRestore(target).audit.append(at.tenant, backupEntry('beginBackup', 'bk_next', { by: BY }));
      await sequenceAll(target, at.tenant, { paceMs: 0 });
      expect(await again.publish(at.tenant)).toMatchObject({ number: 2 });
      expect(wrong(await verified(target, { place, earlier: [covered] }))).toEqual({});
    }, 60_000);

    test('killed again and again it ends as one that was not: whoever was erased since stays gone', async () => {
      const [of, other] = [await at.plant(), await at.imported()];
      const { to } = await backUp(source, at.tenant, { outside });
      await at.approved(of);
      await at.round();
      const signals: (NodeJS.Signals | null)[] = [];
      for (const dieAfter of [4, 12, 25, null]) signals.push(await live(to, dieAfter));
      expect(signals).toEqual(['SIGKILL', 'SIGKILL', 'SIGKILL', null]);
      expect(await named(of)).toEqual(['tombstones']);
      const there = openRestore(target, { outside });
      expect(await there.charts.read(of, [])).toBeNull();
      expect((await there.charts.read(other, []))?.chart.names()).toHaveLength(4);
      expect(await target.tenant(at.tenant).busy(RESOURCES, DAY)).toEqual([]);
    }, 120_000);

    test('strong erasure: old data and old keys open nothing after the old KMS key’s end', async () => {
      const owner = await openOwner(otherKind);
      await drillStrongErasure(source, async (tenant) => {
        await destroyTenant(owner, tenant);
        return target;
      });
      await owner.close();
    }, 60_000);

    const live = async (from: string, dieAfter: number | null): Promise<NodeJS.Signals | null> => {
      const store = { kind: otherKind, address: addressOf(otherKind) };
      const work: RestoringWork = { tenant: at.tenant, store, outside: folder, from, dieAfter };
      const child = spawn(process.execPath, [SCRIPT], {
        env: { ...process.env, RESTORING: JSON.stringify(work) },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let said = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => {
          said += chunk.toString();
        });
      const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
      if (signal === null) expect(code, said).toBe(0);
      return signal;
    };
  });
