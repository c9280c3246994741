import { fromBase64, fromUtf8, toBase64 } from '../../audit/bytes.ts';
import { inclusionPath, TreeHasher, verifyInclusion } from '../../audit/merkle.ts';
import { makeReport } from '../../audit/reports/report.ts';
import { sha256 } from '../../audit/sha256.ts';
import { rangeRoot } from '../../audit/tiles.ts';
import { openNote, parseTrustedKeys, type TrustedKey } from '../../audit/trusted-keys.ts';
import type { JournalLine, KeyUse } from '../../audit/verify/source.ts';
import { verifyLog } from '../../audit/verify/verify-log.ts';
import { readEvent } from '../../audit/verify/walk.ts';
import { EventTable } from './event-table.ts';
import { type Evidence, HttpLog, LogUnavailable, openLog, storedValues } from './log-client.ts';
import type { Answers, FromWorker, OpenedEvent, OwnEvidence, RowState, ToWorker } from './protocol.ts';

/** Verifies the log and answers questions about its events, off the page's thread. Believes nothing of the server. */

const port = globalThis as unknown as {
  postMessage(message: FromWorker): void;
  onmessage: ((message: MessageEvent<ToWorker>) => void) | null;
};
const hasher = new TreeHasher(sha256);
const PROGRESS_MS = 60;

/** The log as it was last read. */
interface ReadLog {
  readonly log: HttpLog;
  readonly table: EventTable;
  readonly size: number;
  /** The signed tree; null when no checkpoint is believed. */
  readonly signed: { readonly size: number; readonly root: Uint8Array } | null;
  readonly now: number;
}

let current: ReadLog | null = null;

port.onmessage = ({ data }) => void take(data);

async function take(message: ToWorker): Promise<void> {
  try {
    if (message.kind === 'verify') return await verify(message.own);
    port.postMessage({ kind: 'answer', call: message.call, value: await answer(message) });
  } catch (error) {
    port.postMessage({ kind: 'failed', code: error instanceof LogUnavailable ? error.code : 'BROKEN_OFF' });
  }
}

async function verify(own: OwnEvidence): Promise<void> {
  const evidence = await openLog();
  const log = new HttpLog();
  const table = new EventTable();
  const keys = parseTrustedKeys(sha256, own.keys === null ? evidence.keys : await own.keys.text());
  const checkpoint = evidence.checkpoint === null ? null : fromBase64(evidence.checkpoint);
  const signed = await signedTree(checkpoint, evidence.origin, keys);
  const started = performance.now();
  const seen = new Set<number>();
  const report = await verifyLog(log, {
    tenant: evidence.tenant,
    origin: evidence.origin,
    checkpoint,
    keys,
    pinned: own.keys !== null,
    earlier: await earlierNotes(evidence, own),
    stored: storedValues(),
    ...(own.journal === null ? {} : { journal: journalOf(own.journal, evidence.tenant) }),
    ...(own.trail === null ? {} : { keyUse: trailOf(own.trail) }),
    now: evidence.now,
    onProgress: progress(),
    onEvent: (event, index) => {
      if (index !== null) seen.add(index);
      table.add(event, index, stateOf(index, signed?.size ?? 0));
    },
  });
  const size = report.covered + report.sequenced;
  for (let index = 0; index < size; index += 1) if (!seen.has(index)) addBroken({ table, log }, index);
  table.finish();
  current = { log, table, size, signed, now: evidence.now };
  const ms = performance.now() - started;
  port.postMessage({ kind: 'verified', report, checkpoint, names: table.names(), ms });
}

const stateOf = (index: number | null, covered: number): RowState =>
  index === null ? 'pending' : index < covered ? 'signed' : 'sequenced';

function addBroken({ table, log }: { table: EventTable; log: HttpLog }, index: number): void {
  const leaf = log.leafAt(index);
  table.addBroken(index, leaf === null ? 'missing' : 'changed', leaf === null ? null : readEvent(leaf));
}

async function signedTree(checkpoint: Uint8Array | null, origin: string, keys: readonly TrustedKey[]) {
  if (checkpoint === null) return null;
  const opened = await openNote(checkpoint, { origin, keys });
  return opened.refused === null ? opened.checkpoint : null;
}

