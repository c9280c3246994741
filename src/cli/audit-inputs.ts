import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { originOf } from '../audit/checkpoint.ts';
import { nodeSha256 } from '../audit/node-sha256.ts';
import type { Outside } from '../audit/outside.ts';
import { statedKeys } from '../audit/signers.ts';
import { parseTrustedKeys, type TrustedKey } from '../audit/trusted-keys.ts';
import type { JournalLine, KeyUse } from '../audit/verify/source.ts';
import type { Composed } from '../compose.ts';
import type { TenantId } from '../kernel/ids.ts';
import { UsageError } from './command.ts';

/** How many of the checkpoints published before are looked at, spread over all of them. */
const MAX_EARLIER = 12;

/** What is outside the store: the last note, some before it by number, and the keys. */
export interface OutsideEvidence {
  readonly origin: string;
  readonly checkpoint: Uint8Array | null;
  readonly earlier: ReadonlyMap<number, Uint8Array>;
  readonly keys: readonly TrustedKey[];
}

/** @throws UsageError when no place for checkpoints is configured. */
export async function outsideEvidence(composed: Composed, tenant: TenantId): Promise<OutsideEvidence> {
  const { proof, store, projectId } = composed;
  const origin = originOf(projectId, tenant);
  if (proof === null)
    throw new UsageError('Set CHARTSEAL_CHECKPOINTS to the bucket or folder that keeps the checkpoints.');
  const { outside } = proof;
  const last = await outside.latest(tenant, 'checkpoint');
  return {
    origin,
    checkpoint: last?.bytes ?? null,
    earlier: await spread(outside, tenant, last?.number ?? 0),
    keys: await statedKeys({ store, outside, tenant, origin }),
  };
}

async function spread(outside: Outside, tenant: TenantId, last: number): Promise<Map<number, Uint8Array>> {
  const step = Math.max(1, Math.ceil((last - 1) / MAX_EARLIER));
  const notes = new Map<number, Uint8Array>();
  for (let number = 1; number < last; number += step) {
    const note = await outside.read(tenant, 'checkpoint', number);
    if (note !== null) notes.set(number, note);
  }
  return notes;
}

/** Keys that the auditor pinned in a file. */
export async function pinnedKeys(file: string): Promise<TrustedKey[]> {
  return parseTrustedKeys(nodeSha256, (await fileOf(file)).toString('utf8'));
}

/** @throws UsageError when it cannot be read. */
export async function fileOf(file: string): Promise<Buffer> {
  return readFile(file).catch(() => {
    throw new UsageError(`The file ${file} cannot be read. Check the path.`);
  });
}

/** JSON objects, one a line. @throws UsageError on a line that is none. */
async function* jsonLines<T>(file: string): AsyncGenerator<T> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    number += 1;
    if (line.trim() !== '') yield parseLine<T>(file, line, number);
  }
}

function parseLine<T>(file: string, line: string, number: number): T {
  try {
    return JSON.parse(line) as T;
  } catch {
    throw new UsageError(`Line ${number} of ${file} is not JSON.`);
  }
}

/** CloudTrail's records: one a line, or files as CloudTrail delivers them, `{"Records":[…]}`, unpacked. */
export async function* cloudTrailOf(file: string): AsyncGenerator<KeyUse> {
  for await (const line of jsonLines<KeyUse & { Records?: readonly KeyUse[] }>(file))
    yield* line.Records ?? [line];
}

/** The journal's lines on one tenant. */
export async function* journalOf(file: string, tenant: TenantId): AsyncGenerator<JournalLine> {
  for await (const line of jsonLines<JournalLine & { tenant: string }>(file))
    if (line.tenant === tenant) yield line;
}
