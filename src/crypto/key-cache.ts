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

  /** The key `id`, from the cache or by `load`. What `load` throws reaches every caller that waited for it. */
  get(id: string, load: () => Promise<KeyObject>): Promise<KeyObject> {
    const cached = this.#usable(id);
    if (cached !== null) return cached;
    const entry: Entry = { secret: load(), bornAt: this.#clock(), uses: 1 };
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    entry.secret.then(
      () => this.#bounds.maxAgeMs === 0 && this.#drop(id, entry),
      () => this.#drop(id, entry),
    );
    this.#evict();
    return entry.secret;
  }

  /** Forgets every key whose id starts with `prefix`: a tenant that was disabled, a patient who was erased. */
  flush(prefix: string): void {
    for (const id of this.#entries.keys()) if (id.startsWith(prefix)) this.#entries.delete(id);
  }

  get size(): number {
    return this.#entries.size;
  }

  #usable(id: string): Promise<KeyObject> | null {
    const entry = this.#entries.get(id);
    if (entry === undefined) return null;
    const age = this.#clock() - entry.bornAt;
    const expired = age < 0 || (this.#bounds.maxAgeMs > 0 && age >= this.#bounds.maxAgeMs);
    if (expired || entry.uses >= this.#bounds.maxUses) {
      this.#entries.delete(id);
      return null;
    }
    entry.uses += 1;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    return entry.secret;
  }

  #drop(id: string, entry: Entry): void {
    if (this.#entries.get(id) === entry) this.#entries.delete(id);
  }

  #evict(): void {
    for (const id of this.#entries.keys()) {
      if (this.#entries.size <= this.#bounds.maxEntries) return;
      this.#entries.delete(id);
    }
  }
}
