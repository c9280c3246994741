import { inject } from 'vitest';
import { COLLECTIONS } from '../../src/collections.ts';
import type { Store } from '../../src/kernel/store.ts';
import { openFirestoreStore } from '../../src/storage/firestore/open-store.ts';
import { ensureSchema } from '../../src/storage/postgres/ensure-schema.ts';
import { openPostgresStore } from '../../src/storage/postgres/open-store.ts';
import { firestoreHost } from '../stack/addresses.ts';

/** Both databases. Where Firestore's emulator is missing and that is allowed, the run has said so at its start. */
export const STORES =
  'missing' in inject('firestore') && process.env['CI'] !== 'true'
    ? (['postgres'] as const)
    : (['firestore', 'postgres'] as const);

/** The same database as its owner reaches it: an attacker who has everything but the signing key. */
export async function openOwner(kind: Store['kind']): Promise<Store> {
  return kind === 'postgres'
    ? openPostgresStore({ connectionString: inject('postgres').adminConnectionString })
    : openStore(kind);
}

/** A store on a real database, with the tables of the house. */
export async function openStore(kind: Store['kind']): Promise<Store> {
  if (kind === 'postgres') {
    const { adminConnectionString, appConnectionString } = inject('postgres');
    await ensureSchema(adminConnectionString, COLLECTIONS);
    return openPostgresStore({ connectionString: appConnectionString });
  }
  return openFirestoreStore({ projectId: 'demo-chartseal', emulatorHost: firestoreHost() });
}
