import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CreateKeyCommand, KMSClient, ReEncryptCommand } from '@aws-sdk/client-kms';
import type { WrappedKey } from '../../src/crypto/keyring.ts';
import {
  type PatientRef,
  partsOfKeyVersion,
  patientKeyContext,
  patientKeys,
  patientKeyVersions,
} from '../../src/crypto/patient-keys.ts';
import { wrappedKeyOf } from '../../src/crypto/wrapped-row.ts';
import { startStore } from '../../src/dev/store-choice.ts';
import { collection, ref } from '../../src/kernel/collection.ts';
import { workJob } from '../../src/lifecycle/jobs/worker.ts';
import { ensureSchema } from '../../src/storage/postgres/ensure-schema.ts';
import type { JobWork } from '../faults/job-process.ts';
import { allRows, BY, type KeyHouse, openKeyHouse, textOf, update } from '../lifecycle/key-house.ts';
import { openSceneStore, ROOT, type Scene, sceneKms } from '../soak/scene.ts';
import type { Bench, BenchOptions, Measured } from './bench.ts';

/** On real stores, the KMS emulator and, for live traffic, the job in processes of their own. */

const CALLS_AT_ONCE = 24;
const CHARTS_AT_ONCE = 8;
/** Six values of 2 KB: a chart as clinics keep them. */
const VALUES = 6;
const VALUE = 'x'.repeat(2_000);

interface World {
  readonly house: KeyHouse;
  readonly at: Scene['store'];
  readonly kms: string;
  readonly patients: readonly PatientRef[];
}

type Kind = Scene['store']['kind'];

