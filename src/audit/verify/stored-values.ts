import type { AuditEvent } from '../event.ts';
import type { Findings } from './report.ts';
import type { StoredValue } from './source.ts';

/** What was written while the store was being read is not compared. */
const IN_MOTION_MS = 60_000;

interface Held {
  /** As the store has it; null when it has no such value. */
  readonly stored: string | null;
  /** The last logged. */
  logged: string | null;
  revision: number;
  at: number;
  /** The stored digest was logged once. */
  wasLogged: boolean;
}

/**
 * The store's charts held against what the log says was written last. A value that was logged once and is stored
 * again is a rollback; one that was never logged is an unlogged change. Memory grows with the values, not the events.
 */
export class StoredValues {
  readonly #charts = new Map<string, Map<string, Held>>();
  /** Whose last event is an erasure: nothing of theirs is missed. */
  readonly #erased = new Set<string>();
  readonly #since: number;

  private constructor(since: number) {
    this.#since = since;
  }

  static async read(values: AsyncIterable<StoredValue> | Iterable<StoredValue>, now: number) {
    const held = new StoredValues(now - IN_MOTION_MS);
    for await (const { alias, value, digest } of values)
      held.#chartOf(alias).set(value, {
        stored: digest,
        logged: null,
        revision: -1,
        at: 0,
        wasLogged: false,
      });
    return held;
  }

  get charts(): number {
    return this.#charts.size;
  }

  see({ patient, written, recorded, action, entity, outcome }: AuditEvent): void {
    if (patient === undefined) return;
    if (action === 'D' && entity?.resource === 'Patient' && outcome === '0') this.#erased.add(patient);
    for (const [value, digest] of Object.entries(written?.digests ?? {})) {
      const chart = this.#chartOf(patient);
      const held = chart.get(value) ?? { stored: null, logged: null, revision: -1, at: 0, wasLogged: false };
      chart.set(value, held);
      held.wasLogged ||= digest === held.stored;
      if ((written?.revision ?? 0) < held.revision) continue;
      held.logged = digest;
      held.revision = written?.revision ?? 0;
      held.at = Date.parse(recorded);
    }
  }

  finish(findings: Findings): void {
    for (const [alias, chart] of this.#charts) {
      const isGone = this.#erased.has(alias) && [...chart.values()].every(({ stored }) => stored === null);
      if (isGone) continue;
      for (const [value, held] of chart) {
        const expected = held.logged === 'removed' ? null : held.logged;
        if (held.stored === expected || held.at >= this.#since) continue;
        const code =
          held.stored === null ? 'VALUE_MISSING' : held.wasLogged ? 'ROLLED_BACK' : 'UNLOGGED_CHANGE';
        findings.add(code, `${alias} ${value}`);
      }
    }
  }

  #chartOf(alias: string): Map<string, Held> {
    const chart = this.#charts.get(alias) ?? new Map<string, Held>();
    this.#charts.set(alias, chart);
    return chart;
  }
}
