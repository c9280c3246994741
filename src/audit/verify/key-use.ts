import type { AuditEvent } from '../event.ts';
import type { Findings } from './report.ts';
import type { KeyUse } from './source.ts';

/** An event is recorded within this of the KMS call it needed; a warm key needs none, so events may be more. */
const WINDOW_MS = 600_000;
/** What was called just now may not be recorded yet. */
const IN_FLIGHT_MS = 120_000;
const USES = new Set(['Decrypt', 'GenerateDataKey']);

/** CloudTrail's record of who had KMS open a patient's key, held against the events that name the patient. */
export class KeyUses {
  readonly #open = new Map<string, number[]>();
  #count = 0;

  /** Keeps the uses of this tenant's patient keys that succeeded. */
  static async read(
    records: AsyncIterable<KeyUse> | Iterable<KeyUse>,
    of: { tenant: string; now: number },
  ): Promise<KeyUses> {
    const uses = new KeyUses();
    for await (const record of records) {
      const context = record.requestParameters?.encryptionContext;
      const alias = context?.['patient'];
      const at = Date.parse(record.eventTime);
      if (!USES.has(record.eventName) || record.errorCode !== undefined) continue;
      if (context?.['tenant'] !== of.tenant || typeof alias !== 'string' || of.now - at < IN_FLIGHT_MS)
        continue;
      const times = uses.#open.get(alias) ?? [];
      uses.#open.set(alias, times);
      times.push(at);
      uses.#count += 1;
    }
    return uses;
  }

  get count(): number {
    return this.#count;
  }

  see({ patient, recorded }: AuditEvent): void {
    const times = patient === undefined ? undefined : this.#open.get(patient);
    if (patient === undefined || times === undefined) return;
    const at = Date.parse(recorded);
    const left = times.filter((time) => Math.abs(time - at) > WINDOW_MS);
    if (left.length === 0) this.#open.delete(patient);
    else this.#open.set(patient, left);
  }

  finish(findings: Findings): void {
    for (const [alias, times] of this.#open)
      for (const time of times) findings.add('KMS_WITHOUT_EVENT', `${alias} ${new Date(time).toISOString()}`);
  }
}
