import type { PoolClient } from 'pg';
import type { Collection, Columns, Ref } from '../../kernel/collection.ts';
import type { TenantId } from '../../kernel/ids.ts';
import type {
  Listed,
  ListOptions,
  RowsOf,
  StoreError,
  TimeClaim,
  TimeSpan,
  Transaction,
} from '../../kernel/store.ts';
import { within as inTime } from '../deadline.ts';
import type { Attempt } from '../run-transaction.ts';
import { WriteBuffer } from '../write-buffer.ts';
import { PostgresReader } from './reads.ts';
import { beginSerializable, sendAll } from './session.ts';
import { fromPostgres } from './sql-errors.ts';
import { deleteClaim, insertClaim, lockResource, type Statement, writeRows } from './statements.ts';

/** One attempt at a transaction. It begins with the first read, or with the commit. */
export class PostgresTransaction extends WriteBuffer implements Transaction {
  /** The first read that failed. `work` may have swallowed it; the attempt has failed all the same. */
  fault: StoreError | null = null;
  readonly #tenant: TenantId;
  readonly #client: PoolClient;
  readonly #attempt: Pick<Attempt<unknown>, 'budget'>;
  readonly #reader: PostgresReader;
  #begun = false;

  constructor(tenant: TenantId, client: PoolClient, attempt: Pick<Attempt<unknown>, 'budget'>) {
    super();
    this.#tenant = tenant;
    this.#client = client;
    this.#attempt = attempt;
    this.#reader = new PostgresReader(tenant, (statements) => this.#send(statements));
  }

  async get<const R extends readonly Ref[]>(...refs: R): Promise<RowsOf<R>> {
    this.assertReadable();
    return await this.#reader.get(...refs);
  }

  async list<C extends Columns>(of: Collection<C>, options: ListOptions<C>): Promise<Listed<C>[]> {
    this.assertReadable();
    return await this.#reader.list(of, options);
  }

  async busy(resources: readonly string[], within: TimeSpan): Promise<TimeClaim[]> {
    this.assertReadable();
    return await this.#reader.busy(resources, within);
  }

  /** The buffered writes, in the order of the calls; releases take effect before claims, and both after rows. */
  writes(): Statement[] {
    const resources = [...new Set(this.claims.map(({ resource }) => resource))].sort();
    return [
      ...resources.map((resource) => lockResource(this.#tenant, resource)),
      ...writeRows(this.#tenant, this.rows),
      ...this.releases.map((claim) => deleteClaim(this.#tenant, claim)),
      ...this.claims.map((claim) => insertClaim(this.#tenant, claim)),
    ];
  }

  /** Begins now if no read has. */
  async begin(): Promise<void> {
    if (!this.#begun) await this.#send([]);
  }

  async #send(statements: readonly Statement[]) {
    const before = this.#begun ? [] : beginSerializable(this.#tenant);
    this.#begun = true;
    try {
      const sent = sendAll(this.#client, [...before, ...statements]);
      return (await inTime(this.#attempt.budget(), sent)).slice(before.length);
    } catch (error) {
      this.fault ??= fromPostgres(error);
      throw this.fault;
    }
  }
}
