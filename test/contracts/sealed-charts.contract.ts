import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { type chartValues, manifests, valueRef } from '../../src/crypto/open-chart.ts';
import { type PatientRef, patientKeys, patientKeyVersions } from '../../src/crypto/patient-keys.ts';
import { keyVersionOf } from '../../src/crypto/sealed-value.ts';
import { type Columns, type Ref, type Row, ref } from '../../src/kernel/collection.ts';
import { newPatientId } from '../../src/kernel/ids.ts';
import type { Store } from '../../src/kernel/store.ts';
import { rejectionOf } from '../crypto/samples.ts';
import {
  addKeyVersion,
  createWorld,
  nameOf,
  newPatient,
  read,
  setMinSeal,
  TENANT,
  type World,
  write,
} from '../crypto/world.ts';

const MIB = 1024 * 1024;

/** What charts do on every store. `mostBytes` is what one transaction of this store takes, if less than 8 MiB. */
export function sealedChartsContract(
  name: string,
  open: () => Promise<Store>,
  { mostBytes = 8 * MIB }: { mostBytes?: number } = {},
): void {
  const bigChunks = Math.min(12, Math.floor(mostBytes / 524_288));
  describe(`sealed charts (${name})`, () => {
    let world: World;
    beforeAll(async () => {
      world = createWorld({ store: await open() });
    });

    /** The rows as they lie in the store, to be changed behind the chart's back. */
    const stored = <C extends Columns>(...at: Ref<C>[]): Promise<(Row<C> | null)[]> =>
      world.store.tenant(TENANT).get(...at) as Promise<(Row<C> | null)[]>;
    const force = (rows: readonly (readonly [Ref, Row<Columns> | null])[]): Promise<void> =>
      world.store.tenant(TENANT).transact(async (tx) => {
        for (const [at, row] of rows) {
          if (row === null) tx.delete(at);
          else tx.put(at, row);
        }
      });
    const at = (of: PatientRef, document: string, chunk = 0) => valueRef(of, nameOf(document), chunk);
    const chart = async (values: Parameters<typeof write>[2]): Promise<PatientRef> => {
      const of = await newPatient(world);
      await write(world, of, values);
      return of;
    };
    const rollback = (of: PatientRef, ...documents: string[]) => rejectionOf(read(world, of, ...documents));

    describe('partial rollback', () => {
      test('one value put back is refused, and the others still open', async () => {
        const of = await chart({ a: 'old', b: 'stays' });
        const [old] = await stored(at(of, 'a'));
        await write(world, of, { a: 'new' });
        await force([[at(of, 'a'), old ?? null]]);
        expect(await rollback(of, 'a')).toBe('ROLLBACK');
        expect(await read(world, of, 'b')).toEqual(['stays']);
      });

      test('a value that was deleted behind the chart’s back is refused', async () => {
        const of = await chart({ a: 'one' });
        await force([[at(of, 'a'), null]]);
        expect(await rollback(of, 'a')).toBe('ROLLBACK');
      });

      test('a removed value brought back is refused', async () => {
        const of = await chart({ a: 'one', b: 'two' });
        const [row] = await stored(at(of, 'a'));
        await write(world, of, { a: null });
        expect(await read(world, of, 'a', 'b')).toEqual([null, 'two']);
        await force([[at(of, 'a'), row ?? null]]);
        expect(await rollback(of, 'a')).toBe('ROLLBACK');
      });

      test('the manifest alone put back is refused, whatever is read', async () => {
        const of = await chart({ a: 'old', b: 'stays' });
        const [manifest] = await stored(ref(manifests, of.patient));
        await write(world, of, { a: 'new' });
        await force([[ref(manifests, of.patient), manifest ?? null]]);
        expect(await rollback(of, 'a')).toBe('ROLLBACK');
        expect(await rollback(of, 'b')).toBe('ROLLBACK');
        expect(await rollback(of)).toBe('ROLLBACK');
        expect(await rejectionOf(write(world, of, { c: 'more' }))).toBe('ROLLBACK');
      });

      test('a manifest that was deleted is no empty chart', async () => {
        const of = await chart({ a: 'one' });
        await force([[ref(manifests, of.patient), null]]);
        expect(await rollback(of, 'a')).toBe('ROLLBACK');
        expect(await rejectionOf(write(world, of, { a: 'two' }))).toBe('ROLLBACK');
      });

      test('the key document alone put back is refused', async () => {
        const of = await chart({ a: 'one' });
        const [key] = await stored(ref(patientKeys, of.patient));
        await write(world, of, { a: 'two' });
        await force([[ref(patientKeys, of.patient), key ?? null]]);
        expect(await rollback(of, 'a')).toBe('ROLLBACK');
      });

      test('a key document that points back to an older key version is refused', async () => {
        const of = await chart({ a: 'one' });
        await addKeyVersion(world, of);
        await write(world, of, { a: 'two' });
        const [key] = await stored(ref(patientKeys, of.patient));
        if (key) await force([[ref(patientKeys, of.patient), { ...key, current: 1 }]]);
        expect(await rollback(of, 'a')).toBe('ROLLBACK');
      });

      test('a value moved within the chart, and one from another patient, are refused', async () => {
        const of = await chart({ a: 'one', b: 'two' });
        const other = await chart({ a: 'theirs' });
        const [a, b] = await stored(at(of, 'a'), at(of, 'b'));
        const [theirs] = await stored(at(other, 'a'));
        await force([[at(of, 'b'), a ?? null]]);
        expect(await rollback(of, 'b')).toBe('ROLLBACK');
        await force([
          [at(of, 'b'), b ?? null],
          [at(of, 'a'), theirs ?? null],
        ]);
        expect(await rollback(of, 'a')).toBe('ROLLBACK');
      });

      test('clear columns that were changed do not open', async () => {
        const of = await chart({ a: 'one' });
        const [row] = await stored(at(of, 'a'));
        for (const changes of [{ schema: 2 }, { revision: 2 }]) {
          if (row) await force([[at(of, 'a'), { ...row, ...changes }]]);
          expect(await rollback(of, 'a')).toBe('COMMITMENT');
        }
      });

      test('a failed write leaves everything as it was', async () => {
        const of = await chart({ a: 'one' });
        const before = await stored(at(of, 'a'), ref(manifests, of.patient) as never);
        const failed = world.charts.transact(of, async (opened, tx) => {
          await opened.seal(nameOf('a'), Buffer.from('two'), 1);
          await opened.save(tx);
          throw new Error('after the save');
        });
        await expect(failed).rejects.toThrow('after the save');
        expect(await stored(at(of, 'a'), ref(manifests, of.patient) as never)).toEqual(before);
        expect(await read(world, of, 'a')).toEqual(['one']);
      });
    });

    describe('values in chunks', () => {
      const chunks = (of: PatientRef, document: string, count: number) =>
        stored(...Array.from({ length: count }, (_, chunk) => at(of, document, chunk)));
      const put = (of: PatientRef, rows: readonly (Row<typeof chartValues.columns> | null)[]) =>
        force(rows.map((row, chunk) => [at(of, 'big', chunk), row] as const));

      test(`${bigChunks / 2} MiB round-trip, beside a small value`, async () => {
        const big = randomBytes(bigChunks * 524_288);
        const of = await chart({ big, small: 'one' });
        const found = await createWorld({ store: world.store }).charts.read(of, [
          nameOf('big'),
          nameOf('small'),
        ]);
        expect(found?.values[0]?.equals(big)).toBe(true);
        expect(found?.values[1]?.toString()).toBe('one');
        const rows = await chunks(of, 'big', bigChunks + 1);
        expect(rows.map((row) => row?.sealed.length ?? 0)).toEqual([
          ...Array.from({ length: bigChunks }, () => 524_288 + 72),
          0,
        ]);
      });

      test('a chart of 6 MiB, grown write by write, opens whole on a cold start', async () => {
        const parts = {
          first: randomBytes(2 * MIB),
          second: randomBytes(2 * MIB),
          third: randomBytes(2 * MIB),
        };
        const of = await newPatient(world);
        for (const [document, bytes] of Object.entries(parts)) await write(world, of, { [document]: bytes });
        const names = Object.keys(parts).map((document) => nameOf(document));
        const found = await createWorld({ store: world.store }).charts.read(of, names);
        const whole = Object.values(parts).map((bytes, index) => found?.values[index]?.equals(bytes));
        expect(whole).toEqual([true, true, true]);
      });

      test('chunks dropped, reordered or doubled are refused', async () => {
        const of = await chart({ big: randomBytes(3 * 524_288) });
        const [a, b, c] = (await chunks(of, 'big', 3)) as Row<typeof chartValues.columns>[];
        if (!a || !b || !c) throw new Error('no chunks');
        for (const rows of [
          [a, b, null],
          [a, null, c],
          [null, b, c],
          [a, c, b],
          [b, a, c],
          [a, b, b],
        ]) {
          await put(of, rows);
          expect(await rollback(of, 'big')).toBe('ROLLBACK');
        }
        await put(of, [a, b, c]);
        expect(await rejectionOf(read(world, of, 'big'))).toBe('resolved');
      });

      test('a chunk of another write, another value or another patient is refused', async () => {
        const bytes = () => randomBytes(2 * 524_288);
        const of = await chart({ big: bytes(), twin: bytes() });
        const other = await chart({ big: bytes() });
        const [, earlier] = await chunks(of, 'big', 2);
        await write(world, of, { big: bytes() });
        const [first, second] = await chunks(of, 'big', 2);
        const [, ofTwin] = await chunks(of, 'twin', 2);
        const [, ofOther] = await chunks(other, 'big', 2);
        for (const foreign of [earlier, ofTwin, ofOther]) {
          await put(of, [first ?? null, foreign ?? null]);
          expect(await rollback(of, 'big')).toBe('ROLLBACK');
        }
        await put(of, [first ?? null, second ?? null]);
        expect(await rejectionOf(read(world, of, 'big'))).toBe('resolved');
      });

      test('old chunks go when a value becomes shorter, and when it is removed', async () => {
        const of = await chart({ big: randomBytes(3 * 524_288) });
        await write(world, of, { big: randomBytes(524_289) });
        expect((await chunks(of, 'big', 3)).map((row) => row !== null)).toEqual([true, true, false]);
        await write(world, of, { big: 'short' });
        expect((await chunks(of, 'big', 3)).map((row) => row !== null)).toEqual([true, false, false]);
        expect(await read(world, of, 'big')).toEqual(['short']);
        await write(world, of, { big: randomBytes(524_289) });
        await write(world, of, { big: null });
        expect(await chunks(of, 'big', 3)).toEqual([null, null, null]);
      });

      test('more than 8 MiB in one write is TOO_LARGE and changes nothing', async () => {
        const of = await chart({ a: 'one' });
        const over = { big: new Uint8Array(8 * MIB + 1) };
        expect(await rejectionOf(write(world, of, over))).toBe('TOO_LARGE');
        const together = { big: new Uint8Array(5 * MIB), twin: new Uint8Array(4 * MIB) };
        await expect(write(world, of, together)).rejects.toThrow(/at most 8 MiB/);
        expect(await read(world, of, 'a', 'big')).toEqual(['one', null]);
      });

      test(`${mostBytes / MIB} MiB in one write is not`, async () => {
        const of = await chart({ big: new Uint8Array(mostBytes - MIB), twin: new Uint8Array(MIB) });
        expect(await rejectionOf(read(world, of, 'big', 'twin'))).toBe('resolved');
      });
    });

    describe('a key that is rotated under the chart', () => {
      const versions = async (of: PatientRef, ...documents: string[]): Promise<number[]> => {
        const rows = await stored(...documents.map((document) => at(of, document)));
        const [manifest] = await stored(ref(manifests, of.patient));
        return [...rows, manifest].map((row) => (row ? keyVersionOf(row['sealed'] as Uint8Array) : 0));
      };

      test('everything opens at every step, and new writes use the current version', async () => {
        const of = await chart({ a: 'one', b: 'two' });
        expect(await addKeyVersion(world, of)).toBe(2);
        expect(await read(world, of, 'a', 'b')).toEqual(['one', 'two']);
        await write(world, of, { a: 'three' });
        expect(await versions(of, 'a', 'b')).toEqual([2, 1, 2]);
        expect(await read(createWorld({ store: world.store }), of, 'a', 'b')).toEqual(['three', 'two']);
      });

      test('below minSeal a write reseals what it read, and leaves the rest to the sweep', async () => {
        const of = await chart({ a: 'one', b: 'two', c: 'three', big: randomBytes(524_289) });
        await addKeyVersion(world, of);
        await setMinSeal(world, of, 2);
        const change = await world.charts.transact(of, async (opened, tx) => {
          await opened.read([nameOf('b'), nameOf('big')]);
          await opened.seal(nameOf('a'), Buffer.from('new'), 1);
          return opened.save(tx);
        });
        const id = (document: string) => at(of, document).id;
        expect(Object.keys(change.digests).sort()).toEqual([id('a'), id('b'), id('big'), 'manifest'].sort());
        expect(await versions(of, 'a', 'b', 'big', 'c')).toEqual([2, 2, 2, 1, 2]);
        expect((await stored(at(of, 'big', 1)))[0]?.sealed[7]).toBe(2);
        expect(await read(createWorld({ store: world.store }), of, 'a', 'b', 'c')).toEqual([
          'new',
          'two',
          'three',
        ]);
      });

      test('above minSeal nothing is resealed that was only read', async () => {
        const of = await chart({ a: 'one', b: 'two' });
        await addKeyVersion(world, of);
        await world.charts.transact(of, async (opened, tx) => {
          await opened.read([nameOf('b')]);
          await opened.seal(nameOf('a'), Buffer.from('new'), 1);
          return opened.save(tx);
        });
        expect(await versions(of, 'a', 'b')).toEqual([2, 1, 2]);
      });

      test('a stale value that was read and then removed stays removed', async () => {
        const of = await chart({ a: 'one', b: 'two' });
        await addKeyVersion(world, of);
        await setMinSeal(world, of, 2);
        await world.charts.transact(of, async (opened, tx) => {
          await opened.read([nameOf('a'), nameOf('b')]);
          opened.remove(nameOf('a'));
          return opened.save(tx);
        });
        expect(await read(world, of, 'a', 'b')).toEqual([null, 'two']);
        expect(await versions(of, 'b')).toEqual([2, 2]);
      });
    });

    describe('many at once', () => {
      test('50 instances that create one patient’s key make one version, and all seal under it', async () => {
        const of = { tenant: TENANT, patient: newPatientId() };
        const instances = Array.from({ length: 50 }, () => createWorld({ store: world.store }));
        const rows = await Promise.all(instances.map(({ keys }) => keys.ensure(of)));
        expect(new Set(rows.map(({ alias }) => alias)).size).toBe(1);
        const listed = await world.store.tenant(TENANT).list(patientKeyVersions, {
          after: `${of.patient}_`,
          limit: 3,
        });
        expect(listed.filter(({ id }) => id.startsWith(of.patient)).map(({ id }) => id)).toEqual([
          `${of.patient}_1`,
        ]);
        for (const instance of instances.slice(0, 6))
          await write(instance, of, { a: 'one', [`n${instance.cache.size}`]: '1' });
        for (const instance of instances.slice(-6)) expect(await read(instance, of, 'a')).toEqual(['one']);
      });

      test('writes at the same time to one chart all take effect, and reads meanwhile never see a rollback', async () => {
        const of = await chart({ base: 'one' });
        const writes = Array.from({ length: 6 }, (_, n) => write(world, of, { [`doc${n}`]: `${n}` }));
        const reads = Array.from({ length: 6 }, () => read(world, of, 'base', 'doc3'));
        await Promise.all(writes);
        for (const [base] of await Promise.all(reads)) expect(base).toBe('one');
        const all = await read(world, of, ...Array.from({ length: 6 }, (_, n) => `doc${n}`));
        expect(all).toEqual(['0', '1', '2', '3', '4', '5']);
      });
    });
  });
}
