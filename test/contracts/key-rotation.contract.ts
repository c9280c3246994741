import { describe, expect, test } from 'vitest';
import { tenants } from '../../src/clinic/clinic.ts';
import { Documents } from '../../src/clinic/documents/documents.ts';
import { idempotency } from '../../src/clinic/idempotency.ts';
import { INDEX_STATE, indexKeys } from '../../src/crypto/index-keys.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { KmsTenantKeys } from '../../src/crypto/kms-tenant-keys.ts';
import { chartValues, valueRef } from '../../src/crypto/open-chart.ts';
import { indexRecords } from '../../src/crypto/patient-index.ts';
import {
  keyVersionRef,
  type PatientRef,
  patientKeys,
  patientKeyVersions,
} from '../../src/crypto/patient-keys.ts';
import { keyVersionOf } from '../../src/crypto/sealed-value.ts';
import { tenantSecrets } from '../../src/crypto/tenant-secrets.ts';
import { ref } from '../../src/kernel/collection.ts';
import { type PatientAlias, type PatientId, SYSTEM_TENANT } from '../../src/kernel/ids.ts';
import { type Store, StoreError } from '../../src/kernel/store.ts';
import { openParts } from '../../src/lifecycle/jobs/finish.ts';
import { jobParts, jobs } from '../../src/lifecycle/jobs/job.ts';
import type { JobTask } from '../../src/lifecycle/jobs/queue.ts';
import { runStep } from '../../src/lifecycle/jobs/step.ts';
import { runTask, workJob } from '../../src/lifecycle/jobs/worker.ts';
import { survey } from '../../src/lifecycle/rotation/survey.ts';
import { startKms, type TestKms } from '../crypto/kms.ts';
import { memoryObjects } from '../doubles/memory-objects.ts';
import {
  allRows,
  BY,
  book,
  ENTRY,
  factsOf,
  type KeyHouse,
  nameOf,
  openKeyHouse,
  textOf,
  update,
} from '../lifecycle/key-house.ts';

/** Tomorrow at noon UTC, so that a slot is always ahead. */
const SLOT = Math.ceil(Date.now() / 86_400_000) * 86_400_000 + 86_400_000 + 17 * 3_600_000;

async function* piecesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** A house on a KMS of its own. */
export async function openWithKms(
  store: Store,
): Promise<{ house: KeyHouse; kms: TestKms; keyring: Keyring }> {
  const kms = await startKms();
  const keyring = kms.keyring();
  const house = await openKeyHouse({ store, keyring, keyId: await kms.createKey(), admin: adminOf(kms) });
  return { house, kms, keyring };
}

const adminOf = (kms: TestKms): KmsTenantKeys =>
  new KmsTenantKeys({
    endpoint: kms.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIATESTROOT', secretAccessKey: 'x' },
  });

/** A moment by which the key of this patient alone was made. */
async function firstKeyAfter({ rows }: KeyHouse, { patient }: PatientRef): Promise<number> {
  const [row] = await rows.get(keyVersionRef(patient, 1));
  return (row?.createdAt ?? 0) + 1;
}

/** A write that the store could not do now is tried again. Returns how many tries may have been made all the same. */
async function untilWritten(write: () => Promise<void>): Promise<number> {
  for (let tries = 1, unknown = 0; ; tries += 1)
    try {
      await write();
      return unknown;
    } catch (error) {
      if (!(error instanceof StoreError && error.retryable) || tries === 10) throw error;
      if (error.code !== 'CONTENTION') unknown += 1;
    }
}

const run = (house: KeyHouse, id: string) => workJob(house.rotations.jobs, house.tenant, id);
const mayComeAgain = (error: unknown): void => {
  if (!(error instanceof StoreError && error.retryable)) throw error;
};
const some = (house: KeyHouse, count: number) =>
  Promise.all(Array.from({ length: count }, (_, n) => house.newPatient({ a: `one ${n}`, b: 'two' })));
const momentsOf = async (house: KeyHouse, operation: string): Promise<string[]> =>
  (await house.events())
    .filter((event) => event.operation === operation)
    .map(({ entity }) => entity?.fields?.[0] ?? '')
    .sort();

