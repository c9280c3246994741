import { equalBytes, toBase64url } from '../bytes.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { TreeHasher } from '../merkle.ts';
import { type Sha256, sha256 } from '../sha256.ts';
import { type NoteKey, verifySignatures } from '../signed-note.ts';
import { type OpenedNote, openNote, type TrustedKey } from '../trusted-keys.ts';
import { Cuts } from './cuts.ts';
import { KeyUses } from './key-use.ts';
import { Findings, type Report, type Verdict } from './report.ts';
import type { JournalLine, KeyUse, LogSource, PendingEvent, StoredValue } from './source.ts';
import { StoredValues } from './stored-values.ts';
import { readEvent, type SeenEvent, type Walk, walkTree } from './walk.ts';
import { WriterMarks } from './writers.ts';

/** What a log is verified against. Only `keys` and `earlier` of an auditor's own make it independent of the server. */
export interface VerifyOptions {
  readonly tenant: string;
  readonly origin: string;
  /** The last signed checkpoint; null when there is none. */
  readonly checkpoint: Uint8Array | null;
  readonly keys: readonly TrustedKey[];
  /** True when the auditor brought the keys, rather than taking those that are stated outside. */
  readonly pinned?: boolean;
  /** Checkpoints seen before, an auditor's own or those published before this one. */
  readonly earlier?: readonly Uint8Array[];
  readonly witnesses?: { readonly keys: readonly NoteKey[]; readonly atLeast: number };
  readonly journal?: AsyncIterable<JournalLine> | Iterable<JournalLine>;
  readonly keyUse?: AsyncIterable<KeyUse> | Iterable<KeyUse>;
  readonly stored?: AsyncIterable<StoredValue> | Iterable<StoredValue>;
  /** Now, ms since the epoch. */
  readonly now: number;
  /** A checkpoint older than this is stale; 5 minutes unless given. */
  readonly maxAgeMs?: number;
  /** A faster SHA-256 than the portable one. */
  readonly sha256?: Sha256;
  readonly onProgress?: (done: number, of: number) => void;
  /** Shown each event that is what its leaf hash says, in order; `index` is null for what is pending. */
  readonly onEvent?: (seen: SeenEvent, index: number | null) => void;
  readonly signal?: AbortSignal;
}

/** A checkpoint that is older is stale, ms. */
export const MAX_AGE_MS = 300_000;
const MAX_PENDING_AGE_MS = 600_000;
/** Clocks of two writers may each be wrong by an hour, and a commit be held for minutes. */
const CLOCK_MS = 3 * 3_600_000;

/**
 * Verifies a tenant's log: reads it once, from the first leaf to the last, believing nothing that it reads. Runs in
 * Node and in browsers. Memory does not grow with the number of events; with a journal or a store comparison it grows
 * with those.
 */
export async function verifyLog(source: LogSource, options: VerifyOptions): Promise<Report> {
  const opened = await openCheckpoint(options);
  const earlier = await openEarlier(options);
  const evidence = await Evidence.gather(source, options);
  const size = await source.size();
  const covered = opened?.refused === null ? opened.checkpoint.size : 0;
  const inclusion = new Findings();
  const walk = await walkTree(source, {
    hasher: evidence.hasher,
    tenant: options.tenant,
    size: Math.max(size, covered),
    sizes: [covered, ...earlier.flatMap((note) => (note.refused === null ? [note.checkpoint.size] : []))],
    see: (seen, index) => evidence.seeSequenced(seen, index),
    findings: inclusion,
    onProgress: options.onProgress,
    signal: options.signal,
  });
  evidence.seePending();
  return {
    tenant: options.tenant,
    origin: options.origin,
    covered,
    sequenced: Math.max(0, size - covered),
    pending: evidence.pendingCount,
    signedAt: signedAt(opened),
    verdicts: [
      inclusionVerdict({ findings: inclusion, walk, opened, earlier, cuts: evidence.cuts }),
      consistencyVerdict({ walk, opened, earlier, size, covered }),
      await signatureVerdict(opened, options),
      evidence.completeness(walk),
      freshnessVerdict(opened, evidence.oldestPending, options),
      evidence.storeVerdict(),
      evidence.keyUseVerdict(),
    ],
  };
}

async function openCheckpoint({ checkpoint, origin, keys }: VerifyOptions): Promise<OpenedNote | null> {
  return checkpoint === null ? null : openNote(checkpoint, { origin, keys });
}

function openEarlier({ earlier = [], origin, keys }: VerifyOptions): Promise<OpenedNote[]> {
  return Promise.all(earlier.map((bytes) => openNote(bytes, { origin, keys })));
}

