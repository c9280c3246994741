import { createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { CryptoError } from '../errors.ts';
import type { FieldValue } from '../field-values.ts';
import { isPlainObject } from '../field-values.ts';
import type { EncryptionContext } from '../keyring.ts';

/**
 * What the readers of older formats share. Here old data is read, never written. Whoever wrote to the database may
 * have written these shapes: nothing in them chooses an algorithm, a tag length or a key that the caller did not name.
 */

/** How an application wrote bytes as text. Said by the caller: some text is both, and guessing would misread it. */
export type LegacyEncoding = 'base64' | 'hex';

/**
 * Decrypts a data key by the key with this ARN: `(blob, at) => decryptWithKms(blob, { client, ...at })` for KMS.
 */
export type DecryptDataKey = (
  blob: Uint8Array,
  at: { readonly keyId: string; readonly context: EncryptionContext },
) => Promise<Uint8Array>;

/** Which KMS key decrypts, and in what context. */
export interface LegacyKmsOptions {
  readonly decrypt: DecryptDataKey;
  /** Each name by which old records call a KMS key (id, ARN, alias) → the key's full ARN. Other names are refused. */
  readonly keyArns: ReadonlyMap<string, string>;
  /** The encryption context with which the key was made; `{}` if there was none. */
  readonly context: EncryptionContext;
  readonly encoding: LegacyEncoding;
}

/** What GCM needs beside the key. */
export interface GcmParts {
  readonly iv: Buffer;
  readonly ciphertext: Buffer;
  readonly tag: Buffer;
  readonly aad?: Uint8Array | undefined;
}

const TAG_BYTES = 16;
const IV_LENGTHS = [12, 16];

/** The one cipher that old values are read with, whatever they say. */
export const LEGACY_ALGORITHM = 'aes-256-gcm';

/** @throws CryptoError `FORMAT` unless the value names {@link LEGACY_ALGORITHM}. */
export function requireLegacyAlgorithm(algorithm: unknown): void {
  if (typeof algorithm !== 'string' || algorithm.toLowerCase() !== LEGACY_ALGORITHM)
    throw new CryptoError(
      'FORMAT',
      'The old value names another algorithm than aes-256-gcm. It is not read.',
    );
}

/** A plain object's own members. @throws CryptoError `FORMAT` when it lacks one of `names`. */
export function membersOf(value: unknown, names: readonly string[]): Record<string, unknown> {
  if (!hasMembers(value, names))
    throw new CryptoError('FORMAT', `This is not an old value of that shape: it has ${names.join(', ')}.`);
  return value;
}

export function hasMembers(value: unknown, names: readonly string[]): value is Record<string, unknown> {
  return isPlainObject(value) && names.every((name) => Object.hasOwn(value, name));
}

/** @throws CryptoError `FORMAT` unless all of `text` is in that encoding. */
export function decodeBytes(text: unknown, encoding: LegacyEncoding): Buffer {
  const bytes = typeof text === 'string' ? Buffer.from(text, encoding) : null;
  if (bytes === null || bytes.toString(encoding) !== canonical(String(text), encoding))
    throw new CryptoError(
      'FORMAT',
      `Part of the old value is not ${encoding}. Check which encoding was used.`,
    );
  return bytes;
}

/** @throws CryptoError `FORMAT` for another IV or tag length, `TAG` for another key, other AAD or changed bytes. */
export function openGcm(secret: KeyObject, { iv, ciphertext, tag, aad }: GcmParts): Buffer {
  if (!IV_LENGTHS.includes(iv.length) || tag.length !== TAG_BYTES)
    throw new CryptoError(
      'FORMAT',
      'The old value has an IV of 12 or 16 bytes and a tag of 16; this one has not.',
    );
  const decipher = createDecipheriv(LEGACY_ALGORITHM, secret, iv, { authTagLength: TAG_BYTES });
  if (aad !== undefined) decipher.setAAD(aad);
  decipher.setAuthTag(tag);
  const plaintext = decipher.update(ciphertext);
  try {
    decipher.final();
  } catch {
    plaintext.fill(0);
    throw new CryptoError(
      'TAG',
      'The old value was changed, or belongs to another key or other additional data.',
    );
  }
  return plaintext;
}

/** Decrypts a wrapped key that an old record holds. */
export async function decryptLegacyKey(
  wrapped: { blob: unknown; name: unknown },
  options: LegacyKmsOptions,
): Promise<KeyObject> {
  const keyId = typeof wrapped.name === 'string' ? options.keyArns.get(wrapped.name) : undefined;
  if (keyId === undefined)
    throw new CryptoError(
      'KEY_MISSING',
      'The old value names a KMS key that was not given. Add it to keyArns.',
    );
  const blob = decodeBytes(wrapped.blob, options.encoding);
  return secretOf(await options.decrypt(blob, { keyId, context: options.context }));
}

/** A 256-bit key; the bytes given are wiped. @throws CryptoError `FORMAT` for another length. */
export function secretOf(bytes: Uint8Array): KeyObject {
  if (bytes.length !== 32) throw new CryptoError('FORMAT', 'The old key is not 256 bits.');
  const secret = createSecretKey(bytes);
  bytes.fill(0);
  return secret;
}

/**
 * What an opened plaintext was before it was encrypted: `text` as it is, `json` parsed, `bytes` as they are.
 *
 * @throws CryptoError `FORMAT` when it is not that.
 */
export function parseLegacyPlaintext(plaintext: Buffer, as: 'text' | 'json' | 'bytes'): FieldValue {
  if (as === 'bytes') return plaintext;
  const text = plaintext.toString('utf8');
  try {
    if (!Buffer.from(text, 'utf8').equals(plaintext)) throw new SyntaxError();
    return as === 'text' ? text : (JSON.parse(text) as FieldValue);
  } catch {
    throw new CryptoError('FORMAT', `The old value does not hold ${as}. Check what was encrypted.`);
  }
}

function canonical(text: string, encoding: LegacyEncoding): string {
  if (encoding === 'hex') return text.toLowerCase();
  return text + '='.repeat((4 - (text.length % 4)) % 4);
}
