import { randomBytes } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';
import { collection, type Ref, ref } from '../kernel/collection.ts';
import { randomId, type TenantId } from '../kernel/ids.ts';
import type { Store, Transaction } from '../kernel/store.ts';
import { AuditError } from './errors.ts';
import { type AuditEvent, type AuditWriterMark, leafHash, leafOf } from './event.ts';

/** Create-only; the leaf's exact bytes. */
export const auditEvents = collection('auditEvents', { leaf: 'bytes' }, { changes: 'never' });
/** The twin of an event that the sequencer has not put into the tree yet. */
export const auditPending = collection('auditPending', { leafHash: 'bytes' }, { changes: 'delete-only' });

/** Where journal lines go: the process log, which in production is kept by another administrator. */
export type Journal = (line: {
  readonly tenant: TenantId;
  readonly id: string;
  readonly leafHash: string;
}) => void;

/** What the caller says of an act; the log adds id, time and the writer's mark. */
export type AuditEntry = Omit<AuditEvent, 'id' | 'recorded' | 'tenant' | 'writer'>;

/** What an {@link AuditLog} stands on. */
export interface AuditLogOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly journal: Journal;
}

/** What an entry bundle can hold: it gives a leaf's length in 16 bits. */
const MAX_LEAF = 65_535;
const MAX_NAMED = 64;

/**
 * Appends to the audit log. It does not sequence, sign or read the log.
 *
 * An act that writes takes a `draft`, writes it inside its own transaction, and confirms it once that is known
 * to be committed and before anything is released. An act that only reads calls `append`.
 */
export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #boot = `wr_${randomBytes(9).toString('base64url')}`;
  /** Each tenant's log counts by itself, so that whoever verifies one of them needs no other. */
  readonly #writers = new Map<TenantId, Writer>();

  constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  /** Reserves an id and this writer's next count. Settle each draft with `confirm` or `abandon`. */
  draft(tenant: TenantId): AuditDraft {
    const writer = this.#writerOf(tenant);
    writer.count += 1;
    const mark: AuditWriterMark = {
      boot: this.#boot,
      count: writer.count,
      confirmed: writer.confirmed.splice(0, MAX_NAMED),
      abandoned: writer.abandoned.splice(0, MAX_NAMED),
    };
    const settle = (event: CommittedEvent | null): void => this.#settle(writer, mark, event);
    return new AuditDraft(tenant, mark, this.#options.clock, settle);
  }

  /**
   * Commits an event on its own and confirms it.
   *
   * @throws AuditError `AUDIT_UNAVAILABLE` (retryable) when it could not be committed: release nothing.
   */
  async append(tenant: TenantId, entry: AuditEntry): Promise<void> {
    await this.commit(tenant, async () => entry).catch((cause: unknown) => {
      throw new AuditError(
        'AUDIT_UNAVAILABLE',
        'The audit log did not take the event, so nothing was released. Try again.',
        { retryable: true, cause },
      );
    });
  }

  /**
   * Runs `work` in one transaction together with the event that it returns, and confirms that. On contention `work`
   * runs again. Null means that there was nothing to do after all, and so nothing to tell.
   *
   * @throws what `work` throws, AuditError `AUDIT_EVENT`, StoreError; then nothing was written.
   */
  async commit(tenant: TenantId, work: (tx: Transaction) => Promise<AuditEntry | null>): Promise<void> {
    const draft = this.draft(tenant);
    let told = false;
    try {
      const store = this.#options.store.tenant(tenant);
      await store.transact(
        async (tx) => {
          const entry = await work(tx);
          told = entry !== null;
          if (entry !== null) draft.write(tx, entry);
        },
        { proof: draft.proof },
      );
    } catch (error) {
      draft.abandon();
      throw error;
    }
    if (told) draft.confirm();
    else draft.abandon();
  }

  #writerOf(tenant: TenantId): Writer {
    const writer = this.#writers.get(tenant) ?? { count: 0, confirmed: [], abandoned: [] };
    this.#writers.set(tenant, writer);
    return writer;
  }

  #settle(writer: Writer, mark: AuditWriterMark, event: CommittedEvent | null): void {
    if (event === null) {
      writer.confirmed.push(...mark.confirmed);
      writer.abandoned.push(...mark.abandoned, mark.count);
    } else {
      this.#options.journal(event);
      writer.confirmed.push(event.leafHash);
    }
  }
}

/** What this process wrote into one tenant's log, and what no event there has named yet. */
interface Writer {
  count: number;
  /** Leaf hashes committed. */
  readonly confirmed: string[];
  /** Counts given up. */
  readonly abandoned: number[];
}

interface CommittedEvent {
  readonly tenant: TenantId;
  readonly id: string;
  readonly leafHash: string;
}

/** One event on its way into the log. */
export class AuditDraft {
  readonly id: string = randomId('ev');
  /** The row whose presence proves that the event's transaction was committed. */
  readonly proof: Ref<typeof auditEvents.columns>;
  readonly #tenant: TenantId;
  readonly #mark: AuditWriterMark;
  readonly #clock: Clock;
  readonly #settle: (event: CommittedEvent | null) => void;
  #hash: Buffer | null = null;

  constructor(
    tenant: TenantId,
    mark: AuditWriterMark,
    clock: Clock,
    settle: (event: CommittedEvent | null) => void,
  ) {
    this.#tenant = tenant;
    this.#mark = mark;
    this.#clock = clock;
    this.#settle = settle;
    this.proof = ref(auditEvents, this.id);
  }

  /**
   * Puts the event and its pending twin into `tx`. A transaction that runs again writes it again.
   *
   * @throws AuditError `AUDIT_EVENT` when the event is over 64 KiB.
   */
  write(tx: Transaction, entry: AuditEntry): void {
    const recorded = new Date(this.#clock()).toISOString();
    const leaf = leafOf({ ...entry, id: this.id, tenant: this.#tenant, recorded, writer: this.#mark });
    if (leaf.length > MAX_LEAF) {
      throw new AuditError('AUDIT_EVENT', 'The audit event is over 64 KiB. Name fewer fields in one call.');
    }
    this.#hash = leafHash(leaf);
    tx.create(this.proof, { leaf });
    tx.create(ref(auditPending, this.id), { leafHash: this.#hash });
  }

  /** Call once the transaction is committed: writes the journal line. */
  confirm(): void {
    if (this.#hash === null)
      throw new AuditError('AUDIT_EVENT', 'The audit event was confirmed before it was written.');
    this.#settle({ tenant: this.#tenant, id: this.id, leafHash: this.#hash.toString('base64url') });
  }

  /** Call when the transaction is not committed: the next event names the count as given up. */
  abandon(): void {
    this.#settle(null);
  }
}
