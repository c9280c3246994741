import { setTimeout as sleep } from 'node:timers/promises';
import { KmsError, type KmsErrorName } from './errors.ts';

/** The faults that can be asked for. All absent means none. */
export interface FaultSettings {
  /** Added to each call, milliseconds, at most 60,000. */
  readonly latencyMs?: number;
  /** The share of calls answered with `ThrottlingException`, 0 to 1, evenly spread and not random. */
  readonly throttleRate?: number;
  /** Every connection is reset. */
  readonly outage?: boolean;
  /** Operation name → the AWS error that it answers with. */
  readonly errors?: Readonly<Record<string, KmsErrorName>>;
}

/** Injected faults, set and cleared while the emulator runs. */
export class Faults {
  #settings: FaultSettings = {};
  #calls = 0;

  get settings(): FaultSettings {
    return this.#settings;
  }

  /** Replaces all faults. */
  set(settings: FaultSettings): void {
    this.#settings = settings;
    this.#calls = 0;
  }

  async delay(): Promise<void> {
    const { latencyMs = 0 } = this.#settings;
    if (latencyMs > 0) await sleep(latencyMs);
  }

  /** @throws KmsError the fault that is due for this operation. */
  disturb(operation: string): void {
    const { throttleRate = 0, errors = {} } = this.#settings;
    const name = Object.hasOwn(errors, operation) ? errors[operation] : undefined;
    if (name !== undefined) throw new KmsError(name, `Injected fault on ${operation}.`);
    this.#calls += 1;
    const due = Math.floor(this.#calls * throttleRate) > Math.floor((this.#calls - 1) * throttleRate);
    if (due) throw new KmsError('ThrottlingException', 'Rate exceeded');
  }
}

/** The settings in a request's JSON, or null when they are not in the documented shape. */
export function parseFaults(value: Readonly<Record<string, unknown>>): FaultSettings | null {
  const { latencyMs = 0, throttleRate = 0, outage = false, errors = {}, ...unknown } = value;
  if (Object.keys(unknown).length > 0 || typeof outage !== 'boolean') return null;
  if (!isBetween(latencyMs, 60_000) || !isBetween(throttleRate, 1)) return null;
  if (typeof errors !== 'object' || errors === null || !Object.values(errors).every(isErrorName)) return null;
  return { latencyMs, throttleRate, outage, errors: errors as Readonly<Record<string, KmsErrorName>> };
}

const isBetween = (value: unknown, max: number): value is number =>
  typeof value === 'number' && value >= 0 && value <= max;

const isErrorName = (value: unknown): boolean =>
  typeof value === 'string' && /^[A-Za-z]{3,60}Exception$/.test(value);
