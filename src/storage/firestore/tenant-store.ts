import type { Firestore, Transaction as SdkTransaction } from 'firebase-admin/firestore';
import type { Ref } from '../../kernel/collection.ts';
import type { TenantId } from '../../kernel/ids.ts';
import type { Reader, StoreError, TenantStore, Transaction, TransactOptions } from '../../kernel/store.ts';
import { READ_DEADLINE_MS, within } from '../deadline.ts';
import { alreadyExists, contention, timeTaken } from '../errors.ts';
import { checkRef } from '../rows.ts';
import { type Attempt, MAX_ATTEMPTS, runTransaction } from '../run-transaction.ts';
import { fromGrpc } from './grpc-errors.ts';
import { track } from './pending.ts';
import { FirestoreReader } from './reads.ts';
import { FirestoreTransaction } from './transaction.ts';

/** {@link TenantStore} over the documents below `tenants/{tenant}`. */
export function firestoreTenant(db: Firestore, tenant: TenantId): TenantStore {
  const reader = new FirestoreReader(db, tenant, {
    documents: (refs) => plain(db, db.getAll(...refs)),
    query: (query) => plain(db, query.get()),
  });
  return {
    get: (...refs) => reader.get(...refs),
    list: (of, options) => reader.list(of, options),
    busy: (resources, span) => reader.busy(resources, span),
    transact: async (work, options = {}) => await transact({ db, tenant, reader }, work, options),
  };
}

/** Every read names the same moment, the one of the first. */
export async function firestoreSnapshot<T>(
  db: Firestore,
  tenant: TenantId,
  work: (reader: Reader) => Promise<T>,
): Promise<T> {
  const { readTime } = await plain(db, db.collection(`tenants/${tenant}/auditHead`).limit(1).get());
  const then = <R>(read: (sdk: SdkTransaction) => Promise<R>): Promise<R> =>
    plain(db, db.runTransaction(read, { readOnly: true, readTime }));
  return await work(
    new FirestoreReader(db, tenant, {
      documents: (refs) => then((sdk) => sdk.getAll(...refs)),
      query: (query) => then((sdk) => sdk.get(query)),
    }),
  );
}

async function plain<T>(db: Firestore, read: Promise<T>): Promise<T> {
  try {
    return await within(READ_DEADLINE_MS, track(db, read));
  } catch (error) {
    throw fromGrpc(error);
  }
}

interface Context {
  readonly db: Firestore;
  readonly tenant: TenantId;
  readonly reader: Reader;
}

type Work<T> = (tx: Transaction) => Promise<T>;

async function transact<T>(context: Context, work: Work<T>, { proof }: TransactOptions): Promise<T> {
  if (proof !== undefined) checkRef(proof);
  return await runTransaction({
    maxAttempts: 1,
    attempt: (attempt) => sdkTransaction(context, work, attempt),
    ...(proof && { tookPlace: () => exists(context.reader, proof) }),
  });
}

const exists = async (reader: Reader, at: Ref): Promise<boolean> => (await reader.get(at))[0] !== null;

/** Keeps an error of `work` away from the SDK, which would read its `code` as a gRPC status. */
class WorkFailed extends Error {}

/**
 * The SDK's transaction, with its retries: it tells Firestore which attempt it repeats, so that the oldest
 * waiter goes first. It begins with the first read, so a transaction that only writes is a single commit.
 */
async function sdkTransaction<T>({ db, tenant }: Context, work: Work<T>, attempt: Attempt<T>): Promise<T> {
  let last: FirestoreTransaction | undefined;
  const run = async (sdk: SdkTransaction): Promise<T> => {
    attempt.restarting();
    const tx = new FirestoreTransaction(db, tenant, sdk, attempt);
    const result = await runWork(tx, work);
    await tx.flush();
    attempt.signal.throwIfAborted();
    last = tx;
    attempt.committing(result);
    return result;
  };
  try {
    return await track(db, db.runTransaction(run, { maxAttempts: MAX_ATTEMPTS }));
  } catch (error) {
    if (error instanceof WorkFailed) throw error.cause;
    throw await commitFailure(db, last, fromGrpc(error));
  }
}

/** Throws {@link WorkFailed}, or what the SDK threw at a read when that was contention, which it may retry. */
async function runWork<T>(tx: FirestoreTransaction, work: Work<T>): Promise<T> {
  const outcome = await work(tx).then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  );
  tx.close();
  if (tx.fault !== null && fromGrpc(tx.fault.thrown).code === 'CONTENTION') throw tx.fault.thrown;
  if (tx.fault !== null) throw workFailed(fromGrpc(tx.fault.thrown));
  if ('error' in outcome) throw workFailed(outcome.error);
  return outcome.result;
}

const workFailed = (cause: unknown): WorkFailed =>
  new WorkFailed('The work of a transaction threw.', { cause });

/** A create found a document in its place: looks which one, since a taken cell is another answer than a taken id. */
async function commitFailure(
  db: Firestore,
  tx: FirestoreTransaction | undefined,
  error: StoreError,
): Promise<StoreError> {
  if (tx === undefined || error.code !== 'ALREADY_EXISTS') return error;
  const { rows, cells } = tx.created();
  const found = await plain(db, db.getAll(...rows, ...cells));
  const taken = found.map((document) => document.exists);
  if (taken.slice(0, rows.length).includes(true)) return alreadyExists();
  return taken.includes(true) ? timeTaken() : contention();
}
