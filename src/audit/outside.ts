import type { TenantId } from '../kernel/ids.ts';

/**
 * Storage that another administrator keeps, under a rule that nothing in it is replaced or deleted: a bucket with a
 * retention lock, a folder for development. It is the authority on what was signed last.
 *
 * Adapters throw AuditError `OUTSIDE_UNAVAILABLE` (retryable) when it does not answer.
 */
export interface CheckpointStore {
  /** Null when there is no such object. `name` is `[A-Za-z0-9_/-]+`. */
  get(name: string): Promise<Uint8Array | null>;
  /** False when there is one already; then nothing was written. */
  putIfAbsent(name: string, bytes: Uint8Array): Promise<boolean>;
}

/** What is kept outside for each tenant: signed checkpoints, statements about keys, and who was erased. */
export type OutsideKind = 'checkpoint' | 'key' | 'tombstone';

/** An object's name. The first is number 1. */
export const outsideName = (tenant: TenantId, kind: OutsideKind, number: number): string =>
  `${tenant}/${kind}/${String(number).padStart(12, '0')}`;

/**
 * Numbered objects without gaps. There is no pointer to the last, which would have to be replaced: it is found by
 * doubling steps, in about twice as many reads as its number has bits.
 */
export class Outside {
  readonly #store: CheckpointStore;
  /** Numbers known to exist, where a search begins. */
  readonly #known = new Map<string, number>();

  constructor(store: CheckpointStore) {
    this.#store = store;
  }

  read(tenant: TenantId, kind: OutsideKind, number: number): Promise<Uint8Array | null> {
    return this.#store.get(outsideName(tenant, kind, number));
  }

  /** The last object, or null before the first. */
  async latest(tenant: TenantId, kind: OutsideKind): Promise<{ number: number; bytes: Uint8Array } | null> {
    let known = this.#known.get(`${tenant}/${kind}`) ?? 0;
    let absent = known + 1;
    for (let step = 1; (await this.read(tenant, kind, absent)) !== null; step *= 2) {
      known = absent;
      absent = known + step * 2;
    }
    while (absent - known > 1) {
      const middle = Math.floor((known + absent) / 2);
      if ((await this.read(tenant, kind, middle)) === null) absent = middle;
      else known = middle;
    }
    if (known === 0) return null;
    this.#known.set(`${tenant}/${kind}`, known);
    const bytes = await this.read(tenant, kind, known);
    return bytes === null ? null : { number: known, bytes };
  }

  /** Puts object `number`; false when another was faster. */
  append(tenant: TenantId, kind: OutsideKind, number: number, bytes: Uint8Array): Promise<boolean> {
    return this.#store.putIfAbsent(outsideName(tenant, kind, number), bytes);
  }

  /** Every object in order. */
  async *all(tenant: TenantId, kind: OutsideKind): AsyncGenerator<Uint8Array> {
    for (let number = 1; ; number += 1) {
      const bytes = await this.read(tenant, kind, number);
      if (bytes === null) return;
      yield bytes;
    }
  }
}
