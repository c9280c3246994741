import { describe, expect, test } from 'vitest';
import { DEFAULT_INDEX_BITS } from '../../src/crypto/blind-index.ts';
import { IndexKeys, indexKeys, indexState } from '../../src/crypto/index-keys.ts';
import { DEFAULT_KEY_CACHE, KeyCache } from '../../src/crypto/key-cache.ts';
import { LocalKeyring, localKeyId } from '../../src/crypto/local-keyring.ts';
import { indexEntries, indexRecords, PatientIndex } from '../../src/crypto/patient-index.ts';
import { bucketSizes, reindex } from '../../src/crypto/reindex.ts';
import type { Identifiers, PatientFacts } from '../../src/crypto/search-facts.ts';
import { ref } from '../../src/kernel/collection.ts';
import { newPatientId, type PatientId, randomId, type TenantId } from '../../src/kernel/ids.ts';
import type { Store } from '../../src/kernel/store.ts';
import { codeOfAsync } from '../crypto/code-of.ts';

/** What a store must keep for the index. */
export const INDEX_COLLECTIONS = [indexKeys, indexState, indexEntries, indexRecords];

export const zoe: PatientFacts = {
  names: [{ family: 'Quinn-Canary', given: 'Zoë Marie' }],
  birthDate: '1980-02-29',
  mrns: ['MRN-0012'],
  emails: ['zoe.canary@example.com'],
  phones: ['+1 617 555 0123'],
};
const BITS = { nameBirthDate: 4, surnameBirthYear: 4 };