/** Everything that looks at events one by one. */
class Evidence {
  readonly hasher: TreeHasher;
  readonly cuts = new Cuts();
  oldestPending = Number.POSITIVE_INFINITY;
  pendingCount = 0;
  readonly #findings = new Findings();
  readonly #marks = new WriterMarks(this.#findings);
  readonly #pending = new Map<string, PendingEvent>();
  readonly #journal: Map<string, string> | null;
  readonly #stored: StoredValues | null;
  readonly #keyUses: KeyUses | null;
  readonly #options: VerifyOptions;
  #latest = 0;
  #journalled = 0;
  #isCut: boolean | undefined;

  private constructor(
    options: VerifyOptions,
    read: { journal: Map<string, string> | null; stored: StoredValues | null; keyUses: KeyUses | null },
  ) {
    this.#options = options;
    this.hasher = new TreeHasher(options.sha256 ?? sha256);
    this.#journal = read.journal;
    this.#journalled = read.journal?.size ?? 0;
    this.#stored = read.stored;
    this.#keyUses = read.keyUses;
  }

  /** Journal, store and pending events are read before the tree, so that what they tell of is in it or pending. */
  static async gather(source: LogSource, options: VerifyOptions): Promise<Evidence> {
    const { tenant, now, journal, keyUse, stored } = options;
    const evidence = new Evidence(options, {
      journal: journal === undefined ? null : await readJournal(journal),
      keyUses: keyUse === undefined ? null : await KeyUses.read(keyUse, { tenant, now }),
      stored: stored === undefined ? null : await StoredValues.read(stored, now),
    });
    for await (const event of source.pending()) evidence.#pending.set(toBase64url(event.leafHash), event);
    return evidence;
  }

