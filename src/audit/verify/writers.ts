import type { Findings } from './report.ts';
import type { SeenEvent } from './walk.ts';

/** A draft is settled within half a minute; a commit can be held for minutes. After this it is not under way. */
const GRACE_MS = 600_000;
/** A jump of more counts than this is not a process at work. */
const MAX_JUMP = 10_000;
/**
 * Hashes found and named are remembered for this many events, or up to twice as many: when the reply to a commit is lost, the writer gives the
 * event up and names its hashes once more.
 */
const REMEMBERED = 25_000;
/** How far back a writer's events can lie in another order than its counts. */
const DISORDER = 200;

interface Writer {
  /** Every count below is settled: seen or given up. */
  next: number;
  /** Settled counts from `next` on. */
  readonly ahead: Set<number>;
  /** Given up, and not seen. */
  readonly givenUp: Set<number>;
  /** Count → when an event first passed it by, ms since the epoch. */
  readonly gaps: Map<number, number>;
  /** The lowest count seen. */
  first: number;
  last: number;
  /** Hashes in the log that no mark has named. */
  readonly unnamed: Set<string>;
  /** Hashes named that are not in the log yet → by which event. */
  readonly named: Map<string, string>;
}

/**
 * Follows each writer's marks through the log. A hash that a writer confirmed and that is nowhere is a lost event. A
 * count that is neither there nor given up is a lost event once the writer has gone on for ten minutes; when the
 * writer ended instead, it may be a draft that died with it, and only the journal can tell.
 *
 * Memory grows with the number of writers, not of events.
 */
export class WriterMarks {
  readonly #writers = new Map<string, Writer>();
  readonly #findings: Findings;
  #matched = new Set<string>();
  #matchedBefore = new Set<string>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** `isCut`: the log's beginning is gone, so a writer's first events may be. */
  see({ event, hash, at }: SeenEvent, isCut: boolean): void {
    const { boot, count, confirmed, abandoned } = event.writer;
    const writer = this.#writers.get(boot) ?? newWriter(isCut ? Math.max(1, count - DISORDER) : 1);
    this.#writers.set(boot, writer);
    if (isSettled(writer, count) && !writer.givenUp.delete(count))
      this.#findings.add('COUNT_REPEATED', `${boot}/${count}`);
    writer.first = Math.min(writer.first, count);
    if (at < writer.last) noteEarlier(writer, count, at);
    writer.last = Math.max(writer.last, at);
    for (const given of abandoned) {
      if (isSettled(writer, given)) continue;
      writer.givenUp.add(given);
      this.#settle(writer, boot, given, at);
    }
    this.#settle(writer, boot, count, at);
    if (writer.named.delete(hash)) this.#match(hash);
    else writer.unnamed.add(hash);
    for (const named of confirmed) {
      if (writer.unnamed.delete(named)) this.#match(named);
      else if (!this.#matched.has(named) && !this.#matchedBefore.has(named))
        writer.named.set(named, event.id);
    }
  }

  #match(hash: string): void {
    this.#matched.add(hash);
    if (this.#matched.size < REMEMBERED) return;
    this.#matchedBefore = this.#matched;
    this.#matched = new Set();
  }

  /**
   * @param wasCut says of a hash whether it is of a leaf that was cut off.
   * @returns how many counts may have died with their writer, and how many are under way.
   */
  finish(now: number, wasCut: ((hash: string) => boolean) | null): { unsettled: number; open: number } {
    let [unsettled, open] = [0, 0];
    for (const [boot, writer] of this.#writers) {
      for (const [hash, by] of writer.named)
        if (wasCut?.(hash) !== true) this.#findings.add('EVENT_LOST', `${hash}, named by ${by}`);
      for (const [count, shownAt] of writer.gaps) {
        if (wasCut !== null && count < writer.first) continue;
        if (writer.last - shownAt > GRACE_MS) this.#findings.add('COUNT_MISSING', `${boot}/${count}`);
        else if (now - writer.last > GRACE_MS) unsettled += 1;
        else open += 1;
      }
    }
    return { unsettled, open };
  }

  #settle(writer: Writer, boot: string, count: number, at: number): void {
    if (isSettled(writer, count)) return;
    if (count - writer.next > MAX_JUMP) {
      this.#findings.add('COUNT_MISSING', `${boot}/${writer.next}`);
      writer.next = count;
    }
    writer.ahead.add(count);
    writer.gaps.delete(count);
    for (let gap = writer.next; gap < count; gap += 1)
      if (!writer.ahead.has(gap) && !writer.gaps.has(gap)) writer.gaps.set(gap, at);
    while (writer.ahead.delete(writer.next)) writer.next += 1;
  }
}

/** Leaves of one batch lie in the order of their random ids, so a gap may be shown by a later event first. */
function noteEarlier(writer: Writer, count: number, at: number): void {
  for (const [gap, shownAt] of writer.gaps) if (gap < count && at < shownAt) writer.gaps.set(gap, at);
}

const isSettled = (writer: Writer, count: number): boolean => count < writer.next || writer.ahead.has(count);

const newWriter = (next: number): Writer => ({
  next,
  ahead: new Set(),
  givenUp: new Set(),
  gaps: new Map(),
  first: Number.MAX_SAFE_INTEGER,
  last: 0,
  unnamed: new Set(),
  named: new Map(),
});
