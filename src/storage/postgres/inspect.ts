import { Client } from 'pg';
import type { Collection } from '../../kernel/collection.ts';
import { READ_DEADLINE_MS } from '../deadline.ts';
import { quoted } from './codec.ts';
import { fromPostgres } from './sql-errors.ts';

/** What the database itself says of how it lets us in. Names of roles and tables; no row. */
export interface PostgresInspection {
  /** `server_version_num`, such as 180004. */
  readonly version: number;
  /** Whether the server offers TLS at all, and whether this connection has it. */
  readonly tls: { readonly offered: boolean; readonly used: boolean };
  /** Not another machine: a socket or loopback. */
  readonly isLocal: boolean;
  readonly role: { readonly name: string; readonly isSuperuser: boolean; readonly bypasses: boolean };
  readonly tables: number;
  /** Tables without forced row-level security, or that the role owns and could take it from. */
  readonly open: readonly string[];
  /** Tables on which the role has more rights than their collection declares. */
  readonly changeable: readonly string[];
}

const ABOUT = `SELECT current_setting('server_version_num')::int AS version, current_setting('ssl') = 'on' AS offered,
  coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS used,
  inet_client_addr() IS NULL OR inet_client_addr() <<= '127.0.0.0/8' OR inet_client_addr() = '::1' AS local,
  rolname AS name, rolsuper AS super, rolbypassrls AS bypasses FROM pg_roles WHERE rolname = current_user`;
const TABLES = `SELECT relname AS name, relrowsecurity AND relforcerowsecurity AS forced,
  pg_has_role(relowner, 'member') AS owned,
  has_table_privilege(c.oid, 'update, truncate') AS changes, has_table_privilege(c.oid, 'delete') AS deletes
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
  WHERE nspname = 'public' AND relkind IN ('r', 'p') AND relname <> 'schema_migrations' ORDER BY relname`;

interface TableRow {
  readonly name: string;
  readonly forced: boolean;
  readonly owned: boolean;
  readonly changes: boolean;
  readonly deletes: boolean;
}

/**
 * Asks the database as the server does, over a connection of its own.
 *
 * @throws StoreError when it does not answer.
 */
export async function inspectPostgres(
  connectionString: string,
  collections: readonly Collection[],
): Promise<PostgresInspection> {
  const client = new Client({
    connectionString,
    connectionTimeoutMillis: READ_DEADLINE_MS,
    statement_timeout: READ_DEADLINE_MS,
    query_timeout: READ_DEADLINE_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const about = (await client.query(ABOUT)).rows[0];
    const tables: TableRow[] = (await client.query(TABLES)).rows;
    return {
      version: about.version,
      tls: { offered: about.offered, used: about.used },
      isLocal: about.local,
      role: { name: about.name, isSuperuser: about.super, bypasses: about.bypasses },
      tables: tables.length,
      open: tables.filter(({ forced, owned }) => !forced || owned).map(({ name }) => name),
      changeable: tables.filter((table) => hasMore(table, collections)).map(({ name }) => name),
    };
  } catch (error) {
    throw fromPostgres(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function hasMore({ name, changes, deletes }: TableRow, collections: readonly Collection[]): boolean {
  const declared = collections.find((of) => quoted(of.name) === quoted(name))?.changes ?? 'any';
  return declared !== 'any' && (changes || (deletes && declared === 'never'));
}