  seeSequenced(seen: SeenEvent, index: number): void {
    const { event, hash, at } = seen;
    // Only a beginning that is gone comes before the first event.
    this.#isCut ??= index > 0;
    this.#pending.delete(hash);
    this.cuts.see(event);
    if (at > this.#options.now + CLOCK_MS) this.#findings.add('FROM_THE_FUTURE', event.id);
    else if (at < this.#latest - CLOCK_MS) this.#findings.add('BACKDATED', event.id);
    else this.#latest = Math.max(this.#latest, at);
    this.#see(seen, index);
  }

  seePending(): void {
    this.pendingCount = this.#pending.size;
    for (const [hash, { id, leaf, leafHash }] of this.#pending) {
      if (leaf === null) {
        this.#findings.add('TWIN_WITHOUT_EVENT', id);
        continue;
      }
      const event = readEvent(leaf);
      if (event === null || event.tenant !== this.#options.tenant || event.id !== id) {
        this.#findings.add('PENDING_CHANGED', id);
      } else if (!equalBytes(this.hasher.leaf(leaf), leafHash)) {
        this.#findings.add('PENDING_CHANGED', id);
      } else {
        const at = Date.parse(event.recorded);
        this.oldestPending = Math.min(this.oldestPending, at);
        this.#see({ event, hash, at }, null);
      }
    }
  }

  completeness(walk: Walk): Verdict {
    const isCut = walk.missing[0]?.from === 0;
    const { unsettled, open } = this.#marks.finish(
      this.#options.now,
      isCut ? (hash) => walk.cutHashes.has(hash) : null,
    );
    for (const [hash, id] of this.#journal ?? [])
      if (!walk.cutHashes.has(hash)) this.#findings.add('EVENT_LOST', `${id}, named by the journal`);
    const waiting = `${this.pendingCount} pending, ${open} under way`;
    if (this.#journal !== null)
      return this.#findings.verdict(
        'completeness',
        `all ${this.#journalled} journal lines found, ${waiting}`,
      );
    if (unsettled > 0)
      return this.#findings.verdict(
        'completeness',
        `${unsettled} counts ended with their writer: only the journal can tell (--journal), ${waiting}`,
        'unknown',
      );
    return this.#findings.verdict('completeness', `no writer misses an event, ${waiting}`);
  }

  storeVerdict(): Verdict {
    const findings = new Findings();
    if (this.#stored === null) return findings.verdict('store', 'not compared', 'skipped');
    this.#stored.finish(findings);
    return findings.verdict('store', `${this.#stored.charts} charts are as they were last logged`);
  }

  keyUseVerdict(): Verdict {
    const findings = new Findings();
    if (this.#keyUses === null) return findings.verdict('keyUse', 'not compared', 'skipped');
    this.#keyUses.finish(findings);
    return findings.verdict('keyUse', `${this.#keyUses.count} uses of patient keys, each with an event`);
  }

  #see(seen: SeenEvent, index: number | null): void {
    const { event, hash } = seen;
    this.#options.onEvent?.(seen, index);
    this.#marks.see(seen, this.#isCut === true);
    this.#journal?.delete(hash);
    this.#stored?.see(event);
    this.#keyUses?.see(event);
  }
}

async function readJournal(
  lines: AsyncIterable<JournalLine> | Iterable<JournalLine>,
): Promise<Map<string, string>> {
  const journal = new Map<string, string>();
  for await (const { id, leafHash } of lines) journal.set(leafHash, id);
  return journal;
}

interface Seen {
  readonly walk: Walk;
  readonly opened: OpenedNote | null;
}

function inclusionVerdict(
  seen: Seen & { findings: Findings; cuts: Cuts; earlier: readonly OpenedNote[] },
): Verdict {
  const { findings, walk, opened, earlier, cuts } = seen;
  const believed = earlier.flatMap((note) => (note.refused === null ? [note.checkpoint] : []));
  cuts.judge(walk.missing, believed, findings);
  if (opened?.refused !== null)
    return findings.verdict('inclusion', 'no signed checkpoint to hold the events against', 'unknown');
  const { size, root } = opened.checkpoint;
  const own = walk.roots.get(size);
  if (own === undefined || !equalBytes(own, root)) findings.add('ROOT_MISMATCH', size);
  const cut = cuts.upTo === 0 ? '' : `, ${cuts.upTo} cut by retention`;
  return findings.verdict('inclusion', `${size} events lead to the signed root${cut}`);
}

function consistencyVerdict(
  seen: Seen & { earlier: readonly OpenedNote[]; size: number; covered: number },
): Verdict {
  const { walk, earlier, size, covered } = seen;
  const findings = new Findings();
  if (size < covered) findings.add('LOG_SHRUNK', `${size} of ${covered}`);
  for (const note of earlier) {
    if (note.refused !== null) findings.add('EARLIER_REFUSED', note.refused);
    else if (note.checkpoint.size > Math.max(size, covered))
      findings.add('LOG_SHRUNK', `${size} of ${note.checkpoint.size}`);
    else if (!isPrefix(walk, note.checkpoint)) findings.add('FORKED', note.checkpoint.size);
  }
  if (earlier.length === 0)
    return findings.verdict('consistency', 'no earlier checkpoint to compare with (--checkpoint)', 'skipped');
  return findings.verdict(
    'consistency',
    `continues ${earlier.length} earlier checkpoint${earlier.length === 1 ? '' : 's'}`,
  );
}

function isPrefix({ roots }: Walk, { size, root }: Checkpoint): boolean {
  const own = roots.get(size);
  return own !== undefined && equalBytes(own, root);
}

async function signatureVerdict(opened: OpenedNote | null, options: VerifyOptions): Promise<Verdict> {
  const findings = new Findings();
  if (opened === null) return findings.verdict('signature', 'nothing was signed yet', 'unknown');
  if (opened.refused !== null) {
    findings.add(opened.refused, options.origin);
    return findings.verdict('signature', '');
  }
  const { witnesses = { keys: [], atLeast: 0 } } = options;
  const seenBy = await verifySignatures(opened.note, witnesses.keys);
  if (seenBy.length < witnesses.atLeast)
    findings.add('TOO_FEW_WITNESSES', `${seenBy.length} of ${witnesses.atLeast}`);
  const pinned = options.pinned === true ? 'pinned' : 'stated outside, not pinned';
  const cosigned = seenBy.length === 0 ? '' : `, ${seenBy.length} witnesses`;
  return findings.verdict('signature', `signed by ${opened.signers.length} key (${pinned})${cosigned}`);
}

function freshnessVerdict(opened: OpenedNote | null, oldestPending: number, options: VerifyOptions): Verdict {
  const { now, maxAgeMs = MAX_AGE_MS } = options;
  const findings = new Findings();
  if (now - oldestPending > MAX_PENDING_AGE_MS)
    findings.add('PENDING_OLD', new Date(oldestPending).toISOString());
  if (opened?.refused !== null)
    return findings.verdict('freshness', 'no checkpoint to tell the age of', 'unknown');
  const { time } = opened.checkpoint;
  if (time === null) findings.add('NO_TIME', options.origin);
  else if (now - time > maxAgeMs) findings.add('STALE', new Date(time).toISOString());
  const age = time === null ? 0 : Math.max(0, Math.round((now - time) / 1_000));
  return findings.verdict('freshness', `signed ${age} s ago`);
}

const signedAt = (opened: OpenedNote | null): string | null =>
  opened?.refused === null && opened.checkpoint.time !== null
    ? new Date(opened.checkpoint.time).toISOString()
    : null;