async function inWorld<T>(
  count: number,
  work: (world: World) => Promise<T>,
  kind: Kind = 'postgres',
): Promise<T> {
  const dataDir = mkdtempSync(join(tmpdir(), 'chartseal-bench-rotation-'));
  chmodSync(dataDir, 0o755);
  const chosen = await startStore({ dataDir, projectId: 'demo-chartseal', kind });
  const emulator = spawn(process.execPath, [join(import.meta.dirname, 'kms-process.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const address = chosen.env['FIRESTORE_EMULATOR_HOST'] ?? chosen.env['CHARTSEAL_DATABASE_URL'] ?? '';
  const at: Scene['store'] = { kind: chosen.kind, address };
  if (chosen.kind === 'postgres')
    await ensureSchema(chosen.env['CHARTSEAL_DATABASE_OWNER_URL'] ?? '', [bare]);
  const store = openSceneStore(at);
  try {
    const [line] = (await once(emulator.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    const kms = line.toString().trim();
    const client = new KMSClient({ endpoint: kms, ...ROOT });
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
    const house = await openKeyHouse({ store, ...sceneKms(kms), keyId: KeyMetadata?.Arn ?? '' });
    const texts = Object.fromEntries(Array.from({ length: VALUES }, (_, n) => [`v${n}`, VALUE]));
    const patients: PatientRef[] = [];
    for (let made = 0; made < count; made += 10)
      patients.push(...(await Promise.all(Array.from({ length: 10 }, () => house.newPatient(texts)))));
    return await work({ house, at, kms, patients });
  } finally {
    await store.close();
    emulator.kill('SIGKILL');
    await chosen.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const run = ({ rotations, tenant }: KeyHouse, id: string) => workJob(rotations.jobs, tenant, id);

async function perItem(count: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return ((performance.now() - start) * 1_000) / count;
}

/** Runs `work` on all items, so many at once. */
async function atOnce<T>(
  lanes: number,
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = items.values();
  const lane = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/**
 * A whole rewrap job, its proof included, beside bare ReEncrypt calls as many at once; the better of two rounds each.
 * KMS in the same Region answers within some 5 ms, and within 20 from another provider's.
 */
function rewrapping(latencyMs: number): Bench['measure'] {
  return ({ quick }) =>
    inWorld(quick ? 60 : 4_000, async ({ house, kms, patients }) => {
      await fetch(`${kms}/_admin/faults`, { method: 'PUT', body: JSON.stringify({ latencyMs }) });
      const best = { value: Number.POSITIVE_INFINITY, floor: Number.POSITIVE_INFINITY };
      for (let round = 0; round < (quick ? 1 : 2); round += 1) {
        const wrapped = await wrappedKeys(house);
        const client = new KMSClient({ endpoint: kms, ...ROOT });
        const floor = await perItem(wrapped.length, () =>
          atOnce(CALLS_AT_ONCE, wrapped, ({ key, context }) => client.send(reEncrypt(key, context))),
        );
        await house.rotations.rotateWrappingKey(house.tenant, BY);
        const id = await house.rotations.rewrap(house.tenant, { by: BY, isWide: true });
        const value = await perItem(patients.length, () => run(house, id));
        best.value = Math.min(best.value, value);
        best.floor = Math.min(best.floor, floor);
      }
      return best;
    });
}

async function wrappedKeys({ store, tenant }: KeyHouse) {
  const aliases = new Map((await allRows(store, tenant, patientKeys)).map(({ id, row }) => [id, row.alias]));
  return (await allRows(store, tenant, patientKeyVersions)).map(({ id, row }) => {
    const { patient, version } = partsOfKeyVersion(id);
    return {
      key: wrappedKeyOf(row),
      context: patientKeyContext(tenant, aliases.get(patient) ?? '', version),
    };
  });
}

const reEncrypt = (key: WrappedKey, context: Readonly<Record<string, string>>) =>
  new ReEncryptCommand({
    SourceKeyId: key.keyId,
    CiphertextBlob: key.blob,
    SourceEncryptionContext: { ...context },
    DestinationKeyId: key.keyId,
    DestinationEncryptionContext: { ...context },
  });

/** Rows of the chart's sizes, without a meaning. */
const bare = collection('benchRows', { patient: 'text', sealed: 'bytes' });

/**
 * Moves charts to a new key and seals them anew, beside one bare transaction a chart that reads and writes rows of its
 * sizes, as many at once. `isWhole` goes on to the job's end: every header is looked at again, and old keys are ended.
 */
function reencrypting(kind: Kind, isWhole: boolean): Bench['measure'] {
  const measure = async ({ house, patients }: World): Promise<Measured> => {
    const { rows, tenant } = house;
    const refsOf = ({ patient }: PatientRef) =>
      Array.from({ length: VALUES + 2 }, (_, n) => ref(bare, `${patient}-${n}`));
    const row = (patient: string) => ({ patient, sealed: Buffer.alloc(2_072, 1) });
    const raw = (of: PatientRef) =>
      rows.transact(async (tx) => {
        await tx.get(...refsOf(of));
        for (const at of refsOf(of)) tx.put(at, row(of.patient));
      });
    const best = { value: Number.POSITIVE_INFINITY, floor: Number.POSITIVE_INFINITY };
    await atOnce(CHARTS_AT_ONCE, patients, raw);
    for (let round = 0; round < 2; round += 1) {
      const floor = await perItem(patients.length, () => atOnce(CHARTS_AT_ONCE, patients, raw));
      const id = await house.rotations.reencrypt(tenant, { by: BY, before: Date.now() });
      const value = await perItem(patients.length, () => (isWhole ? run(house, id) : runFirst(house, id)));
      await run(house, id);
      best.value = Math.min(best.value, value);
      best.floor = Math.min(best.floor, floor);
    }
    return best;
  };
  return ({ quick }) => inWorld(quick ? 20 : 400, measure, kind);
}

/** Until the job has left its first phase. */
async function runFirst({ rotations, tenant }: KeyHouse, id: string): Promise<void> {
  const { phase } = await rotations.jobs.find(tenant, id);
  const left = new AbortController();
  const onStep = async (): Promise<void> => {
    if ((await rotations.jobs.find(tenant, id)).phase !== phase) left.abort();
  };
  await workJob(rotations.jobs, tenant, id, { onStep, signal: left.signal });
}

/** The most that the heap held while a job went over four times as many charts, beside what it held for a quarter. */
async function memory({ quick }: BenchOptions): Promise<Measured> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const peakOf = (count: number): Promise<number> =>
    inWorld(count, async ({ house }) => {
      const { rotations, tenant } = house;
      const id = await rotations.reencrypt(tenant, { by: BY, before: Date.now() });
      house.cache.flush('');
      collect();
      let peak = 0;
      await workJob(rotations.jobs, tenant, id, {
        onStep: () => {
          house.cache.flush('');
          collect();
          peak = Math.max(peak, process.memoryUsage().heapUsed);
        },
      });
      return peak / 1e6;
    });
  const few = quick ? 20 : 200;
  return { floor: await peakOf(few), value: await peakOf(4 * few) };
}

/** p95 of reads and writes while all three rotations run at a clinic's pace, beside the p95 without them. */
const liveTraffic =
  (rate: number) =>
  async ({ quick }: BenchOptions): Promise<Measured> => {
    const seconds = quick ? 2 : 10;
    return inWorld(quick ? 40 : 400, async ({ house, at, kms, patients }) => {
      const { rotations, tenant } = house;
      await traffic(house, patients, 1);
      const floor = await traffic(house, patients, seconds);
      await rotations.rotateWrappingKey(tenant, BY);
      const start = { by: BY, rate };
      const ids = [
        await rotations.reencrypt(tenant, { ...start, before: Date.now() }),
        await rotations.rewrap(tenant, start),
        await rotations.reindex(tenant, start),
      ];
      const worker = await startWorker({ tenant, store: at, kms, ids });
      const value = await traffic(house, patients, seconds);
      worker.kill('SIGKILL');
      return { value, floor };
    });
  };

async function startWorker(jobs: JobWork): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../faults/job-process.ts')], {
    env: { ...process.env, JOBS: JSON.stringify(jobs) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child;
}

/** The p95, in microseconds, of one act at a time: four reads to a write, a request each 10 ms. */
async function traffic(house: KeyHouse, patients: readonly PatientRef[], seconds: number): Promise<number> {
  const times: number[] = [];
  const end = performance.now() + seconds * 1_000;
  for (let n = 0; performance.now() < end; n += 1) {
    const of = patients[n % patients.length];
    if (of === undefined) break;
    const start = performance.now();
    if (n % 5 === 0) await update(house, of, { document: 'v0', change: (text) => text });
    else await textOf(house, of, 'v1');
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  times.sort((a, b) => a - b);
  return (times[Math.floor(times.length * 0.95)] ?? 0) * 1_000;
}

/** Rates as times: 80 % of the calls' rate is 1.25 times their time, 40 % of the transactions' rate 2.5 times. */
export const ROTATION_BENCHES: readonly Bench[] = [
  { name: 'rotation/rewrap-a-key', unit: 'us', target: 1.25, measure: rewrapping(0) },
  { name: 'rotation/rewrap-a-key-5ms', unit: 'us', target: 1.25, measure: rewrapping(5) },
  { name: 'rotation/rewrap-a-key-20ms', unit: 'us', target: 1.25, measure: rewrapping(20) },
  { name: 'rotation/reencrypt-a-chart', unit: 'us', target: 2.5, measure: reencrypting('firestore', false) },
  { name: 'rotation/reencrypt-job', unit: 'us', target: 2.5, measure: reencrypting('firestore', true) },
  { name: 'rotation/reencrypt-pg-chart', unit: 'us', target: 2.5, measure: reencrypting('postgres', false) },
  { name: 'rotation/reencrypt-pg-job', unit: 'us', target: 2.5, measure: reencrypting('postgres', true) },
  { name: 'rotation/memory-of-4-times', unit: 'MB', target: 1.2, measure: memory },
  { name: 'rotation/live-p95', unit: 'us', target: 1.5, measure: liveTraffic(20) },
  { name: 'rotation/live-p95-at-10', unit: 'us', target: 1.5, measure: liveTraffic(10) },
];
