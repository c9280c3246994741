import type { Store } from '../kernel/store.ts';
import { openFirestoreStore } from '../storage/firestore/open-store.ts';
import { openPostgresStore } from '../storage/postgres/open-store.ts';
import { StackError } from './errors.ts';

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * The local stack's database as its owner reaches it, behind the server's back: with rights that the server has not.
 *
 * @throws StackError `NO_STACK` when the environment names no database on loopback.
 */
export function openOwnerStore(env: Readonly<Record<string, string | undefined>>): Store {
  const { CHARTSEAL_DATABASE_OWNER_URL: url, FIRESTORE_EMULATOR_HOST: host, GCLOUD_PROJECT: project } = env;
  const place = url === undefined ? host && URL.parse(`http://${host}`) : URL.parse(url);
  if (!place || !LOOPBACK.has(place.hostname))
    throw new StackError('NO_STACK', 'This works on the local stack only. Start one with "npm start".');
  if (url !== undefined) return openPostgresStore({ connectionString: url });
  return openFirestoreStore({ projectId: project ?? '', emulatorHost: host ?? '' });
}
