import { appendFileSync } from 'node:fs';
import { KmsKeyring } from '../../src/crypto/kms-keyring.ts';
import { KmsTenantKeys } from '../../src/crypto/kms-tenant-keys.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import type { Store } from '../../src/kernel/store.ts';
import { openFirestoreStore } from '../../src/storage/firestore/open-store.ts';
import { openPostgresStore } from '../../src/storage/postgres/open-store.ts';
import { type KeyHouse, openKeyHouse } from '../lifecycle/key-house.ts';

/** What every process of a soak is told, as JSON in SOAK. */
export interface Scene {
  readonly tenant: string;
  readonly store: { readonly kind: Store['kind']; readonly address: string };
  readonly kms: string;
  readonly patients: readonly string[];
  /** The journal, one line an event; outlives whoever writes it. */
  readonly journal: string;
  /** The first half hour that is booked, ms since the epoch. */
  readonly firstSlot: number;
}

/** The KMS emulator's root: it checks no signature. */
export const ROOT = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIATESTROOT', secretAccessKey: 'x' },
};

export const openSceneStore = ({ kind, address }: Scene['store']): Store =>
  kind === 'postgres'
    ? openPostgresStore({ connectionString: address })
    : openFirestoreStore({ projectId: 'demo-chartseal', emulatorHost: address });

export const sceneKms = (endpoint: string) => ({
  keyring: new KmsKeyring({ kind: 'emulator', client: { endpoint, ...ROOT } }),
  admin: new KmsTenantKeys({ endpoint, ...ROOT }),
});

/** One process's part of the house, on the scene that it was told. A key is cached for a second. */
export function openScene(scene: Scene, store: Store): Promise<KeyHouse> {
  return openKeyHouse({
    ...{ store, ...sceneKms(scene.kms), keyId: '', tenant: scene.tenant as TenantId, cacheMs: 1_000 },
    journal: (line) => appendFileSync(scene.journal, `${JSON.stringify(line)}\n`),
  });
}

export const sceneFromEnv = (): Scene => JSON.parse(process.env['SOAK'] ?? '{}') as Scene;
