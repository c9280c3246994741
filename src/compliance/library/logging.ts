import { type Check, cannotTell, count, judge } from '../check.ts';
import { EVENTS } from '../checks/audit.ts';
import { type Found, foundJson, Places } from '../scan/places.ts';
import type { Finding } from './finding.ts';
import { findingsOf } from './judge.ts';

/** One access to PHI as something other than the audit log saw it: a database's data access log, a use of a key in KMS. */
export interface PhiAccess {
  /** What may be reported. */
  readonly id: string;
  /** Ms since the epoch. */
  readonly at: number;
  /** Whose record: an opaque id, the same as in the events. */
  readonly subject: string;
  /** Who, where the other log knows it; then the event must name the same. */
  readonly actor?: string;
}

/** One event of the audit log. Ids are opaque: no name, no value. */
export interface PhiEvent {
  readonly id: string;
  /** Ms since the epoch. */
  readonly at: number;
  readonly subject: string;
  readonly actor: string;
  readonly role: string;
  readonly purpose: string;
  /** The rule by which it was decided. */
  readonly policy: string;
  readonly isRefused?: boolean;
  /** Set on a disclosure to somebody outside: who received it. */
  readonly recipient?: string;
}

/** What {@link checkPhiAccessLogging} compares. */
export interface PhiLogging {
  readonly accesses: AsyncIterable<PhiAccess> | Iterable<PhiAccess>;
  /** Held in memory: ids and times, some 100 bytes an event. */
  readonly events: AsyncIterable<PhiEvent> | Iterable<PhiEvent>;
  /** How far apart the clocks of both logs, and an access and its event, may be, in ms. One minute without it. */
  readonly windowMs?: number;
}

const WINDOW_MS = 60_000;

interface Compared {
  readonly accesses: number;
  readonly unlogged: Found;
}

const LOGGED: Check<{ readonly compared: Compared }> = {
  id: 'accesses-logged',
  title: 'Every access to PHI that another log saw has its audit event',
  method: 'TEST',
  remedy: '',
  run: ({ compared: { accesses, unlogged } }) =>
    accesses === 0
      ? cannotTell('No access was given: bring the data access log, or the uses of keys in KMS.')
      : judge(unlogged.count === 0, {
          yes: `${count(accesses, 'access', 'accesses')}, each with its event.`,
          no: `${count(unlogged.count, 'access', 'accesses')} without an event, the first ${unlogged.first[0] ?? ''}.`,
          evidence: { accesses, ...(foundJson(unlogged) as object) },
        }),
};

/**
 * Looks at an audit log: `accesses-logged` (each access that another log saw has an event of the same subject within the
 * window), `events-attributed` (each event names who, why and by which rule), `disclosures-named` (each disclosure names
 * who received it).
 */
export async function checkPhiAccessLogging(logging: PhiLogging): Promise<Finding[]> {
  const { log, times } = await readEvents(logging.events);
  const compared = await compare(logging, times);
  return [...findingsOf([LOGGED], { compared }), ...findingsOf(EVENTS, { log })];
}

/** Times of events by subject, and by subject and actor. */
type Times = ReadonlyMap<string, readonly number[]>;

async function readEvents(events: PhiLogging['events']) {
  const [unattributed, unnamedDisclosures] = [new Places(), new Places()];
  const times = new Map<string, number[]>();
  const tally = { events: 0, refusals: 0, disclosures: 0 };
  for await (const event of events) {
    tally.events += 1;
    if (event.isRefused === true) tally.refusals += 1;
    if ([event.actor, event.role, event.purpose, event.policy].some((part) => part.trim() === ''))
      unattributed.add(event.id);
    if (event.recipient !== undefined) tally.disclosures += 1;
    if (event.recipient?.trim() === '') unnamedDisclosures.add(event.id);
    // A refusal released nothing, so it accounts for no access.
    if (event.isRefused !== true)
      for (const key of [keyOf(event.subject), keyOf(event.subject, event.actor)]) {
        const known = times.get(key);
        if (known === undefined) times.set(key, [event.at]);
        else known.push(event.at);
      }
  }
  for (const known of times.values()) known.sort((a, b) => a - b);
  const log = { ...tally, unattributed: unattributed.found, unnamedDisclosures: unnamedDisclosures.found };
  return { log, times };
}

async function compare({ accesses, windowMs = WINDOW_MS }: PhiLogging, times: Times): Promise<Compared> {
  const unlogged = new Places();
  let seen = 0;
  for await (const { id, at, subject, actor } of accesses) {
    seen += 1;
    if (!hasWithin(times.get(keyOf(subject, actor)) ?? [], at, windowMs)) unlogged.add(id);
  }
  return { accesses: seen, unlogged: unlogged.found };
}

const keyOf = (subject: string, actor?: string): string => JSON.stringify([subject, actor]);

/** Whether the sorted times have one at most `window` from `at`. */
function hasWithin(sorted: readonly number[], at: number, window: number): boolean {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < at - window) low = middle + 1;
    else high = middle;
  }
  const next = sorted[low];
  return next !== undefined && next <= at + window;
}
