import { concat, equalBytes, fromBase64, fromUtf8, toBase64, toUtf8 } from './bytes.ts';
import { AuditError } from './errors.ts';
import type { Sha256 } from './sha256.ts';

/**
 * C2SP signed notes with Ed25519 (https://c2sp.org/signed-note) and timestamped cosignatures of witnesses
 * (https://c2sp.org/tlog-cosignature).
 */

const ED25519 = 0x01;
const COSIGNATURE = 0x04;
const MAX_NOTE = 65_536;
const NAME = /^[^\s+]{1,128}$/u;

/** A public key and the name it signs under, as its text form says: `name+hash+base64(type ‖ key)`. */
export interface NoteKey {
  readonly name: string;
  readonly kind: 'log' | 'witness';
  /** Four bytes that point from a signature to its key. */
  readonly id: Uint8Array;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** A signature line, not verified. */
export interface NoteSignature {
  readonly name: string;
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
}

/** A note taken apart. `text` is what is signed, its last line feed included. */
export interface SignedNote {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** Makes a {@link NoteKey}. Its id is the start of SHA-256(name ‖ 0x0A ‖ type ‖ key). */
export function noteKey(
  sha256: Sha256,
  key: { name: string; publicKey: Uint8Array; kind?: NoteKey['kind'] },
): NoteKey {
  const { name, publicKey, kind = 'log' } = key;
  if (!NAME.test(name) || publicKey.length !== 32)
    throw new AuditError('NOTE', 'A note key is a name without spaces or "+", and 32 bytes of Ed25519.');
  const type = kind === 'log' ? ED25519 : COSIGNATURE;
  const id = sha256(concat(toUtf8(`${name}\n`), Uint8Array.of(type), publicKey)).slice(0, 4);
  return { name, kind, id, publicKey };
}

export function formatKey({ name, kind, id, publicKey }: NoteKey): string {
  const type = kind === 'log' ? ED25519 : COSIGNATURE;
  return `${name}+${toHex(id)}+${toBase64(concat(Uint8Array.of(type), publicKey))}`;
}

/** @throws AuditError `NOTE` unless it is an Ed25519 key in the text form whose id fits. */
export function parseKey(sha256: Sha256, text: string): NoteKey {
  const [name = '', id = '', ...rest] = text.trim().split('+');
  const bytes = fromBase64(rest.join('+'));
  const kind = bytes?.[0] === ED25519 ? 'log' : bytes?.[0] === COSIGNATURE ? 'witness' : null;
  if (bytes === null || kind === null || bytes.length !== 33)
    throw new AuditError('NOTE', 'That is not a key of the form name+hash+base64, for Ed25519.');
  const key = noteKey(sha256, { name, kind, publicKey: bytes.subarray(1) });
  if (toHex(key.id) !== id)
    throw new AuditError('NOTE', 'The hash in the key does not fit its name and bytes.');
  return key;
}

/** @throws AuditError `NOTE` unless the bytes are a signed note of at most 64 KiB. */
export function parseNote(bytes: Uint8Array): SignedNote {
  const note = textOf(bytes);
  const end = note.lastIndexOf('\n\n');
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2).split('\n');
  if (end < 1 || lines.pop() !== '' || lines.length === 0) throw notANote();
  const signatures = lines.map((line) => {
    const [, name, base64] = /^\u2014 (\S+) (\S+)$/u.exec(line) ?? [];
    const signed = fromBase64(base64 ?? '');
    if (name === undefined || signed === null || signed.length < 5) throw notANote();
    return { name, keyId: signed.subarray(0, 4), signature: signed.subarray(4) };
  });
  return { text, signatures };
}

export function formatNote({ text, signatures }: SignedNote): Uint8Array<ArrayBuffer> {
  const lines = signatures.map(
    ({ name, keyId, signature }) => `\u2014 ${name} ${toBase64(concat(keyId, signature))}\n`,
  );
  return toUtf8(`${text}\n${lines.join('')}`);
}

/** What a verified signature says: when the witness saw the note, for a cosignature. */
export interface VerifiedSignature {
  readonly key: NoteKey;
  /** Seconds since the Unix epoch, as the witness signed it; null for a log's own signature. */
  readonly witnessedAt: number | null;
}

/** The signatures that verify under these keys; one line for each key at most. Others are left out. */
export async function verifySignatures(
  note: SignedNote,
  keys: readonly NoteKey[],
): Promise<VerifiedSignature[]> {
  const verified: VerifiedSignature[] = [];
  for (const key of keys) {
    for (const line of note.signatures) {
      if (line.name !== key.name || !equalBytes(line.keyId, key.id)) continue;
      const found = await verifyLine(note.text, key, line.signature);
      if (found === null) continue;
      verified.push(found);
      break;
    }
  }
  return verified;
}

async function verifyLine(
  text: string,
  key: NoteKey,
  signature: Uint8Array,
): Promise<VerifiedSignature | null> {
  const isLog = key.kind === 'log';
  if (signature.length !== (isLog ? 64 : 72)) return null;
  const witnessedAt = isLog ? null : readTime(signature);
  const message = witnessedAt === null ? toUtf8(text) : cosignedMessage(text, witnessedAt);
  const genuine = await verifyEd25519(key.publicKey, message, signature.slice(isLog ? 0 : 8));
  return genuine ? { key, witnessedAt } : null;
}

/** What a witness signs: the note's text under a line with the time, in seconds. */
export const cosignedMessage = (text: string, seconds: number): Uint8Array<ArrayBuffer> =>
  toUtf8(`cosignature/v1\ntime ${seconds}\n${text}`);

function readTime(signature: Uint8Array): number {
  const view = new DataView(signature.buffer, signature.byteOffset, 8);
  return Number(view.getBigUint64(0));
}

async function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey('raw', publicKey.slice(), 'Ed25519', false, ['verify']);
    return await crypto.subtle.verify('Ed25519', key, signature, message);
  } catch (error) {
    // A point that is no key; anything else (no Ed25519 in this browser) must not pass for a bad signature.
    if (error instanceof DOMException && error.name === 'DataError') return false;
    throw error;
  }
}

function textOf(bytes: Uint8Array): string {
  if (bytes.length > MAX_NOTE) throw notANote();
  try {
    return fromUtf8(bytes);
  } catch {
    throw notANote();
  }
}

const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const notANote = (): AuditError =>
  new AuditError('NOTE', 'That is not a signed note: text, an empty line, and signature lines.');
