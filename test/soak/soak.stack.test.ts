import { expect, inject, test } from 'vitest';
import { COLLECTIONS } from '../../src/collections.ts';
import { ensureSchema } from '../../src/storage/postgres/ensure-schema.ts';
import { soak } from './soak.ts';

const SECONDS = 10;

test('mixed traffic, all rotations, kills and KMS faults: every chart opens, counts agree, the log holds', async () => {
  const { adminConnectionString, appConnectionString } = inject('postgres');
  await ensureSchema(adminConnectionString, COLLECTIONS);
  const { acts, kills, jobs, findings } = await soak({
    store: { kind: 'postgres', address: appConnectionString },
    seconds: SECONDS,
    patients: 10,
  });
  expect(findings, JSON.stringify(findings)).toEqual([]);
  for (const act of ['read', 'write', 'book']) expect(acts[act], act).toBeGreaterThan(0);
  expect(kills).toBeGreaterThan(0);
  expect(Object.keys(jobs).length).toBeGreaterThan(0);
}, 60_000);