async function earlierNotes(evidence: Evidence, own: OwnEvidence): Promise<Uint8Array[]> {
  const published = evidence.earlier.map(fromBase64).filter((note) => note !== null);
  const brought = own.checkpoint === null ? [] : [new Uint8Array(await own.checkpoint.arrayBuffer())];
  return [...published, ...(own.remembered === null ? [] : [own.remembered]), ...brought];
}

async function* linesOf<T>(file: File): AsyncGenerator<T> {
  for (const line of (await file.text()).split('\n')) if (line.trim() !== '') yield JSON.parse(line) as T;
}

async function* journalOf(file: File, tenant: string): AsyncGenerator<JournalLine> {
  for await (const line of linesOf<JournalLine & { tenant: string }>(file))
    if (line.tenant === tenant) yield line;
}

async function* trailOf(file: File): AsyncGenerator<KeyUse> {
  for await (const line of linesOf<KeyUse & { Records?: readonly KeyUse[] }>(file))
    yield* line.Records ?? [line];
}

/** Told often, passed on seldom. */
function progress(): (done: number, of: number) => void {
  let last = 0;
  return (done, of) => {
    const now = performance.now();
    if (now - last < PROGRESS_MS && done < of) return;
    last = now;
    port.postMessage({ kind: 'progress', done, of });
  };
}

async function answer(message: Exclude<ToWorker, { kind: 'verify' }>): Promise<Answers[keyof Answers]> {
  if (current === null) throw new LogUnavailable('NOT_READ');
  const { table } = current;
  switch (message.kind) {
    case 'filter':
      return table.filter(message.filter);
    case 'rows':
      return table.rows(message.from, message.to);
    case 'event':
      return openEvent(current, message.place);
    case 'report': {
      const { name, patient } = message;
      const wanted = patient === '' ? {} : { patient };
      return makeReport(name, eventsOf(current), { now: current.now, ...wanted });
    }
  }
}

/** Events that are what their hashes say, read again from the bytes that were verified. */
function* eventsOf({ log, table, size }: ReadLog) {
  for (let index = 0; index < size; index += 1) {
    const leaf = log.leafAt(index);
    const event = leaf === null || table.isBroken(index) ? null : readEvent(leaf);
    if (event !== null) yield event;
  }
  for (const leaf of log.pendingLeaves()) {
    const event = readEvent(leaf);
    if (event !== null) yield event;
  }
}

async function openEvent({ log, table, signed }: ReadLog, place: number): Promise<OpenedEvent> {
  const row = table.rowAt(place);
  if (row === null) throw new LogUnavailable('NOT_READ');
  const leaf = row.index === null ? log.pendingLeaf(row.id) : log.leafAt(row.index);
  const leafHash = leaf === null ? null : hasher.leaf(leaf);
  const isCovered = row.index !== null && signed !== null && row.index < signed.size;
  const path = isCovered && row.index !== null ? await proofOf(log, row.index, signed.size) : null;
  const isProven =
    path !== null &&
    leafHash !== null &&
    row.index !== null &&
    signed !== null &&
    verifyInclusion(hasher, {
      index: row.index,
      size: signed.size,
      leafHash,
      root: signed.root,
      proof: path,
    });
  return {
    row,
    raw: leaf === null ? '' : textOf(leaf),
    leafHash: leafHash === null ? '' : toBase64(leafHash),
    path: path?.map(toBase64) ?? null,
    root: signed === null ? '' : toBase64(signed.root),
    size: signed?.size ?? 0,
    isProven,
  };
}

/** Null when a tile that the proof needs is not there. */
async function proofOf(log: HttpLog, index: number, size: number): Promise<Uint8Array[] | null> {
  const ranges = inclusionPath(index, size);
  return Promise.all(ranges.map((range) => rangeRoot(hasher, (at) => log.tile(at), range))).catch(() => null);
}

function textOf(leaf: Uint8Array): string {
  try {
    return fromUtf8(leaf);
  } catch {
    return `base64 ${toBase64(leaf)}`;
  }
}
