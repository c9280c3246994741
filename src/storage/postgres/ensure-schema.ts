import { join } from 'node:path';
import { runner } from 'node-pg-migrate';
import { Client } from 'pg';
import type { Changes, Collection } from '../../kernel/collection.ts';
import { checkCollection } from '../rows.ts';
import { quoted, sqlType } from './codec.ts';
import { fromPostgres } from './sql-errors.ts';

const APP_ROLE = 'chartseal_app';
/** Two servers that start at once take turns. */
const SCHEMA_LOCK = 7_243_391;
const TIMEOUT_MS = 30_000;
const MIGRATIONS = join(import.meta.dirname, 'migrations');

/**
 * Runs the numbered migrations (what a declaration cannot say: constraints, renames, backfills), each once, then
 * creates the tables and columns that `collections` need and that are missing, with row-level security forced on
 * each. The second step never drops or changes what is there. Both can run at every start.
 *
 * @param adminConnectionString as the owner of the tables. The role `chartseal_app` must exist.
 * @throws StoreError `STORE_USE` when a column that may not be null is added to a table that has rows.
 */
export async function ensureSchema(
  adminConnectionString: string,
  collections: readonly Collection[],
): Promise<void> {
  for (const of of collections) checkCollection(of);
  const client = new Client({
    connectionString: adminConnectionString,
    connectionTimeoutMillis: TIMEOUT_MS,
    statement_timeout: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await migrate(client);
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
    for (const statement of [...guarded('time_claims'), ...collections.flatMap(tableOf)])
      await client.query(statement);
    await client.query('COMMIT');
  } catch (error) {
    throw fromPostgres(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function migrate(client: Client): Promise<void> {
  await runner({
    dbClient: client,
    dir: MIGRATIONS,
    migrationsTable: 'schema_migrations',
    direction: 'up',
    advisoryLockMode: 'wait',
    log: () => undefined,
  });
}

function tableOf(of: Collection): string[] {
  const table = quoted(of.name);
  const columns = Object.entries(of.columns).map(([column, type]) => `${quoted(column)} ${sqlType(type)}`);
  const keys = ['_tenant text COLLATE "C" NOT NULL', '_id text COLLATE "C" NOT NULL'];
  return [
    `CREATE TABLE IF NOT EXISTS ${table} (${[...keys, ...columns].join(', ')}, PRIMARY KEY (_tenant, _id))`,
    ...columns.map((column) => `ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS ${column}`),
    ...(of.indexed ?? []).map((column) => indexOf(of.name, column)),
    ...guarded(table, of.changes),
  ];
}

/** In the order in which a list by this column reads. */
const indexOf = (table: string, column: string): string =>
  `CREATE INDEX IF NOT EXISTS ${quoted(`${table}_by_${column}`)} ON ${quoted(table)} (_tenant, ${quoted(column)}, _id)`;

/** What the application may do with a row that is there. */
const RIGHTS: Readonly<Record<Changes, string>> = {
  any: ', UPDATE, DELETE',
  'delete-only': ', DELETE',
  never: '',
};

/** Row-level security binds the owner too, and knows no tenant unless the transaction has named one. */
function guarded(table: string, changes: Changes = 'any'): string[] {
  const own = `_tenant = current_setting('chartseal.tenant', true)`;
  return [
    `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
    `ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`,
    `DO $$ BEGIN CREATE POLICY own_tenant ON ${table} USING (${own}) WITH CHECK (${own});
      EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
    // Taken away first: a table may have been made when more was allowed.
    `REVOKE UPDATE, DELETE ON ${table} FROM ${APP_ROLE}`,
    `GRANT SELECT, INSERT${RIGHTS[changes]} ON ${table} TO ${APP_ROLE}`,
  ];
}
