import type { KeyObject } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';

/** The bounds of a {@link KeyCache}. An entry is dropped at whichever it meets first. */
export interface KeyCacheBounds {
  /** 0 to 300,000 ms; 0 keeps nothing, so that every access is a KMS call of its own (`per-access`). */
  readonly maxAgeMs: number;
  readonly maxUses: number;
  readonly maxEntries: number;
}

/** Five minutes, 10,000 uses, 10,000 keys. */
export const DEFAULT_KEY_CACHE: KeyCacheBounds = { maxAgeMs: 300_000, maxUses: 10_000, maxEntries: 10_000 };

interface Entry {
  readonly secret: Promise<KeyObject>;
  /** The key once it is loaded. */
  ready: KeyObject | null;
  /** When the load began: a key is never kept longer than its bound after it was asked for. */
  readonly bornAt: number;
  uses: number;
}

/**
 * Unwrapped keys, held as KeyObjects for a short, bounded time. Calls for one key at the same time share one
 * load. A key never outlives its bound: when a load fails at the age limit, the old key is gone all the same.
 */
export class KeyCache {
  readonly #entries = new Map<string, Entry>();
  readonly #bounds: KeyCacheBounds;
  readonly #clock: Clock;

  constructor(bounds: KeyCacheBounds, clock: Clock) {
    if (!(bounds.maxAgeMs >= 0 && bounds.maxAgeMs <= DEFAULT_KEY_CACHE.maxAgeMs)) {
      throw new RangeError(
        'maxAgeMs must be 0 to 300000: a disabled key must stop working within five minutes.',
      );
    }
    this.#bounds = bounds;
    this.#clock = clock;
  }

  /**
   * The key `id`, from the cache or by `load`. What `load` throws reaches every caller that waited for it, and is
   * not kept. In `per-access` mode every call is a `load` of its own.
   */
  get(id: string, load: () => Promise<KeyObject>): Promise<KeyObject> {
    if (this.#bounds.maxAgeMs === 0) return load();
    const cached = this.#usable(id);
    if (cached !== null) return cached.secret;
    const entry: Entry = { secret: load(), ready: null, bornAt: this.#clock(), uses: 1 };
    this.#entries.set(id, entry);
    entry.secret.then(
      (secret) => {
        entry.ready = secret;
      },
      () => this.#entries.get(id) === entry && this.#entries.delete(id),
    );
    this.#evict();
    return entry.secret;
  }

  /** The key `id` when it is loaded and may still be used; counts as a use. */
  peek(id: string): KeyObject | null {
    return this.#entries.get(id)?.ready == null ? null : (this.#usable(id)?.ready ?? null);
  }

  /**
   * Forgets every key whose id starts with `prefix`: a tenant that was disabled, a patient who was erased. A load
   * that is on its way still answers those who wait for it, and is not kept.
   */
  flush(prefix: string): void {
    for (const id of this.#entries.keys()) if (id.startsWith(prefix)) this.#entries.delete(id);
  }

  get size(): number {
    return this.#entries.size;
  }

  #usable(id: string): Entry | null {
    const entry = this.#entries.get(id);
    if (entry === undefined) return null;
    this.#entries.delete(id);
    const age = this.#clock() - entry.bornAt;
    // A negative age means that the clock was set back: how old the key is, nobody knows.
    if (age < 0 || age >= this.#bounds.maxAgeMs || entry.uses >= this.#bounds.maxUses) return null;
    entry.uses += 1;
    this.#entries.set(id, entry);
    return entry;
  }

  #evict(): void {
    for (const id of this.#entries.keys()) {
      if (this.#entries.size <= this.#bounds.maxEntries) return;
      this.#entries.delete(id);
    }
  }
}
