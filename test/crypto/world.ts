import { DEFAULT_KEY_CACHE, KeyCache, type KeyCacheBounds } from '../../src/crypto/key-cache.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { LocalKeyring, localKeyId } from '../../src/crypto/local-keyring.ts';
import type { OpenChart, ValueName } from '../../src/crypto/open-chart.ts';
import {
  PatientKeys,
  type PatientRef,
  patientKeys,
  patientKeyVersions,
} from '../../src/crypto/patient-keys.ts';
import { SealedCharts } from '../../src/crypto/sealed-charts.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import { ref } from '../../src/kernel/collection.ts';
import { newPatientId, type TenantId } from '../../src/kernel/ids.ts';
import type { Store, Transaction } from '../../src/kernel/store.ts';

export const TENANT = 'riverside' as TenantId;
export const localKeyring = (): Keyring =>
  new LocalKeyring([{ version: 1, hex: 'ab'.repeat(32), status: 'active' }]);

/** What a test may choose of a world. */
export interface WorldOptions {
  readonly store: Store;
  readonly keyring?: Keyring;
  readonly keyId?: string;
  readonly bounds?: Partial<KeyCacheBounds>;
  readonly clock?: Clock;
}

/** One process: its key cache, its patient keys, its charts. Several over one store are several instances. */
export interface World {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly cache: KeyCache;
  readonly keys: PatientKeys;
  readonly charts: SealedCharts;
}

export function createWorld(options: WorldOptions): World {
  const { store, keyring = localKeyring(), keyId = localKeyId(1), clock = () => Date.now() } = options;
  const cache = new KeyCache({ ...DEFAULT_KEY_CACHE, ...options.bounds }, clock);
  const keys = new PatientKeys({ store, keyring, cache, clock, tenantKeyId: async () => keyId });
  return { store, keyring, cache, keys, charts: new SealedCharts({ store, keys }) };
}

/** A patient with a key and an empty chart. */
export async function newPatient(world: World): Promise<PatientRef> {
  const of = { tenant: TENANT, patient: newPatientId() };
  await world.keys.ensure(of);
  return of;
}

export const nameOf = (document: string, compartment: ValueName['compartment'] = 'clinical'): ValueName => ({
  collection: 'charts',
  document,
  compartment,
});

/** Seals texts by document name in one write; null removes. */
export function write(
  world: World,
  of: PatientRef,
  values: Readonly<Record<string, string | Uint8Array | null>>,
) {
  return world.charts.transact(of, async (chart: OpenChart, tx: Transaction) => {
    for (const [document, value] of Object.entries(values)) {
      if (value === null) chart.remove(nameOf(document));
      else await chart.seal(nameOf(document), Buffer.from(value), 1);
    }
    return chart.save(tx);
  });
}

/** What a fresh look at the store says, as text. */
export async function read(world: World, of: PatientRef, ...documents: string[]): Promise<(string | null)[]> {
  const found = await world.charts.read(
    of,
    documents.map((document) => nameOf(document)),
  );
  return (found?.values ?? []).map((value) => value?.toString() ?? null);
}

/** Key version n+1, made and set as current as the key lifecycle does it; `minSeal` stays. */
export async function addKeyVersion(world: World, of: PatientRef, keyId = localKeyId(1)): Promise<number> {
  const tenant = world.store.tenant(of.tenant);
  const [key] = await tenant.get(ref(patientKeys, of.patient));
  if (key === null) throw new Error('no key');
  const version = key.current + 1;
  const context = { app: 'chartseal', tenant: of.tenant, patient: key.alias, version: String(version) };
  const { wrapped } = await world.keyring.generate(keyId, context);
  await tenant.transact(async (tx) => {
    tx.create(ref(patientKeyVersions, `${of.patient}_${version}`), {
      keyId: wrapped.keyId,
      wrapped: wrapped.blob,
      material: null,
      createdAt: 0,
    });
    tx.put(ref(patientKeys, of.patient), { ...key, current: version });
  });
  return version;
}

export async function setMinSeal(world: World, of: PatientRef, minSeal: number): Promise<void> {
  await world.store.tenant(of.tenant).transact(async (tx) => {
    const [key] = await tx.get(ref(patientKeys, of.patient));
    if (key !== null) tx.put(ref(patientKeys, of.patient), { ...key, minSeal });
  });
}
