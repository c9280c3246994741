import { type Checkpoint, parseCheckpoint } from './checkpoint.ts';
import { AuditError } from './errors.ts';
import type { Sha256 } from './sha256.ts';
import {
  formatKey,
  type NoteKey,
  parseKey,
  parseNote,
  type SignedNote,
  type VerifiedSignature,
  verifySignatures,
} from './signed-note.ts';

/** A log's key that a reader believes, and the last checkpoint that it may have signed once it is retired. */
export interface TrustedKey {
  readonly key: NoteKey;
  readonly until: { readonly size: number; readonly time: number } | null;
}

const LINE = /^(\S+)(?: until (\d{1,16}) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z))?$/;

/** `name+hash+base64`, and when retired `until SIZE TIME` after it. */
export function formatTrustedKey({ key, until }: TrustedKey): string {
  return until === null
    ? formatKey(key)
    : `${formatKey(key)} until ${until.size} ${new Date(until.time).toISOString()}`;
}

/**
 * Keys, one a line; empty lines and lines that begin with `#` are passed over. A later line on the same key can only
 * narrow it: who is retired stays retired.
 *
 * @throws AuditError `NOTE`.
 */
export function parseTrustedKeys(sha256: Sha256, text: string): TrustedKey[] {
  const keys = new Map<string, TrustedKey>();
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const [, key, size, time] = LINE.exec(line) ?? [];
    if (key === undefined)
      throw new AuditError('NOTE', 'A line of the key file is not a key. Write one key a line.');
    const before = keys.get(key)?.until ?? null;
    const until = time === undefined ? null : { size: Number(size), time: Date.parse(time) };
    keys.set(key, { key: parseKey(sha256, key), until: earlier(before, until) });
  }
  return [...keys.values()];
}

function earlier(a: TrustedKey['until'], b: TrustedKey['until']): TrustedKey['until'] {
  if (a === null || b === null) return a ?? b;
  return { size: Math.min(a.size, b.size), time: Math.min(a.time, b.time) };
}

/** Why a note is not believed. */
export type NoteRefusal = 'NOTE_MALFORMED' | 'OTHER_ORIGIN' | 'SIGNATURE_INVALID' | 'KEY_RETIRED';

/** A note that was read: believed, with the keys that signed it, or refused. */
export type OpenedNote =
  | {
      readonly refused: null;
      readonly checkpoint: Checkpoint;
      readonly note: SignedNote;
      readonly signers: readonly VerifiedSignature[];
    }
  | { readonly refused: NoteRefusal };

/** Reads a note and checks whose tree it is of, and that a trusted key signed it that may have. */
export async function openNote(
  bytes: Uint8Array,
  believe: { origin: string; keys: readonly TrustedKey[] },
): Promise<OpenedNote> {
  const read = readNote(bytes);
  if (read === null) return { refused: 'NOTE_MALFORMED' };
  const { note, checkpoint } = read;
  if (checkpoint.origin !== believe.origin) return { refused: 'OTHER_ORIGIN' };
  const genuine = await verifySignatures(
    note,
    believe.keys.map(({ key }) => key),
  );
  if (genuine.length === 0) return { refused: 'SIGNATURE_INVALID' };
  const signers = genuine.filter(({ key }) => {
    const until = believe.keys.find((trusted) => trusted.key === key)?.until ?? null;
    return until === null || isWithin(checkpoint, until);
  });
  return signers.length === 0 ? { refused: 'KEY_RETIRED' } : { refused: null, checkpoint, note, signers };
}

const isWithin = ({ size, time }: Checkpoint, until: { size: number; time: number }): boolean =>
  size <= until.size && time !== null && time <= until.time;

function readNote(bytes: Uint8Array): { note: SignedNote; checkpoint: Checkpoint } | null {
  try {
    const note = parseNote(bytes);
    return { note, checkpoint: parseCheckpoint(note.text) };
  } catch (error) {
    if (error instanceof AuditError) return null;
    throw error;
  }
}
