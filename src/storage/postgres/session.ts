import { Pool, type PoolClient, type QueryResult } from 'pg';
import type { TenantId } from '../../kernel/ids.ts';
import { READ_DEADLINE_MS, TRANSACT_DEADLINE_MS } from '../deadline.ts';
import type { Statement } from './statements.ts';

/**
 * Connections, and how a tenant is set on one: with `set_config(…, true)` inside a transaction, so that it ends
 * with the transaction and never goes back to the pool. Without it, row-level security shows no row at all.
 */

const LOCK_TIMEOUT_MS = 5_000;

/** Statements are sent without waiting for the answers to those before (pipeline mode): one round trip. */
export function openPool(connectionString: string): Pool {
  const pool = new Pool({
    connectionString,
    pipeline: true,
    max: 10,
    connectionTimeoutMillis: READ_DEADLINE_MS,
    idleTimeoutMillis: 30_000,
    statement_timeout: READ_DEADLINE_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    query_timeout: READ_DEADLINE_MS + 1_000,
    idle_in_transaction_session_timeout: TRANSACT_DEADLINE_MS,
    application_name: 'chartseal',
  });
  // The queries of a connection that breaks reject on their own; an event without a listener ends the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** Sends statements together, and rejects with the first error in their order. */
export async function sendAll(client: PoolClient, statements: readonly Statement[]): Promise<QueryResult[]> {
  const sent = statements.map((statement) => client.query(statement));
  const settled = await Promise.allSettled(sent);
  const failed = settled.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return await Promise.all(sent);
}

export const plain = (text: string): Statement => ({ text, values: [] });

const setTenant = (tenant: TenantId): Statement => ({
  text: `SELECT set_config('chartseal.tenant', $1, true)`,
  values: [tenant],
});

/** Begins a serializable transaction. Index scans only: a scan of a small table conflicts with every writer. */
export const beginSerializable = (tenant: TenantId): Statement[] => [
  plain('BEGIN ISOLATION LEVEL SERIALIZABLE'),
  {
    text: `SELECT set_config('chartseal.tenant', $1, true), set_config('enable_seqscan', 'off', true)`,
    values: [tenant],
  },
];

/** Runs `reads` on one snapshot, in one round trip. */
export async function readAll(
  pool: Pool,
  tenant: TenantId,
  reads: readonly Statement[],
): Promise<QueryResult[]> {
  return await withClient(pool, async (client) => {
    const before = [plain('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'), setTenant(tenant)];
    const results = await sendAll(client, [...before, ...reads, plain('COMMIT')]);
    return results.slice(before.length, -1);
  });
}

/** What runs statements on one snapshot. */
export type Send = (statements: readonly Statement[]) => Promise<QueryResult[]>;

/** Keeps one snapshot open while `work` reads from it. */
export async function onSnapshot<T>(
  pool: Pool,
  tenant: TenantId,
  work: (send: Send) => Promise<T>,
): Promise<T> {
  return await withClient(pool, async (client) => {
    await sendAll(client, [plain('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'), setTenant(tenant)]);
    const result = await work((statements) => sendAll(client, statements));
    await sendAll(client, [plain('COMMIT')]);
    return result;
  });
}

/** Lends a connection. One whose use threw is closed rather than returned: its transaction may still be open. */
async function withClient<T>(pool: Pool, use: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    const result = await use(client);
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw error;
  }
}
