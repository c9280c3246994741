import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { type OutsideEvidence, outsideEvidence } from '../audit/evidence.ts';
import { nodeSha256 } from '../audit/node-sha256.ts';
import { parseTrustedKeys, type TrustedKey } from '../audit/trusted-keys.ts';
import type { JournalLine, KeyUse } from '../audit/verify/source.ts';
import type { Composed } from '../compose.ts';
import type { TenantId } from '../kernel/ids.ts';
import { UsageError } from './command.ts';

/** @throws UsageError when no place for checkpoints is configured. */
export async function evidenceOf(composed: Composed, tenant: TenantId): Promise<OutsideEvidence> {
  const { proof, store, projectId } = composed;
  if (proof === null)
    throw new UsageError('Set CHARTSEAL_CHECKPOINTS to the bucket or folder that keeps the checkpoints.');
  return outsideEvidence({ store, outside: proof.outside, projectId }, tenant);
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
