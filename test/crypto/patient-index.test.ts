import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { IndexKeys } from '../../src/crypto/index-keys.ts';
import { DEFAULT_KEY_CACHE, KeyCache } from '../../src/crypto/key-cache.ts';
import { LocalKeyring, localKeyId } from '../../src/crypto/local-keyring.ts';
import { indexEntries, MAX_CANDIDATES, PatientIndex } from '../../src/crypto/patient-index.ts';
import { ref } from '../../src/kernel/collection.ts';
import type { PatientId, TenantId } from '../../src/kernel/ids.ts';
import { describePatientIndex, zoe } from '../contracts/patient-index.contract.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { codeOfAsync } from './code-of.ts';

describePatientIndex('the memory store', createMemoryStore);

const tenant = 'riverside' as TenantId;
const patient = 'pat_1' as PatientId;

async function indexed() {
  const store = createMemoryStore();
  const keys = new IndexKeys({
    store,
    keyring: new LocalKeyring([{ version: 1, hex: 'ab'.repeat(32), status: 'active' }]),
    cache: new KeyCache(DEFAULT_KEY_CACHE, () => 0),
    clock: () => 0,
    tenantKeyId: async () => localKeyId(1),
  });
  await keys.ensure(tenant);
  const index = new PatientIndex({ store, keys });
  const open = await index.open(tenant);
  await store.tenant(tenant).transact((tx) => open.put(tx, patient, zoe));
  return { store, index, open };
}

test('nothing that a person is called or reached at is stored, nor an unkeyed hash of it', async () => {
  const { store } = await indexed();
  const rows = [...(store.rows.get(tenant) ?? [])];
  const bytes = Buffer.concat(
    rows.flatMap(([id, row]) => [Buffer.from(id), ...Object.values(row).map(asBytes)]),
  );
  const facts = [
    'quinn',
    'canary',
    'zoe',
    'Zoë',
    'mrn0012',
    'MRN-0012',
    '0012',
    '16175550123',
    '555 0123',
    '1980',
  ];
  const written = [...facts, 'quinn canary', 'quinn canary\nzoe', 'zoe.canary@example.com', '1980-02-29'];
  for (const fact of written) {
    expect(bytes.includes(fact)).toBe(false);
    for (const name of ['sha256', 'sha1', 'md5']) {
      const digest = createHash(name).update(fact).digest();
      expect(bytes.includes(digest.subarray(0, 8))).toBe(false);
      for (const text of ['hex', 'base64url'] as const)
        expect(bytes.includes(digest.toString(text).slice(0, 12))).toBe(false);
    }
  }
  expect(rows.filter(([id]) => id.startsWith('indexEntries/'))).toHaveLength(5);
});

test('a refusal says nothing of what was searched or stored', async () => {
  const { open, store } = await indexed();
  const refused = await store
    .tenant(tenant)
    .transact((tx) => open.put(tx, patient, { ...zoe, phones: ['canary'] }))
    .catch((error: unknown) => error);
  expect(inspect(refused)).not.toMatch(/canary"|'canary'|quinn|zoe\./iu);
  expect(await codeOfAsync(open.find({ mrn: '1', email: 'canary' }))).toBe('INPUT');
});

test('a bucket of over 2,000 patients is not searched', async () => {
  const { store, open } = await indexed();
  const [entry] = (await store.tenant(tenant).list(indexEntries, { limit: 100 })).filter(({ id }) =>
    id.includes('surname'),
  );
  const bucket = entry?.row.bucket ?? '';
  await store.tenant(tenant).transact(async (tx) => {
    for (let one = 0; one < MAX_CANDIDATES; one += 1)
      tx.put(ref(indexEntries, `${bucket}-p${one}`), { bucket, patient: `p${one}` });
  });
  expect(await codeOfAsync(open.find({ surname: 'Quinn-Canary', birthYear: '1980' }))).toBe('TOO_LARGE');
  expect(await open.find({ mrn: 'MRN-0012', birthYear: '1980' })).toEqual([patient]);
});

test('a partial birth date is searched by its year only', async () => {
  const { store, open } = await indexed();
  await store.tenant(tenant).transact((tx) => open.put(tx, patient, { ...zoe, birthDate: '1980-02' }));
  expect(await open.find({ surname: 'Quinn-Canary', birthYear: '1980' })).toEqual([patient]);
  expect(await open.find({ mrn: 'MRN-0012', birthDate: '1980-02-29' })).toEqual([]);
});

const asBytes = (value: unknown): Buffer =>
  value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(JSON.stringify(value));
