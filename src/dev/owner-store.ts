import type { Store } from '../kernel/store.ts';
import { openFirestoreStore } from '../storage/firestore/open-store.ts';
import { openPostgresStore } from '../storage/postgres/open-store.ts';
import { StackError } from './errors.ts';

/**
 * The local stack's database as its owner reaches it, behind the server's back: with rights that the server has not.
 *
 * @throws StackError `NO_STACK` when the environment names no database of the local stack.
 */
export function openOwnerStore(env: Readonly<Record<string, string | undefined>>): Store {
  const { CHARTSEAL_DATABASE_OWNER_URL: url, FIRESTORE_EMULATOR_HOST: host, GCLOUD_PROJECT: project } = env;
  if (url !== undefined) return openPostgresStore({ connectionString: url });
  if (host === undefined) throw new StackError('NO_STACK', 'This works on the local stack only.');
  return openFirestoreStore({ projectId: project ?? '', emulatorHost: host });
}
