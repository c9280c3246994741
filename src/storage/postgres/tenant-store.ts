import type { Pool, PoolClient } from 'pg';
import type { Ref } from '../../kernel/collection.ts';
import type { TenantId } from '../../kernel/ids.ts';
import type { Reader, TenantStore, Transaction, TransactOptions } from '../../kernel/store.ts';
import { READ_DEADLINE_MS, within } from '../deadline.ts';
import { contention } from '../errors.ts';
import { checkRef } from '../rows.ts';
import { type Attempt, runTransaction } from '../run-transaction.ts';
import { PostgresReader } from './reads.ts';
import { onSnapshot, plain, readAll, sendAll } from './session.ts';
import { fromPostgres } from './sql-errors.ts';
import { PostgresTransaction } from './transaction.ts';

const ROLLBACK_MS = 1_000;

/** {@link TenantStore} over the rows of one tenant. */
export function postgresTenant(pool: Pool, tenant: TenantId): TenantStore {
  const reader = new PostgresReader(tenant, async (statements) => {
    try {
      return await within(READ_DEADLINE_MS, readAll(pool, tenant, statements));
    } catch (error) {
      throw fromPostgres(error);
    }
  });
  return {
    get: (...refs) => reader.get(...refs),
    list: (of, options) => reader.list(of, options),
    busy: (resources, span) => reader.busy(resources, span),
    transact: async (work, options = {}) => await transact({ pool, tenant, reader }, work, options),
  };
}

/** Keeps a transaction open for as long as `work` takes: what is written meanwhile is not vacuumed away. */
export async function postgresSnapshot<T>(
  pool: Pool,
  tenant: TenantId,
  work: (reader: Reader) => Promise<T>,
): Promise<T> {
  return await onSnapshot(pool, tenant, (send) =>
    work(
      new PostgresReader(tenant, async (statements) => {
        try {
          return await within(READ_DEADLINE_MS, send(statements));
        } catch (error) {
          throw fromPostgres(error);
        }
      }),
    ),
  );
}

interface Context {
  readonly pool: Pool;
  readonly tenant: TenantId;
  readonly reader: Reader;
}

type Work<T> = (tx: Transaction) => Promise<T>;

async function transact<T>(context: Context, work: Work<T>, { proof }: TransactOptions): Promise<T> {
  if (proof !== undefined) checkRef(proof);
  return await runTransaction({
    attempt: (attempt) => attemptOnce(context, work, attempt),
    ...(proof && { tookPlace: () => exists(context.reader, proof) }),
  });
}

const exists = async (reader: Reader, at: Ref): Promise<boolean> => (await reader.get(at))[0] !== null;

async function attemptOnce<T>({ pool, tenant }: Context, work: Work<T>, attempt: Attempt<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw fromPostgres(error);
  });
  let clean = false;
  try {
    attempt.signal.throwIfAborted();
    const tx = new PostgresTransaction(tenant, client, attempt);
    const result = await runWork(tx, work);
    await tx.begin();
    attempt.signal.throwIfAborted();
    attempt.committing(result);
    const answer = await commit(client, tx, attempt.budget()).catch((error: unknown) => {
      throw fromPostgres(error);
    });
    if (answer !== 'COMMIT') throw contention();
    clean = true;
    return result;
  } catch (error) {
    clean = await rolledBack(client);
    throw error;
  } finally {
    // A connection whose transaction may be open is closed: it must not go back to the pool.
    client.release(!clean);
  }
}

/** True when the connection answers and has no transaction open. */
async function rolledBack(client: PoolClient): Promise<boolean> {
  return await within(ROLLBACK_MS, client.query('ROLLBACK')).then(
    () => true,
    () => false,
  );
}

async function runWork<T>(tx: PostgresTransaction, work: Work<T>): Promise<T> {
  try {
    const result = await work(tx);
    if (tx.fault !== null) throw tx.fault;
    return result;
  } catch (error) {
    throw tx.fault ?? error;
  } finally {
    tx.close();
  }
}

/** Sends the writes and the commit together: after a failed write PostgreSQL answers the commit with a rollback. */
async function commit(client: PoolClient, tx: PostgresTransaction, budget: number): Promise<string> {
  const results = await within(budget, sendAll(client, [...tx.writes(), plain('COMMIT')]));
  return results.at(-1)?.command ?? '';
}
