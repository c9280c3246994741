import type { Checkpoint } from '../checkpoint.ts';
import type { AuditEvent } from '../event.ts';
import type { Findings } from './report.ts';

/** How an event tells of a cut: its operation, and its entity's id `leaves-0-TO`. */
export const CUT_OPERATION = 'auditRetention';
/** The floor: 45 CFR 164.316(b)(2) asks for six years. A leap day less, so that six calendar years always pass. */
export const FLOOR_MS = 6 * 365 * 86_400_000;

/** The logged cuts of the log's beginning. A cut takes events away and keeps their leaf hashes, so proofs hold. */
export class Cuts {
  #upTo = 0;
  #at = 0;
  readonly #young: string[] = [];

  get upTo(): number {
    return this.#upTo;
  }

  see({ operation, outcome, entity, recorded, id }: AuditEvent): void {
    if (operation !== CUT_OPERATION || outcome !== '0') return;
    const to = /^leaves-0-(\d{1,15})$/.exec(entity?.id ?? '')?.[1];
    if (to === undefined) return;
    const newest = Date.parse(entity?.fields?.[0]?.replace('newest ', '') ?? '');
    if (!(Date.parse(recorded) - newest >= FLOOR_MS)) this.#young.push(id);
    this.#upTo = Math.max(this.#upTo, Number(to));
    this.#at = Math.max(this.#at, Date.parse(recorded));
  }

  /**
   * Leaves that are gone are accounted for by a cut, or they are findings. What an earlier checkpoint did not have yet
   * is younger than that checkpoint, whatever the cut says of its age.
   */
  judge(
    missing: readonly { from: number; to: number }[],
    earlier: readonly Checkpoint[],
    findings: Findings,
  ): void {
    for (const event of this.#young) findings.add('CUT_TOO_YOUNG', event);
    for (const { size, time } of earlier)
      if (size < this.#upTo && time !== null && this.#at - time < FLOOR_MS)
        findings.add('CUT_TOO_YOUNG', size);
    for (const { from, to } of missing) {
      const at = Math.max(from, this.#upTo);
      if (at < to) findings.add(from === 0 ? 'CUT_UNLOGGED' : 'LEAF_MISSING', at);
    }
  }
}
