import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chartValues } from '../../src/crypto/chart-values.ts';
import { staleAmong } from '../../src/crypto/headers.ts';
import { manifests } from '../../src/crypto/manifest.ts';
import { patientKeys } from '../../src/crypto/patient-keys.ts';
import { ref } from '../../src/kernel/collection.ts';
import { newPatientId, type TenantId } from '../../src/kernel/ids.ts';
import type { TenantStore } from '../../src/kernel/store.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';

/** Sealed bytes as far as their header goes. */
function sealedUnder(version: number): Buffer {
  const bytes = Buffer.alloc(72);
  bytes[0] = 0xc5;
  bytes[1] = 0x01;
  bytes.writeUInt32BE(version, 4);
  return bytes;
}

interface Chart {
  readonly minSeal: number;
  readonly manifest: number;
  readonly values: readonly number[];
}

async function write(
  rows: TenantStore,
  patient: string,
  { minSeal, manifest, values }: Chart,
): Promise<void> {
  await rows.transact(async (tx) => {
    const key = { alias: `pa_${patient}`, current: 3, minSeal, state: 'rotating', head: null };
    tx.put(ref(patientKeys, patient), key);
    tx.put(ref(manifests, patient), { revision: 1, sealed: sealedUnder(manifest) });
    for (const [n, version] of values.entries()) {
      const place = { patient, collection: 'charts', document: `d${n}`, compartment: 'clinical' };
      const row = { ...place, schema: 1, revision: 1, sealed: sealedUnder(version) };
      tx.put(ref(chartValues, `${patient}-charts-d${n}-clinical`), row);
    }
  });
}

const version = fc.integer({ min: 1, max: 3 });
const chart: fc.Arbitrary<Chart> = fc.record({
  minSeal: version,
  manifest: fc.constant(3),
  values: fc.array(version, { maxLength: 30 }),
});

test('of the charts that are asked about, those are stale of which any row is below their barrier', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(chart, { minLength: 3, maxLength: 12 }), async (charts) => {
      const rows = createMemoryStore().tenant('t_heads' as TenantId);
      const all = charts.map((one) => ({ patient: newPatientId() as string, ...one }));
      for (const { patient, ...one } of all) await write(rows, patient, one);
      const keys = (await rows.list(patientKeys, { limit: 100 })).slice(1, -1);
      const due = keys
        .map(({ id }) => all.find(({ patient }) => patient === id))
        .filter((one) => one !== undefined);
      const stale = due.filter(({ minSeal, values }) => values.some((sealed) => sealed < minSeal));
      expect([...(await staleAmong(rows, keys))].sort()).toEqual(stale.map(({ patient }) => patient).sort());
    }),
    { numRuns: 40 },
  );
});

test('a manifest below the barrier, and a row that cannot be read as sealed, are stale', async () => {
  const rows = createMemoryStore().tenant('t_heads' as TenantId);
  const [old, broken, clean] = [newPatientId(), newPatientId(), newPatientId()];
  await write(rows, old, { minSeal: 2, manifest: 1, values: [2] });
  await write(rows, broken, { minSeal: 2, manifest: 2, values: [2] });
  await write(rows, clean, { minSeal: 2, manifest: 2, values: [2] });
  const at = ref(chartValues, `${broken}-charts-d0-clinical`);
  const [row] = await rows.get(at);
  await rows.transact(async (tx) => row !== null && tx.put(at, { ...row, sealed: Buffer.from('plain') }));
  const keys = await rows.list(patientKeys, { limit: 10 });
  expect([...(await staleAmong(rows, keys))].sort()).toEqual([old, broken].sort());
});
