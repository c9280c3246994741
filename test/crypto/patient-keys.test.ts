import { describe, expect, test } from 'vitest';
import { patientKeys, patientKeyVersions } from '../../src/crypto/patient-keys.ts';
import { ref } from '../../src/kernel/collection.ts';
import { newPatientId, type TenantId } from '../../src/kernel/ids.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { startKms } from './kms.ts';
import { rejectionOf } from './samples.ts';
import { createWorld, newPatient, read, TENANT, type WorldOptions, write } from './world.ts';

/** A world over the KMS emulator, and another process over the same store whose cache is cold. */
async function onKms(options: Partial<WorldOptions> = {}) {
  const kms = await startKms();
  const keyId = await kms.createKey();
  const store = createMemoryStore();
  const client = { maxAttempts: 1 };
  const open = () => createWorld({ store, keyId, keyring: kms.keyring({ client }), ...options });
  return { kms, keyId, store, world: open(), another: open };
}

describe('calls to KMS', () => {
  test('a new chart costs one, and sealing and reading it none', async () => {
    const { kms, world } = await onKms();
    const of = await newPatient(world);
    await write(world, of, { a: 'one', b: 'two', c: 'three' });
    expect(await read(world, of, 'a', 'b', 'c')).toEqual(['one', 'two', 'three']);
    expect([kms.count('GenerateDataKey'), kms.count('Decrypt')]).toEqual([1, 0]);
  });

  test('a cold chart costs one, however many values are read, and a warm one none', async () => {
    const { kms, world, another } = await onKms();
    const of = await newPatient(world);
    await write(world, of, { a: 'one', b: 'two', c: 'three' });
    const cold = another();
    await read(cold, of, 'a', 'b', 'c');
    expect(kms.count('Decrypt')).toBe(1);
    await read(cold, of, 'a', 'b', 'c');
    await write(cold, of, { a: 'four' });
    expect(kms.count('Decrypt')).toBe(1);
  });

  test('a cold write costs one', async () => {
    const { kms, world, another } = await onKms();
    const of = await newPatient(world);
    await write(another(), of, { a: 'one' });
    expect(kms.count('Decrypt')).toBe(1);
  });

  test('twenty cold reads at once cost one', async () => {
    const { kms, world, another } = await onKms();
    const of = await newPatient(world);
    await write(world, of, { a: 'one' });
    const cold = another();
    const answers = await Promise.all(Array.from({ length: 20 }, () => read(cold, of, 'a')));
    expect(answers.flat()).toEqual(Array.from({ length: 20 }, () => 'one'));
    expect(kms.count('Decrypt')).toBe(1);
  });

  test('in per-access mode each read and each write of a chart is one line in CloudTrail', async () => {
    const { kms, world } = await onKms();
    const of = await newPatient(world);
    await write(world, of, { a: 'one', b: 'two' });
    const strict = createWorld({ store: world.store, keyring: world.keyring, bounds: { maxAgeMs: 0 } });
    await read(strict, of, 'a', 'b');
    await read(strict, of, 'a', 'b');
    await write(strict, of, { a: 'three' });
    expect(kms.count('Decrypt')).toBe(3);
    await Promise.all([read(strict, of, 'a'), read(strict, of, 'b')]);
    expect(kms.count('Decrypt')).toBe(5);
  });

  test('the context names app, tenant, alias and version: never the patient’s handle', async () => {
    const { kms, world, another, store } = await onKms();
    const of = await newPatient(world);
    await write(world, of, { a: 'one' });
    await read(another(), of, 'a');
    const [key] = await store.tenant(TENANT).get(ref(patientKeys, of.patient));
    const contexts = kms
      .events()
      .filter(({ eventName }) => eventName === 'Decrypt' || eventName === 'GenerateDataKey')
      .map(({ requestParameters }) => requestParameters['encryptionContext']);
    const context = { app: 'chartseal', tenant: 'riverside', patient: key?.alias, version: '1' };
    expect(contexts).toEqual([context, context]);
    expect(JSON.stringify(kms.events())).not.toContain(of.patient);
  });
});

