import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { originOf } from '../../../src/audit/checkpoint.ts';
import { Checkpoints } from '../../../src/audit/checkpoints.ts';
import { nodeSha256 } from '../../../src/audit/node-sha256.ts';
import { Outside } from '../../../src/audit/outside.ts';
import { sequenceAll } from '../../../src/audit/sequencer.ts';
import { statedKeys } from '../../../src/audit/signers.ts';
import { storeSource } from '../../../src/audit/store-source.ts';
import { verifyLog } from '../../../src/audit/verify/verify-log.ts';
import { COLLECTIONS } from '../../../src/collections.ts';
import { chartValues, manifests } from '../../../src/crypto/open-chart.ts';
import { indexEntries } from '../../../src/crypto/patient-index.ts';
import { type PatientRef, patientKeys, patientKeyVersions } from '../../../src/crypto/patient-keys.ts';
import { storedDigests } from '../../../src/crypto/stored-digests.ts';
import { startEmbeddedPostgres } from '../../../src/dev/backends/embedded-postgres.ts';
import { type Collection, ref } from '../../../src/kernel/collection.ts';
import type { Store, TenantStore } from '../../../src/kernel/store.ts';
import { receiptOf } from '../../../src/lifecycle/erasure/erase.ts';
import { reapplyTombstones } from '../../../src/lifecycle/erasure/reapply.ts';
import { openCheckpointFolder } from '../../../src/storage/checkpoints/folder.ts';
import { openObjectFolder } from '../../../src/storage/objects/folder.ts';
import { ensureSchema } from '../../../src/storage/postgres/ensure-schema.ts';
import { openPostgresStore } from '../../../src/storage/postgres/open-store.ts';
import { createSigner, PROJECT } from '../../attacks/audit/scene.ts';
import { contentOf, everyRow, filesBelow, found } from '../../attacks/traces.ts';
import { openOwner, openStore } from '../../audit/stores.ts';
import { addressOf } from '../../stack/addresses.ts';
import { describeOnBothStores } from '../../stack/needs.ts';
import { openPrivacy, PLANTED } from '../house.ts';
import type { ErasingWork } from './erasing-process.ts';

const SCRIPT = join(import.meta.dirname, 'erasing-process.ts');
const MINUTE_MS = 60_000;
/** Transactions of one life. */
const LIFE = 3;
const MAX_LIVES = 30;

