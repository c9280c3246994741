import { createSecretKey } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { SealedCharts } from '../../src/crypto/sealed-charts.ts';
import type { TenantStore } from '../../src/kernel/store.ts';
import { sealedChartsContract } from '../contracts/sealed-charts.contract.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { addKeyVersion, createWorld, nameOf, newPatient, read, TENANT, write } from './world.ts';

sealedChartsContract('memory', async () => createMemoryStore());

describe('round trips to the store', () => {
  /** Counts what a world asks of its store: reads outside transactions, and transactions begun. */
  async function counted() {
    const store = createMemoryStore();
    const world = createWorld({ store });
    const of = await newPatient(world);
    await write(world, of, { a: 'one', b: 'two' });
    const tenant: TenantStore = store.tenant(TENANT);
    const get = vi.spyOn(tenant, 'get');
    const transact = vi.spyOn(tenant, 'transact');
    vi.spyOn(store, 'tenant').mockReturnValue(tenant);
    const calls = () => [get.mock.calls.length, transact.mock.calls.length];
    return { store, world, of, calls };
  }

  test('a warm read is one', async () => {
    const { world, of, calls } = await counted();
    await read(world, of, 'a', 'b');
    expect(calls()).toEqual([1, 0]);
  });

  test('a warm write is its transaction and nothing else', async () => {
    const { world, of, calls } = await counted();
    await write(world, of, { a: 'three' });
    expect(calls()).toEqual([0, 1]);
  });

  test('a cold write fetches the wrapped key between two runs of its transaction', async () => {
    const { store, of, calls } = await counted();
    await write(createWorld({ store }), of, { a: 'three' });
    expect(calls()).toEqual([1, 2]);
  });
});

describe('a transaction', () => {
  test('never waits for a key: it ends, the key is loaded, and it runs again', async () => {
    const store = createMemoryStore();
    const world = createWorld({ store });
    const of = await newPatient(world);
    await write(world, of, { a: 'one' });
    await addKeyVersion(world, of);
    const cold = createWorld({ store });
    let runs = 0;
    await cold.charts.transact(of, async (chart, tx) => {
      runs += 1;
      const [value] = await chart.read([nameOf('a')]);
      await chart.seal(nameOf('b'), value ?? Buffer.alloc(0), 1);
      await chart.save(tx);
    });
    expect(runs).toBe(2);
    expect(await read(world, of, 'b')).toEqual(['one']);
  });

  test('loads all the versions that a read needs together: two runs for ten', async () => {
    const store = createMemoryStore();
    const world = createWorld({ store });
    const of = await newPatient(world);
    const documents = Array.from({ length: 10 }, (_, n) => `doc${n}`);
    for (const document of documents) {
      await write(world, of, { [document]: document });
      await addKeyVersion(world, of);
    }
    const perAccess = createWorld({ store, bounds: { maxAgeMs: 0 } });
    let runs = 0;
    const values = await perAccess.charts.transact(of, async (chart) => {
      runs += 1;
      return chart.read(documents.map((document) => nameOf(document)));
    });
    expect(values.map(String)).toEqual(documents);
    expect(runs).toBe(2);
  });

  test('whose chart has a new key at every run gives up with a retryable code', async () => {
    const store = createMemoryStore();
    const world = createWorld({ store });
    const of = await newPatient(world);
    const keys = Object.assign(Object.create(world.keys), {
      warm: () => null,
      load: async () => {
        await addKeyVersion(world, of);
        return { version: 0, secret: createSecretKey(Buffer.alloc(32)) };
      },
    });
    const restless = new SealedCharts({ store, keys });
    const failed = restless.transact(of, (chart) => chart.seal(nameOf('a'), Buffer.from('x'), 1));
    await expect(failed).rejects.toMatchObject({ code: 'KMS_UNAVAILABLE', retryable: true });
  });
});
