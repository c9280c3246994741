import { afterAll, inject } from 'vitest';
import { COLLECTIONS } from '../../src/collections.ts';
import type { Store } from '../../src/kernel/store.ts';
import { openFirestoreStore } from '../../src/storage/firestore/open-store.ts';
import { ensureSchema } from '../../src/storage/postgres/ensure-schema.ts';
import { openPostgresStore } from '../../src/storage/postgres/open-store.ts';
import { sealedChartsContract } from '../contracts/sealed-charts.contract.ts';
import { firestoreHost } from '../stack/addresses.ts';
import { describeNeeding } from '../stack/needs.ts';

const opened: Store[] = [];
afterAll(() => Promise.all(opened.map((store) => store.close())));

sealedChartsContract('PostgreSQL', async () => {
  const { adminConnectionString, appConnectionString } = inject('postgres');
  await ensureSchema(adminConnectionString, COLLECTIONS);
  const store = openPostgresStore({ connectionString: appConnectionString });
  opened.push(store);
  return store;
});

/** The official emulator takes messages up to gRPC's default of 4 MiB; Firestore itself takes 10 MiB. */
const EMULATOR_TAKES = 3.5 * 1024 * 1024;
describeNeeding('firestore', 'on the official emulator', () => {
  const open = async (): Promise<Store> => {
    const store = openFirestoreStore({ projectId: 'demo-sealed-charts', emulatorHost: firestoreHost() });
    opened.push(store);
    return store;
  };
  sealedChartsContract('Firestore', open, { mostBytes: EMULATOR_TAKES });
});