/** What rotation at all three levels does. `open` gives a store; each test has a tenant of its own. */
export function keyRotationContract(name: string, open: () => Promise<Store>): void {
  describe(`rotation of a tenant’s keys (${name})`, () => {
    test('a rewrap brings every wrapped key to the new generation of the KMS key and touches no chart', async () => {
      const { house, kms } = await openWithKms(await open());
      const patients = await some(house, 5);
      const before = await allRows(house.store, house.tenant, chartValues);
      const olds = await house.materials();
      await house.rotations.rotateWrappingKey(house.tenant, BY);
      const done = await run(house, await house.rotations.rewrap(house.tenant, { by: BY }));
      expect(done).toMatchObject({ state: 'done', changed: 7, left: 0, aside: 0 });
      const { material } = await house.rotations.wrappingTarget(house.tenant);
      expect(await house.materials()).toEqual(patients.map(() => material));
      expect(olds).not.toContain(material);
      for (const of of [tenantSecrets, indexKeys])
        for (const { row } of await allRows(house.store, house.tenant, of))
          expect(row.material).toBe(material);
      expect(await allRows(house.store, house.tenant, chartValues)).toEqual(before);
      house.cache.flush('');
      for (const of of patients) expect(await textOf(house, of, 'b')).toBe('two');
      expect(kms.count('ReEncrypt')).toBeGreaterThanOrEqual(7);
      expect(await momentsOf(house, 'rewrapKeys')).toEqual(
        expect.arrayContaining(['drained', 'progress', 'started']),
      );
    });

    test('a tenant moves to a key of its own, and the old key may then be disabled', async () => {
      const { house, kms } = await openWithKms(await open());
      const of = await house.newPatient();
      const [clinic] = await house.store.tenant(SYSTEM_TENANT).get(ref(tenants, house.tenant));
      const toKey = await kms.createKey();
      const done = await run(house, await house.rotations.rewrap(house.tenant, { toKey, by: BY }));
      expect(done.state).toBe('done');
      await kms.disable(clinic?.keyId ?? '');
      house.cache.flush('');
      expect(await textOf(house, of, 'a')).toBe('one');
      await house.newPatient();
      expect(
        (await allRows(house.store, house.tenant, patientKeyVersions)).map(({ row }) => row.keyId),
      ).toEqual([toKey, toKey]);
    });

    test('a key that cannot be used moves nobody', async () => {
      const { house, kms } = await openWithKms(await open());
      const toKey = await kms.createKey();
      await kms.disable(toKey);
      await expect(house.rotations.rewrap(house.tenant, { toKey, by: BY })).rejects.toMatchObject({
        code: 'KEY_DISABLED',
      });
      const [clinic] = await house.store.tenant(SYSTEM_TENANT).get(ref(tenants, house.tenant));
      expect(clinic?.keyId).not.toBe(toKey);
      expect(await house.rotations.jobs.list(house.tenant)).toEqual([]);
    });

    test('new patient keys: every header moves, the proof is in the log, and the old keys are gone', async () => {
      const { house } = await openWithKms(await open());
      const patients = await some(house, 4);
      const [first] = patients;
      if (first === undefined) throw new Error('nobody');
      await book(house, first, { start: SLOT, slotId: 's_kept' });
      const done = await run(
        house,
        await house.rotations.reencrypt(house.tenant, { by: BY, before: Date.now() + 1 }),
      );
      expect(done).toMatchObject({ state: 'done', left: 0, aside: 0 });
      expect(done.drainedAt).not.toBeNull();
      for (const versions of (await house.headers()).values()) expect([...versions]).toEqual([2]);
      for (const { row } of await allRows(house.store, house.tenant, idempotency))
        expect(keyVersionOf(row.sealed)).toBe(2);
      const ids = (await allRows(house.store, house.tenant, patientKeyVersions)).map(({ id }) => id);
      expect(ids.sort()).toEqual(patients.map(({ patient }) => `${patient}_2`).sort());
      for (const { row } of await allRows(house.store, house.tenant, patientKeys))
        expect(row).toMatchObject({ current: 2, minSeal: 2, state: 'active' });
      house.cache.flush('');
      for (const of of patients) expect(await textOf(house, of, 'b')).toBe('two');
      // The answer that was kept for a retry opens too: the same request, the same visit.
      expect(await book(house, first, { start: SLOT, slotId: 's_kept' })).toMatchObject({
        outcome: 'repeated',
      });
      const drained = (await house.events()).find(({ entity }) => entity?.fields?.[0] === 'drained');
      expect(drained).toMatchObject({
        operation: 'reencryptCharts',
        entity: { resource: 'Task', id: done.id, counts: { left: 0, aside: 0, logSize: done.drainedAt } },
      });
      const told = (await house.events()).map(({ operation }) => operation);
      expect(told.filter((operation) => operation === 'renewPatientKey')).toHaveLength(patients.length);
      // What a chart's first transaction takes along needs no other; an answer beside it has one of its own.
      expect(told.filter((operation) => operation === 'resealChart')).toHaveLength(1);
    });

    test('a chart that is more than one transaction takes moves in several, and nothing of it is left', async () => {
      const { house } = await openWithKms(await open());
      const texts = Object.fromEntries(
        Array.from({ length: 5 }, (_, n) => [`v${n}`, `${n}`.repeat(400_000)]),
      );
      const large = await house.newPatient(texts);
      const small = await house.newPatient({ v0: 'small' });
      const id = await house.rotations.reencrypt(house.tenant, { by: BY, before: Date.now() + 1 });
      expect(await run(house, id)).toMatchObject({ state: 'done', left: 0, aside: 0 });
      for (const versions of (await house.headers()).values()) expect([...versions]).toEqual([2]);
      house.cache.flush('');
      for (const [name, text] of Object.entries(texts)) expect(await textOf(house, large, name)).toBe(text);
      expect(await textOf(house, small, 'v0')).toBe('small');
      const told = (await house.events()).map(({ operation }) => operation);
      expect(told.filter((operation) => operation === 'resealChart').length).toBeGreaterThan(0);
    });

    test('a key that somebody else renewed meanwhile is not renewed again, and nothing is sealed under a key that is not kept', async () => {
      const { house } = await openWithKms(await open());
      const of = await house.newPatient({ a: 'one' });
      const [key] = await house.rows.get(ref(patientKeys, of.patient));
      if (key === null) throw new Error('no key');
      const alias = key.alias as PatientAlias;
      const at = { keyId: await house.keys.wrappingKeyOf(house.tenant), notBefore: 0 };
      const [first, second] = await Promise.all([
        house.keys.makeNext(of, { alias, current: 1 }, at),
        house.keys.makeNext(of, { alias, current: 1 }, at),
      ]);
      const versions: number[] = [];
      for (const next of [first, second])
        await house.charts.transact(
          of,
          async (chart, tx) => {
            versions.push(chart.version);
            await chart.readSome(1_000_000);
            await chart.save(tx);
          },
          { next },
        );
      expect(versions).toEqual([2, 2]);
      house.cache.flush('');
      expect(await textOf(house, of, 'a')).toBe('one');
      expect([...((await house.headers()).get(of.patient) ?? [])]).toEqual([2]);
    });

    test('documents open all along, one that arrives meanwhile too; their keys are sealed anew, their bytes untouched', async () => {
      const { house } = await openWithKms(await open());
      const objects = memoryObjects();
      const documents = new Documents({ ...house, objects, clock: Date.now });
      const [of] = (await some(house, 1)) as [PatientRef];
      const text = 'a letter of two chunks '.repeat(40_000);
      const add = (bytes: AsyncIterable<Uint8Array>) =>
        documents.add(of, { title: 'T', kind: 'letter', addedBy: 'patient', bytes }, () => ({
          ...ENTRY,
          action: 'C',
        }));
      const readAll = async (id: string): Promise<string> => {
        const parts: Buffer[] = [];
        for await (const chunk of (await documents.open(of, id)).bytes) parts.push(chunk);
        return Buffer.concat(parts).toString();
      };
      const first = await add(piecesOf(text));
      const before = new Map(objects.kept);
      const began = await documents.open(of, first.id);
      async function* meanwhile(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('begun before ');
        const done = await run(
          house,
          await house.rotations.reencrypt(house.tenant, { by: BY, before: Date.now() + 1 }),
        );
        expect(done).toMatchObject({ state: 'done', left: 0, aside: 0 });
        yield Buffer.from('and ended after');
      }
      const second = await add(meanwhile());
      for (const versions of (await house.headers()).values()) expect([...versions]).toEqual([2]);
      house.cache.flush('');
      const rest: Buffer[] = [];
      for await (const chunk of began.bytes) rest.push(chunk);
      expect(Buffer.concat(rest).toString()).toBe(text);
      expect(await readAll(first.id)).toBe(text);
      expect(await readAll(second.id)).toBe('begun before and ended after');
      for (const [name, bytes] of before) expect(objects.kept.get(name)).toBe(bytes);
    });

    test('a new index key: both versions find while it runs, one afterwards', async () => {
      const { house } = await openWithKms(await open());
      const patients = await some(house, 5);
      const id = await house.rotations.reindex(house.tenant, { by: BY });
      const findAll = async () => {
        for (const of of patients) {
          const [mrn = ''] = factsOf(of).mrns;
          expect(await house.index.find(house.tenant, { mrn, birthDate: '1980-01-02' })).toEqual([
            of.patient,
          ]);
        }
      };
      await findAll();
      expect(await run(house, id)).toMatchObject({ state: 'done', left: 0 });
      await findAll();
      expect((await house.rows.get(INDEX_STATE))[0]).toEqual({ write: 2, oldest: 2 });
      expect((await allRows(house.store, house.tenant, indexKeys)).map(({ id: version }) => version)).toEqual(
        ['2'],
      );
      expect((await allRows(house.store, house.tenant, indexRecords)).map(({ row }) => row.version)).toEqual(
        patients.map(() => 2),
      );
    });

    test('two workers at once, and one that repeats every step, end as one would', async () => {
      const { house, keyring } = await openWithKms(await open());
      const patients = await some(house, 12);
      const other = await openKeyHouse({ ...house, keyring, keyId: '' });
      const id = await house.rotations.reencrypt(house.tenant, {
        ...{ by: BY, before: Date.now() + 1, isWide: true },
      });
      const [{ parts }] = await Promise.all([openParts(house.rows, id)]);
      expect(parts).toHaveLength(16);
      // Whoever meets contention may fail: it would come again.
      await Promise.all(
        parts.flatMap((at) =>
          [at, at].map((same) => runStep(house.rotations.jobs.house, house.tenant, same).catch(mayComeAgain)),
        ),
      );
      const ends = await Promise.all([run(house, id), run(other, id)]);
      for (const end of ends) expect(end).toMatchObject({ state: 'done', left: 0, aside: 0 });
      for (const versions of (await house.headers()).values()) expect([...versions]).toEqual([2]);
      expect(await allRows(house.store, house.tenant, patientKeyVersions)).toHaveLength(patients.length);
      const scan = house.rotations.kindOf('reencrypt').phases.findIndex(({ name }) => name === 'scan');
      const counted = (await allRows(house.store, house.tenant, jobParts)).filter(({ id: part }) =>
        part.startsWith(`${id}_0_${scan}_`),
      );
      expect(counted.reduce((sum, { row }) => sum + row.seen, 0)).toBe(patients.length);
    });

    test('an item that nothing gets through is set aside and listed; the others end, and its old key stays', async () => {
      const { house } = await openWithKms(await open());
      const [bad, ...good] = await some(house, 4);
      if (bad === undefined) throw new Error('nobody');
      const at = valueRef(bad, nameOf('a'));
      const [row] = await house.rows.get(at);
      if (row === null) throw new Error('no row');
      const forged = Buffer.from(row.sealed);
      forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
      await house.rows.transact(async (tx) => tx.put(at, { ...row, sealed: forged }));
      const done = await run(
        house,
        await house.rotations.reencrypt(house.tenant, { by: BY, before: Date.now() + 1 }),
      );
      expect(done).toMatchObject({ state: 'incomplete', aside: 1, drainedAt: null });
      expect(await house.rotations.jobs.faults(house.tenant, done.id)).toEqual([
        { item: bad.patient, code: 'ROLLBACK', at: expect.any(Number) },
      ]);
      for (const of of good) expect(await textOf(house, of, 'a')).toMatch(/^one/);
      const ids = (await allRows(house.store, house.tenant, patientKeyVersions)).map(({ id }) => id);
      expect(ids.filter((id) => id.startsWith(bad.patient))).toEqual([`${bad.patient}_1`]);
      expect(ids).toHaveLength(good.length + 1);
      expect(await momentsOf(house, 'reencryptCharts')).not.toContain('drained');
      // Put right by hand, the next job moves what is left, and nobody else.
      await house.rows.transact(async (tx) => tx.put(at, row));
      const before = await firstKeyAfter(house, bad);
      const again = await run(house, await house.rotations.reencrypt(house.tenant, { by: BY, before }));
      expect(again).toMatchObject({ state: 'done', left: 0, aside: 0 });
      for (const versions of (await house.headers()).values()) expect([...versions]).toEqual([2]);
    });

    test('a paused job takes no step until it goes on; two of a kind do not run at once', async () => {
      const { house } = await openWithKms(await open());
      await some(house, 3);
      const { jobs: all } = house.rotations;
      const id = await house.rotations.reencrypt(house.tenant, { by: BY, before: Date.now() + 1 });
      await all.pause(house.tenant, id, BY);
      const before = await house.headers();
      expect((await run(house, id)).state).toBe('paused');
      expect(await house.headers()).toEqual(before);
      await expect(house.rotations.reencrypt(house.tenant, { by: BY, before: 1 })).rejects.toMatchObject({
        code: 'JOB_OPEN',
      });
      await expect(all.pause(house.tenant, id, BY)).rejects.toMatchObject({ code: 'JOB_STATE' });
      await all.resume(house.tenant, id, BY);
      expect((await run(house, id)).state).toBe('done');
      await expect(all.resume(house.tenant, id, BY)).rejects.toMatchObject({ code: 'JOB_STATE' });
      expect(await momentsOf(house, 'reencryptCharts')).toEqual(
        expect.arrayContaining(['paused', 'resumed', 'started']),
      );
    });

    test('a dry run counts what a job would do and changes nothing', async () => {
      const { house } = await openWithKms(await open());
      await some(house, 3);
      await house.rotations.rotateWrappingKey(house.tenant, BY);
      const snapshot = async () =>
        Promise.all([
          allRows(house.store, house.tenant, patientKeys),
          allRows(house.store, house.tenant, patientKeyVersions),
          allRows(house.store, house.tenant, chartValues),
          allRows(house.store, house.tenant, jobs),
        ]);
      const before = [await snapshot(), await house.events()];
      const { material, keyId } = await house.rotations.wrappingTarget(house.tenant);
      const count = async (kind: string, spec: Record<string, string | number | null>) =>
        (await survey(house.store, house.tenant, { kind: house.rotations.kindOf(kind), spec })).left;
      expect(await count('rewrap', { keyId, material })).toBe(5);
      expect(await count('reencrypt', { before: Date.now() + 1 })).toBe(3);
      expect(await count('reencrypt', { before: 0 })).toBe(0);
      expect(await count('reindex', { version: 2 })).toBe(3);
      expect([await snapshot(), await house.events()]).toEqual(before);
    });

    test('KMS throttles and goes down: the job waits, then goes on where it was', async () => {
      const { house, kms } = await openWithKms(await open());
      await some(house, 6);
      await house.rotations.rotateWrappingKey(house.tenant, BY);
      const id = await house.rotations.rewrap(house.tenant, { by: BY });
      await kms.faults({ outage: true });
      const parts = await openParts(house.rows, id);
      const [first] = parts.parts;
      if (first === undefined) throw new Error('no part');
      await expect(runStep(house.rotations.jobs.house, house.tenant, first)).rejects.toMatchObject({
        code: 'KMS_UNAVAILABLE',
        retryable: true,
      });
      await kms.faults({ throttleRate: 0.3 });
      expect(await run(house, id)).toMatchObject({ state: 'done', changed: 8, aside: 0 });
    }, 60_000);

    test('a disabled key stops the job without setting anybody aside', async () => {
      const { house, kms } = await openWithKms(await open());
      await some(house, 2);
      await house.rotations.rotateWrappingKey(house.tenant, BY);
      const id = await house.rotations.rewrap(house.tenant, { by: BY });
      const [clinic] = await house.store.tenant(SYSTEM_TENANT).get(ref(tenants, house.tenant));
      await kms.disable(clinic?.keyId ?? '');
      await expect(run(house, id)).rejects.toMatchObject({ code: 'JOB_STALLED' });
      expect(await house.rotations.jobs.find(house.tenant, id)).toMatchObject({ state: 'running', aside: 0 });
    });

    test('a queue carries a job to its end, tasks twice, late and out of order', async () => {
      const tasks: JobTask[] = [];
      const store = await open();
      const kms = await startKms();
      const keyring = kms.keyring();
      const house = await openKeyHouse({
        ...{ store, keyring, keyId: await kms.createKey() },
        queue: { enqueue: async (more) => void tasks.push(...more, ...more) },
      });
      await some(house, 3);
      const id = await house.rotations.reencrypt(house.tenant, {
        ...{ by: BY, before: Date.now() + 1, isWide: true },
      });
      for (let task = tasks.pop(); task !== undefined; task = tasks.pop())
        await runTask(house.rotations.jobs, task);
      expect(await house.rotations.jobs.find(house.tenant, id)).toMatchObject({ state: 'done', left: 0 });
    });

    test('while all three rotate, every read is answered, no update is lost, every booking stands', async () => {
      const { house, keyring } = await openWithKms(await open());
      const patients = await some(house, 6);
      const server = await openKeyHouse({ ...house, keyring, keyId: '', cacheMs: 300 });
      const counts = new Map<PatientId, { made: number; unknown: number }>();
      let isOver = false;
      const countOf = ({ patient }: PatientRef) => counts.get(patient) ?? { made: 0, unknown: 0 };
      const traffic = async (seed: number): Promise<void> => {
        for (let n = seed; !isOver; n += 1) {
          const of = patients[n % patients.length] ?? patients[0];
          if (of === undefined) return;
          const unknown = await untilWritten(() =>
            update(server, of, { document: 'n', change: (text) => String(Number(text) + 1) }),
          );
          const count = countOf(of);
          counts.set(of.patient, { made: count.made + 1, unknown: count.unknown + unknown });
          expect(await textOf(server, of, 'b')).toBe('two');
          const [mrn = ''] = factsOf(of).mrns;
          expect(await server.index.find(server.tenant, { mrn, birthDate: '1980-01-02' })).toEqual([
            of.patient,
          ]);
        }
      };
      const lanes = [0, 1, 2].map(traffic);
      await house.rotations.rotateWrappingKey(house.tenant, BY);
      const { rotations, tenant } = house;
      const jobIds = await Promise.all([
        rotations.rewrap(tenant, { by: BY }),
        rotations.reencrypt(tenant, { by: BY, before: Date.now() + 1 }),
        rotations.reindex(tenant, { by: BY }),
      ]);
      const booked = patients.map((of, n) => book(server, of, { start: SLOT + n * 1_800_000 }));
      const ends = await Promise.all(jobIds.map((id) => run(house, id)));
      isOver = true;
      await Promise.all(lanes);
      for (const { outcome } of await Promise.all(booked)) expect(outcome).toBe('done');
      for (const end of ends) expect(end).toMatchObject({ state: 'done', left: 0, aside: 0 });
      for (const of of patients) {
        const { made, unknown } = countOf(of);
        const found = Number(await textOf(house, of, 'n'));
        expect(found).toBeGreaterThanOrEqual(made);
        expect(found).toBeLessThanOrEqual(made + unknown);
      }
      for (const versions of (await house.headers()).values()) expect([...versions]).toEqual([2]);
    }, 180_000);
  });
}