describe('when a key may no longer be used', () => {
  test('at the age limit, with KMS down, the chart does not open: no stale key', async () => {
    let now = 0;
    const { kms, world } = await onKms({ clock: () => now });
    const of = await newPatient(world);
    await write(world, of, { a: 'one' });
    await kms.faults({ outage: true });
    now = 299_999;
    expect(await read(world, of, 'a')).toEqual(['one']);
    now = 300_000;
    expect(await rejectionOf(read(world, of, 'a'))).toBe('KMS_UNAVAILABLE');
    expect(await rejectionOf(write(world, of, { a: 'two' }))).toBe('KMS_UNAVAILABLE');
    await kms.faults({});
    expect(await read(world, of, 'a')).toEqual(['one']);
  });

  test('a disabled tenant key stops reads at the latest after five minutes, and at once when flushed', async () => {
    let now = 0;
    const { kms, keyId, world, another } = await onKms({ clock: () => now });
    const of = await newPatient(world);
    await write(world, of, { a: 'one' });
    const second = another();
    await read(second, of, 'a');
    await kms.disable(keyId);
    world.keys.flush(TENANT);
    expect(await rejectionOf(read(world, of, 'a'))).toBe('KEY_DISABLED');
    expect(await read(second, of, 'a')).toEqual(['one']);
    now = 300_000;
    expect(await rejectionOf(read(second, of, 'a'))).toBe('KEY_DISABLED');
  });

  test('flushing a patient leaves the others warm', async () => {
    const { kms, world } = await onKms();
    const [one, two] = [await newPatient(world), await newPatient(world)];
    await write(world, one, { a: '1' });
    await write(world, two, { a: '2' });
    world.keys.flush(TENANT, one.patient);
    await read(world, two, 'a');
    expect(kms.count('Decrypt')).toBe(0);
    await read(world, one, 'a');
    expect(kms.count('Decrypt')).toBe(1);
  });

  test('a warm key of an erased patient does not serve a later patient of the same handle', async () => {
    const { world, another, store } = await onKms();
    const of = await newPatient(world);
    await write(world, of, { a: 'one' });
    const warm = another();
    await read(warm, of, 'a');
    await store.tenant(TENANT).transact(async (tx) => {
      for (const at of [
        ref(patientKeys, of.patient),
        ref(patientKeyVersions, `${of.patient}_1`),
        { collection: { name: 'manifests', columns: {} }, id: of.patient },
      ]) {
        tx.delete(at);
      }
    });
    await world.keys.ensure(of);
    await write(warm, of, { b: 'two' });
    expect(await read(another(), of, 'b')).toEqual(['two']);
  });
});

describe('wrapped keys that were tampered with', () => {
  const versionRef = (patient: string) => ref(patientKeyVersions, `${patient}_1`);

  test('two patients’ wrapped keys exchanged: neither chart opens', async () => {
    const { world, another, store } = await onKms();
    const [one, two] = [await newPatient(world), await newPatient(world)];
    await write(world, one, { a: '1' });
    await write(world, two, { a: '2' });
    await store.tenant(TENANT).transact(async (tx) => {
      const [a, b] = await tx.get(versionRef(one.patient), versionRef(two.patient));
      if (a !== null && b !== null) {
        tx.put(versionRef(one.patient), b);
        tx.put(versionRef(two.patient), a);
      }
    });
    for (const of of [one, two]) expect(await rejectionOf(read(another(), of, 'a'))).toBe('KMS_CONTEXT');
  });

  test('a chart copied to another tenant with all its rows does not open there', async () => {
    const { world, another, store } = await onKms();
    const of = await newPatient(world);
    await write(world, of, { a: '1' });
    const north = 'north' as TenantId;
    for (const [at, row] of store.rows.get(TENANT) ?? []) {
      const [name = '', id = ''] = at.split('/');
      await store.tenant(north).transact(async (tx) => {
        tx.put({ collection: { name, columns: {} }, id }, row);
      });
    }
    const there = { tenant: north, patient: of.patient };
    expect(await rejectionOf(read(another(), there, 'a'))).toBe('KMS_CONTEXT');
  });

  test('a key document whose version is not there says so', async () => {
    const { world, another, store } = await onKms();
    const of = await newPatient(world);
    await store.tenant(TENANT).transact(async (tx) => tx.delete(versionRef(of.patient)));
    expect(await rejectionOf(write(another(), of, { a: '1' }))).toBe('KEY_MISSING');
  });

  test('a patient who is not there reads as null and cannot be written', async () => {
    const { world } = await onKms();
    const of = { tenant: TENANT, patient: newPatientId() };
    expect(await world.charts.read(of, [])).toBeNull();
    expect(await rejectionOf(write(world, of, { a: '1' }))).toBe('KEY_MISSING');
  });
});
