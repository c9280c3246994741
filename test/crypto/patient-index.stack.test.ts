import { afterAll, inject } from 'vitest';
import type { Store } from '../../src/kernel/store.ts';
import { openFirestoreStore } from '../../src/storage/firestore/open-store.ts';
import { ensureSchema } from '../../src/storage/postgres/ensure-schema.ts';
import { openPostgresStore } from '../../src/storage/postgres/open-store.ts';
import { describePatientIndex, INDEX_COLLECTIONS } from '../contracts/patient-index.contract.ts';
import { firestoreHost } from '../stack/addresses.ts';
import { describeNeeding } from '../stack/needs.ts';

const { adminConnectionString, appConnectionString } = inject('postgres');
const opened = new Map<string, Promise<Store>>();

/** One store for all tests of a backend. */
function shared(name: string, open: () => Promise<Store>): () => Promise<Store> {
  return () => {
    const store = opened.get(name) ?? open();
    opened.set(name, store);
    return store;
  };
}
afterAll(async () => {
  for (const store of opened.values()) await (await store).close();
});

describePatientIndex(
  'PostgreSQL',
  shared('postgres', async () => {
    await ensureSchema(adminConnectionString, INDEX_COLLECTIONS);
    return openPostgresStore({ connectionString: appConnectionString });
  }),
);

describeNeeding('firestore', 'on the official emulator', () => {
  describePatientIndex(
    'the official Firestore emulator',
    shared('firestore', async () =>
      openFirestoreStore({ projectId: 'demo-chartseal', emulatorHost: firestoreHost() }),
    ),
  );
});
