import { SYSTEM_TENANT } from '../../kernel/ids.ts';
import type { Store } from '../../kernel/store.ts';
import { PING_DEADLINE_MS, within } from '../deadline.ts';
import { checkTenant } from '../rows.ts';
import { openPool, plain, readAll } from './session.ts';
import { fromPostgres } from './sql-errors.ts';
import { postgresSnapshot, postgresTenant } from './tenant-store.ts';

/** Which database {@link openPostgresStore} opens. */
export interface PostgresStoreOptions {
  /** As the role `chartseal_app`, which owns no table and cannot pass row-level security. */
  readonly connectionString: string;
}

/** Opens a PostgreSQL database as a {@link Store}. Its tables come from `ensureSchema`. Connects with the first call. */
export function openPostgresStore(options: PostgresStoreOptions): Store {
  const pool = openPool(options.connectionString);
  return {
    kind: 'postgres',
    tenant: (id) => {
      checkTenant(id);
      return postgresTenant(pool, id);
    },
    snapshot: async (id, work) => {
      checkTenant(id);
      return await postgresSnapshot(pool, id, work);
    },
    ping: async () => {
      try {
        await within(PING_DEADLINE_MS, readAll(pool, SYSTEM_TENANT, [plain('SELECT 1')]));
      } catch (error) {
        throw fromPostgres(error);
      }
    },
    close: async () => await pool.end(),
  };
}
