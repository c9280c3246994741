import { setTimeout as sleep } from 'node:timers/promises';
import { deleteApp, initializeApp } from 'firebase-admin/app';
import { type Firestore, getFirestore } from 'firebase-admin/firestore';
import { randomId, SYSTEM_TENANT } from '../../kernel/ids.ts';
import type { Store } from '../../kernel/store.ts';
import { PING_DEADLINE_MS, within } from '../deadline.ts';
import { checkTenant } from '../rows.ts';
import { CLIENT_SETTINGS, emulatorSettings } from './client-settings.ts';
import { fromGrpc } from './grpc-errors.ts';
import { settled, track } from './pending.ts';
import { firestoreSnapshot, firestoreTenant } from './tenant-store.ts';

/** How long closing waits for requests under way; after it they are left to end by themselves. */
const CLOSE_MS = 5_000;

/** Which database {@link openFirestoreStore} opens. */
export interface FirestoreStoreOptions {
  readonly projectId: string;
  /** `(default)` unless given. */
  readonly databaseId?: string;
  /** `host:port` of an emulator. `FIRESTORE_EMULATOR_HOST` has the same effect and wins over it. */
  readonly emulatorHost?: string;
}

/** Opens a Firestore database as a {@link Store}. Connects with the first call, over gRPC. */
export function openFirestoreStore(options: FirestoreStoreOptions): Store {
  const app = initializeApp({ projectId: options.projectId }, randomId('store'));
  // The SDK lets the variable win, so it must: but only told so does it not look for credentials.
  const emulator = process.env['FIRESTORE_EMULATOR_HOST'] || options.emulatorHost;
  const db = getFirestore(app, options.databaseId ?? '(default)');
  db.settings({
    ...CLIENT_SETTINGS,
    ...(emulator !== undefined && emulatorSettings(emulator)),
  });
  return {
    kind: 'firestore',
    tenant: (id) => {
      checkTenant(id);
      return firestoreTenant(db, id);
    },
    snapshot: async (id, work) => {
      checkTenant(id);
      return await firestoreSnapshot(db, id, work);
    },
    ping: async () => await ping(db),
    close: async () => {
      const terminated = settled(db).then(async () => await db.terminate());
      await Promise.race([terminated, sleep(CLOSE_MS, undefined, { ref: false })]);
      await deleteApp(app);
    },
  };
}

async function ping(db: Firestore): Promise<void> {
  try {
    await within(PING_DEADLINE_MS, track(db, db.doc(`tenants/${SYSTEM_TENANT}`).get()));
  } catch (error) {
    throw fromGrpc(error);
  }
}
