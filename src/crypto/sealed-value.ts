import { createCipheriv, createDecipheriv, type KeyObject, timingSafeEqual } from 'node:crypto';
import { CryptoError } from './errors.ts';
import { fillRandom } from './random-pool.ts';
import { commitment, deriveValueKey } from './value-key.ts';

/**
 * The sealed format, 72 bytes over the plaintext:
 *
 * `0: magic C5 | 1: suite 01 | 2: flags u16 | 4: key version u32 | 8: salt 16 | 24: commitment 32 |
 * 56: ciphertext | end: tag 16`
 *
 * OKM = HMAC-SHA-512(data key, "chartseal/kdf/1\0" ‖ header[0..24) ‖ SHA-256(context)); the AES-256-GCM key is
 * OKM[0..32), the commitment OKM[32..64), the IV salt[0..12), the AAD bytes[0..56) ‖ context. Each value has a
 * key of its own, so an IV never meets a key twice, and the commitment makes a ciphertext that opens under two
 * keys infeasible (GCM alone does not commit to its key).
 *
 * This file does no I/O and knows no key hierarchy: `patient-keys.ts` brings the keys, `context.ts` the place.
 */

const MAGIC = 0xc5;
const SUITE = 0x01;
const SALT_AT = 8;
const COMMITMENT_AT = 24;
const CIPHERTEXT_AT = 56;
const TAG_BYTES = 16;
/** The cipher by Node’s name, its key and its tag. */
export const CIPHER = { name: 'aes-256-gcm', keyBits: 256, tagBits: TAG_BYTES * 8 } as const;
/** What sealing adds to a plaintext, in bytes. */
export const SEAL_OVERHEAD = CIPHERTEXT_AT + TAG_BYTES;
/** The largest plaintext of one sealed value, in bytes; larger ones are chunked. */
export const MAX_PLAINTEXT = 524_288;

// Used again by every call, and read without a pause after it was filled: sealing is synchronous.
/** Header, commitment and any context of `encodeContext`, and views of it: to make one costs a tenth of a MAC. */
const aadBuffer = Buffer.allocUnsafeSlow(1_024);
const aadIv = aadBuffer.subarray(SALT_AT, SALT_AT + 12);
const aadCommitment = aadBuffer.subarray(COMMITMENT_AT, CIPHERTEXT_AT);
let aadView = aadBuffer;
const TAG_LENGTH = { authTagLength: TAG_BYTES } as const;

/** A 256-bit patient key and its version, 1 or more. */
export interface DataKey {
  readonly version: number;
  readonly secret: KeyObject;
}

/** @throws CryptoError `TOO_LARGE` over {@link MAX_PLAINTEXT}. `context` comes from `encodeContext`. */
export function seal(plaintext: Uint8Array, key: DataKey, context: Uint8Array): Buffer {
  if (plaintext.length > MAX_PLAINTEXT) {
    throw new CryptoError('TOO_LARGE', 'The value is over 512 KiB. Seal it in chunks.');
  }
  const sealed = Buffer.allocUnsafe(SEAL_OVERHEAD + plaintext.length);
  sealed[0] = MAGIC;
  sealed[1] = SUITE;
  sealed.writeUInt16BE(0, 2);
  sealed.writeUInt32BE(key.version, 4);
  fillRandom(sealed.subarray(SALT_AT, COMMITMENT_AT));
  const secret = deriveValueKey(sealed, key.secret, context);
  sealed.set(commitment, COMMITMENT_AT);
  const data = aad(sealed, context);
  const cipher = createCipheriv(CIPHER.name, secret, aadIv, TAG_LENGTH);
  cipher.setAAD(data);
  cipher.update(plaintext).copy(sealed, CIPHERTEXT_AT);
  cipher.final();
  cipher.getAuthTag().copy(sealed, CIPHERTEXT_AT + plaintext.length);
  return sealed;
}

/**
 * The plaintext of a sealed value.
 *
 * @throws CryptoError `FORMAT` (not a sealed value, or a `key` of another version), `COMMITMENT` (other key or
 * other context), `TAG` (changed bytes).
 */
export function open(sealed: Uint8Array, key: DataKey, context: Uint8Array): Buffer {
  const bytes = asBuffer(sealed);
  if (keyVersionOf(bytes) !== key.version) {
    throw new CryptoError('FORMAT', 'The value was sealed under another key version. Open it with that one.');
  }
  const secret = deriveValueKey(bytes, key.secret, context);
  const data = aad(bytes, context);
  if (!timingSafeEqual(commitment, aadCommitment)) {
    throw new CryptoError('COMMITMENT', 'The value was sealed for another place or under another key.');
  }
  const tagAt = bytes.length - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER.name, secret, aadIv, TAG_LENGTH);
  decipher.setAAD(data);
  decipher.setAuthTag(bytes.subarray(tagAt));
  const plaintext = decipher.update(bytes.subarray(CIPHERTEXT_AT, tagAt));
  try {
    decipher.final();
  } catch {
    plaintext.fill(0);
    throw new CryptoError(
      'TAG',
      'The sealed value was changed after it was written. Restore it from a backup.',
    );
  }
  return plaintext;
}

/**
 * The key version that a sealed value's header names. The header is authenticated only by `open`.
 *
 * @throws CryptoError `FORMAT` when the bytes are not a sealed value that this version reads.
 */
export function keyVersionOf(sealed: Uint8Array): number {
  const bytes = asBuffer(sealed);
  const readable =
    bytes.length >= SEAL_OVERHEAD &&
    bytes.length <= SEAL_OVERHEAD + MAX_PLAINTEXT &&
    bytes[0] === MAGIC &&
    bytes[1] === SUITE &&
    bytes.readUInt16BE(2) === 0;
  if (!readable)
    throw new CryptoError('FORMAT', 'These bytes are not a sealed value that this version reads.');
  return bytes.readUInt32BE(4);
}

/** What is authenticated beside the ciphertext. The views hold its header's parts until the next call. */
function aad(sealed: Buffer, context: Uint8Array): Buffer {
  sealed.copy(aadBuffer, 0, 0, CIPHERTEXT_AT);
  const length = CIPHERTEXT_AT + context.length;
  if (length > aadBuffer.length) return Buffer.concat([aadBuffer.subarray(0, CIPHERTEXT_AT), context]);
  if (aadView.length !== length) aadView = aadBuffer.subarray(0, length);
  aadBuffer.set(context, CIPHERTEXT_AT);
  return aadView;
}
const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
