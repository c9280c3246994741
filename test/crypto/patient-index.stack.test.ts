import { afterAll, describe, inject } from 'vitest';
import type { Store } from '../../src/kernel/store.ts';
import { openFirestoreStore } from '../../src/storage/firestore/open-store.ts';
import { ensureSchema } from '../../src/storage/postgres/ensure-schema.ts';
import { openPostgresStore } from '../../src/storage/postgres/open-store.ts';
import { describePatientIndex, INDEX_COLLECTIONS } from '../contracts/patient-index.contract.ts';

const firestore = inject('firestore');
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

if ('missing' in firestore && process.env['CI'] !== 'true') {
  describe.skip(`the patient index on the official Firestore emulator (not run: ${firestore.missing})`, () =>
    undefined);
} else {
  describePatientIndex(
    'the official Firestore emulator',
    shared('firestore', async () => {
      if ('missing' in firestore) throw new Error(firestore.missing);
      const emulatorHost = `${firestore.host}:${firestore.port}`;
      return openFirestoreStore({ projectId: 'demo-chartseal', emulatorHost });
    }),
  );
}