/** One suite for the patient index on any store. */
export function describePatientIndex(name: string, openStore: () => Promise<Store> | Store): void {
  const clinic = async () => {
    const store = await openStore();
    const tenant = randomId('t') as TenantId;
    const keys = new IndexKeys({
      store,
      keyring: new LocalKeyring([{ version: 1, hex: 'ab'.repeat(32), status: 'active' }]),
      cache: new KeyCache(DEFAULT_KEY_CACHE, () => 0),
      clock: () => Date.UTC(2026, 10, 24),
      tenantKeyId: async () => localKeyId(1),
    });
    await keys.ensure(tenant, BITS);
    const index = new PatientIndex({ store, keys });
    const put = async (facts: PatientFacts, patient: PatientId = newPatientId()): Promise<PatientId> => {
      const open = await index.open(tenant);
      await store.tenant(tenant).transact((tx) => open.put(tx, patient, facts));
      return patient;
    };
    const find = (asked: Identifiers) => index.find(tenant, asked);
    return { store, tenant, keys, index, put, find };
  };

  describe(`the patient index on ${name}`, () => {
    test('finds a patient by any two identifiers, however they are written', async () => {
      const { put, find } = await clinic();
      const patient = await put(zoe);
      for (const asked of [
        { mrn: 'mrn 0012', birthDate: '1980-02-29' },
        { email: 'ZOE.CANARY@EXAMPLE.COM', surname: 'QUINN CANARY' },
        { phone: '(617) 555-0123', birthYear: '1980' },
        { name: { family: 'quinn-canary', given: 'zoe' }, birthDate: '1980-02-29' },
        { surname: 'Quinn-Canary', birthYear: '1980' },
        { surname: 'Quinn-Canary', birthDate: '1980-02-29' },
        { name: { family: 'Quinn-Canary', given: 'Zoe' }, birthYear: '1980' },
      ])
        expect(await find(asked)).toEqual([patient]);
    });

    test('finds nobody when only one of the two is true', async () => {
      const { put, find } = await clinic();
      await put(zoe);
      for (const asked of [
        { mrn: 'MRN-0012', birthDate: '1980-02-28' },
        { mrn: 'MRN-0013', birthDate: '1980-02-29' },
        { email: 'zoe.canary@example.com', phone: '617 555 0199' },
        { name: { family: 'Quinn-Canary', given: 'Max' }, birthDate: '1980-02-29' },
        { surname: 'Quinn-Canary', birthYear: '1981' },
      ])
        expect(await find(asked)).toEqual([]);
    });

    test('demands two kinds of identifier', async () => {
      const { find } = await clinic();
      for (const asked of [
        {},
        { mrn: '1' },
        { name: { family: 'Quinn', given: 'Zoë' }, surname: 'Quinn' },
        { birthDate: '1980-02-29', birthYear: '1980' },
      ])
        expect(await codeOfAsync(find(asked))).toBe('INPUT');
    });

    test('keeps many patients apart who share a bucket, and lists all who share a name', async () => {
      const { put, find, store, tenant } = await clinic();
      const given = [
        'Ann',
        'Ben',
        'Cid',
        'Dot',
        'Eve',
        'Fay',
        'Gus',
        'Hal',
        'Ida',
        'Jon',
        'Kim',
        'Lou',
        'Max',
        'Ned',
      ];
      const people = [...given, ...given.map((one) => `${one}a`)];
      const ids: PatientId[] = [];
      for (const one of people)
        ids.push(
          await put({ ...zoe, names: [{ family: 'Quinn', given: one }], mrns: [], emails: [], phones: [] }),
        );
      expect(await find({ name: { family: 'Quinn', given: 'Cid' }, birthDate: '1980-02-29' })).toEqual([
        ids[2],
      ]);
      expect(await find({ surname: 'Quinn', birthYear: '1980' })).toEqual(ids.toSorted());
      const sizes = await bucketSizes(store, tenant);
      const byName = sizes.find(({ purpose }) => purpose === 'name-birth-date');
      expect(byName).toMatchObject({ version: 1, entries: 28 });
      expect(byName?.largest).toBeGreaterThan(1);
      expect(sizes.find(({ purpose }) => purpose === 'surname-birth-year')).toMatchObject({
        entries: 28,
        buckets: 1,
        largest: 28,
        median: 28,
        alone: 0,
      });
    });

    test('a change is found under the new facts and no longer under the old', async () => {
      const { put, find, store, tenant } = await clinic();
      const patient = await put(zoe);
      await put({ ...zoe, emails: ['new@example.com'], names: [{ family: 'Park', given: 'Zoë' }] }, patient);
      expect(await find({ email: 'zoe.canary@example.com', birthYear: '1980' })).toEqual([]);
      expect(await find({ surname: 'Quinn-Canary', birthYear: '1980' })).toEqual([]);
      expect(await find({ email: 'new@example.com', surname: 'Park' })).toEqual([patient]);
      expect(await store.tenant(tenant).list(indexEntries, { limit: 100 })).toHaveLength(5);
    });

    test('after a removal nothing of the patient is left', async () => {
      const { put, find, index, store, tenant } = await clinic();
      const patient = await put(zoe);
      const open = await index.open(tenant);
      for (let turn = 0; turn < 2; turn += 1)
        await store.tenant(tenant).transact((tx) => open.remove(tx, patient));
      expect(await find({ mrn: 'MRN-0012', birthYear: '1980' })).toEqual([]);
      expect(await store.tenant(tenant).list(indexEntries, { limit: 10 })).toEqual([]);
      expect(await store.tenant(tenant).list(indexRecords, { limit: 10 })).toEqual([]);
    });

    test('a fact that cannot be searched by is refused and changes nothing', async () => {
      const { put, store, tenant } = await clinic();
      for (const bad of [
        { phones: ['none'] },
        { birthDate: '1980-02-30' },
        { mrns: new Array(17).fill('1') },
      ])
        expect(await codeOfAsync(put({ ...zoe, ...bad }))).toBe('INPUT');
      expect(await store.tenant(tenant).list(indexRecords, { limit: 10 })).toEqual([]);
    });

    test('other tenants find nobody, and share no tag', async () => {
      const [here, there] = [await clinic(), await clinic()];
      await here.put(zoe);
      expect(await there.find({ mrn: 'MRN-0012', birthYear: '1980' })).toEqual([]);
      await there.put(zoe);
      const tags = async ({ store, tenant }: typeof here) =>
        (await store.tenant(tenant).list(indexEntries, { limit: 10 })).map(({ row }) => row.bucket);
      const mine = new Set((await tags(here)).filter((tag) => tag.includes('-mrn-')));
      expect((await tags(there)).filter((tag) => mine.has(tag))).toEqual([]);
    });

    test('a planted entry is not believed, and a verifier of somebody else does not open', async () => {
      const { put, find, store, tenant } = await clinic();
      const victim = await put({ ...zoe, mrns: ['77'], emails: [], phones: [] });
      const patient = await put(zoe);
      const [entry] = (
        await store.tenant(tenant).list(indexEntries, { equals: { patient }, limit: 10 })
      ).filter(({ row }) => row.bucket.includes('-mrn-'));
      const bucket = entry?.row.bucket ?? '';
      await store.tenant(tenant).transact(async (tx) => {
        tx.put(ref(indexEntries, `${bucket}-${victim}`), { bucket, patient: victim });
      });
      expect(await find({ mrn: 'MRN-0012', birthYear: '1980' })).toEqual([patient]);
      await store.tenant(tenant).transact(async (tx) => {
        const [record] = await tx.get(ref(indexRecords, patient));
        if (record !== null) tx.put(ref(indexRecords, victim), record);
      });
      expect(await codeOfAsync(find({ mrn: 'MRN-0012', birthYear: '1980' }))).toBe('COMMITMENT');
    });

    test('moves to a new key while every patient is found at every step', async () => {
      const { put, find, store, tenant, keys, index } = await clinic();
      const ids: PatientId[] = [];
      for (let one = 0; one < 5; one += 1) ids.push(await put({ ...zoe, mrns: [`m${one}`] }));
      const allFound = async () => {
        for (const [one, id] of ids.entries())
          expect(await find({ mrn: `m${one}`, birthYear: '1980' })).toEqual([id]);
        expect(await find({ surname: 'Quinn-Canary', birthYear: '1980' })).toEqual(ids.toSorted());
      };
      const step = () =>
        reindex(tenant, { store, keys, index }, { bits: { ...BITS, nameBirthDate: 8 }, limit: 2 });
      const steps = [];
      do {
        steps.push(await step());
        await allFound();
      } while (steps.at(-1) === false && steps.length < 9);
      expect(steps).toEqual([false, false, true]);
      const sizes = await bucketSizes(store, tenant);
      expect(new Set(sizes.map(({ version }) => version))).toEqual(new Set([2]));
      expect(await store.tenant(tenant).get(ref(indexKeys, '1'))).toEqual([null]);
    });

    test('a search at the very moment of a move misses nobody', async () => {
      const { put, find, store, tenant, keys, index } = await clinic();
      const ids: PatientId[] = [];
      for (let one = 0; one < 6; one += 1) ids.push(await put({ ...zoe, mrns: [`m${one}`] }));
      let moving = true;
      const move = async () => {
        for (let version = 2; version <= 3; version += 1)
          while (!(await reindex(tenant, { store, keys, index }, { bits: BITS, limit: 1 })));
        moving = false;
      };
      const search = async () => {
        let searches = 0;
        for (; moving; searches += 1)
          expect(await find({ surname: 'Quinn-Canary', birthYear: '1980' })).toEqual(ids.toSorted());
        return searches;
      };
      const [, searches] = await Promise.all([move(), search(), search()]);
      expect(searches).toBeGreaterThan(5);
      expect((await keys.load(tenant)).write).toBe(3);
    });

    test('an index opened before a reindex writes nothing under the old key', async () => {
      const { put, store, tenant, keys, index } = await clinic();
      const patient = await put(zoe);
      const opened = await index.open(tenant);
      await reindex(tenant, { store, keys, index }, { bits: BITS, limit: 10 });
      const late = store.tenant(tenant).transact((tx) => opened.put(tx, patient, zoe));
      expect(await codeOfAsync(late)).toBe('KEY_MISSING');
      expect(await codeOfAsync(opened.find({ mrn: 'MRN-0012', birthYear: '1980' }))).toBe('KEY_MISSING');
    });

    test('ten instances make one index key', async () => {
      const { store, keys } = await clinic();
      const tenant = randomId('t') as TenantId;
      await Promise.all(Array.from({ length: 10 }, () => keys.ensure(tenant, DEFAULT_INDEX_BITS)));
      expect(await store.tenant(tenant).list(indexKeys, { limit: 10 })).toHaveLength(1);
      expect(await keys.load(tenant)).toMatchObject({
        write: 1,
        keys: [{ version: 1, bits: DEFAULT_INDEX_BITS }],
      });
    });
  });
}