describeOnBothStores(
  (store) => `an erasure on ${store}`,
  (kind) => {
    let store: Store;
    let folder: string;
    let at: Awaited<ReturnType<typeof openPrivacy>>;
    let said: string;
    beforeAll(async () => {
      store = await openStore(kind);
      folder = mkdtempSync(join(tmpdir(), 'chartseal-erasure-'));
    });
    afterAll(async () => {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const objectsOf = (): string => join(folder, `${at.tenant}-documents`);
    /** One life of the job; says which signal ended it. */
    const live = async (die: ErasingWork['die']): Promise<NodeJS.Signals | null> => {
      const outside = join(folder, at.tenant);
      const address = addressOf(kind);
      const work: ErasingWork = {
        tenant: at.tenant,
        store: { kind, address },
        ...{ outside, objects: objectsOf() },
        now: at.clock.now,
        die,
      };
      const child = spawn(process.execPath, [SCRIPT], {
        env: { ...process.env, ERASING: JSON.stringify(work) },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => {
          said += chunk.toString();
        });
      const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
      if (signal === null) expect(code, said).toBe(0);
      return signal;
    };
    const open = async () => {
      said = '';
      at = await openPrivacy(store);
      const outside = new Outside(openCheckpointFolder(join(folder, at.tenant)));
      at = await openPrivacy(store, {
        ...{ tenant: at.tenant, outside },
        objects: openObjectFolder(objectsOf()),
      });
      return { ...at, outside };
    };
    /** Rows of every collection that still name the handle. */
    const named = async ({ patient }: PatientRef): Promise<string[]> => {
      const names: string[] = [];
      for (const of of COLLECTIONS)
        for (const { id, row } of await at.reader.list(of, { limit: 1_000 }))
          if (`${id} ${JSON.stringify(row)}`.includes(patient)) names.push(of.name);
      return names;
    };
    /** Signs the log as it is, and holds it and the stored charts against each other as an auditor does. */
    const verified = async (outside: Outside) => {
      const { tenant, reader } = at;
      const now = Date.now();
      const signer = createSigner();
      const checkpoints = new Checkpoints({ store, outside, signer, clock: Date.now, project: PROJECT });
      await checkpoints.addSigner(tenant, signer.create('key-1'));
      await sequenceAll(store, tenant, { paceMs: 0 });
      await checkpoints.publish(tenant);
      const origin = originOf(PROJECT, tenant);
      return verifyLog(storeSource(reader), {
        ...{ tenant, origin, sha256: nodeSha256 },
        checkpoint: (await outside.latest(tenant, 'checkpoint'))?.bytes ?? null,
        keys: await statedKeys({ store, outside, tenant, origin }),
        stored: storedDigests(reader),
        // Past what counts as being written while the store is read.
        now: now + 2 * MINUTE_MS,
      });
    };

    test('by a job that is killed again and again ends as one that is not: nothing is left, and the log verifies', async () => {
      const { outside, ...clinic } = await open();
      const of = await clinic.plant();
      const other = await clinic.imported();
      const request = await clinic.approved(of);
      const signals: (NodeJS.Signals | null)[] = [];
      while (signals.at(-1) !== null && signals.length < MAX_LIVES) {
        // A transaction of Firestore whose client dies inside it holds its rows for up to a minute.
        const where = kind === 'postgres' && signals.length % 2 === 0 ? 'inside' : 'after';
        signals.push(await live({ where, at: LIFE }));
      }
      expect(signals.length).toBeGreaterThan(3);
      expect(signals.at(-1)).toBeNull();
      expect(await named(of)).toEqual(['privacyRequests', 'tombstones']);
      expect(filesBelow(objectsOf())).toEqual([]);
      const receipt = await receiptOf(store, { of, request });
      expect(receipt).toMatchObject({
        outside: true,
        logicalAt: expect.any(Number),
        finalAt: expect.any(Number),
      });
      const deletions = (await clinic.events()).filter(
        ({ action, entity }) => action === 'D' && entity?.resource === 'Patient',
      );
      expect(deletions.map(({ patient }) => patient)).toEqual([receipt?.alias]);
      expect((await clinic.charts.read(other, []))?.chart.names()).toHaveLength(4);
      const { verdicts } = await verified(outside);
      expect(verdicts.filter(({ state }) => state === 'fail')).toEqual([]);
      expect(verdicts.find(({ name }) => name === 'store')?.state).toBe('pass');
    }, 120_000);

    test('leaves no trace of what was planted: rows, index, log lines', async () => {
      const clinic = await open();
      const of = await clinic.plant();
      await clinic.approved(of);
      const exported = await clinic.start(of, 'export');
      await clinic.step(of, exported, { step: 'confirm' });
      expect(filesBelow(objectsOf()).length).toBe(3);
      expect(found(PLANTED, contentOf(filesBelow(objectsOf())))).toEqual([]);
      expect(await live(null)).toBeNull();
      expect(filesBelow(objectsOf())).toEqual([]);
      expect(await at.reader.list(indexEntries, { limit: 10 })).toEqual([]);
      const rows = await everyRow(store, at.tenant);
      expect(
        found([at.tenant], await everyRow(store, 'system' as typeof at.tenant)),
        'the search finds',
      ).toEqual([at.tenant]);
      expect(found(PLANTED, rows)).toEqual([]);
      expect(said).toContain('leafHash');
      expect(found(PLANTED, Buffer.from(said))).toEqual([]);
    }, 60_000);

    test('an old backup beside the keys of today does not open; with its key rows, the tombstones erase it again', async () => {
      const clinic = await open();
      const of = await clinic.plant();
      const owner = await openOwner(kind);
      const restore = await backUp(owner.tenant(at.tenant), of);
      await clinic.approved(of);
      expect(await live(null)).toBeNull();
      await restore([chartValues, manifests, patientKeys]);
      clinic.keys.flush(at.tenant);
      await expect(clinic.charts.read(of, [])).rejects.toMatchObject({ code: 'KEY_MISSING' });
      await restore([chartValues, manifests, patientKeys, patientKeyVersions]);
      await owner.close();
      expect(await reapplyTombstones(clinic.parts, at.tenant)).toEqual({ tombstones: 1, erasedAgain: 1 });
      expect(await clinic.charts.read(of, [])).toBeNull();
      expect(await named(of)).toEqual(['privacyRequests', 'tombstones']);
    }, 60_000);
  },
);

/** The rows of a patient as they are now, and how to put those of some collections back. */
async function backUp(rows: TenantStore, { patient }: PatientRef) {
  const saved = new Map<Collection, { id: string; row: object }[]>();
  for (const of of [chartValues, manifests, patientKeys, patientKeyVersions] as readonly Collection[])
    saved.set(
      of,
      (await rows.list(of, { limit: 1_000 })).filter(({ id }) => id.startsWith(patient)),
    );
  return async (wanted: readonly Collection[]): Promise<void> => {
    for (const of of wanted)
      await rows.transact(async (tx) => {
        for (const { id, row } of saved.get(of) ?? []) tx.put(ref(of, id), row as never);
      });
  };
}

test('after an erasure the files of PostgreSQL, its write-ahead log among them, hold nothing of what was planted', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'chartseal-erased-'));
  chmodSync(dataDir, 0o755);
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const server = await startEmbeddedPostgres({ dataDir });
  const ended = onTestFinishedOnce(() => server.close());
  await ensureSchema(server.adminConnectionString, COLLECTIONS);
  const store = openPostgresStore({ connectionString: server.appConnectionString });
  const at = await openPrivacy(store);
  const of = await at.plant();
  const id = await at.approved(of);
  await at.round();
  expect((await at.requests.find(of, id, at.clock.now)).state).toBe('done');
  await store.close();
  await ended();
  const files = filesBelow(join(dataDir, 'cluster'));
  const log = contentOf(files.filter((file) => file.includes('pg_wal')));
  expect(found([of.patient], log), 'the log is searched').toEqual([of.patient]);
  expect(found(PLANTED, contentOf(files))).toEqual([]);
}, 60_000);

/** Runs `end` when it is asked for, or at the test's end, once. */
function onTestFinishedOnce(end: () => Promise<void>): () => Promise<void> {
  let ended: Promise<void> | null = null;
  const once = (): Promise<void> => {
    ended ??= end();
    return ended;
  };
  onTestFinished(once);
  return once;
}
