import { createSecretKey, hash, type KeyObject } from 'node:crypto';
import { CryptoError } from './errors.ts';

/**
 * The key and the commitment of one sealed value: OKM = HMAC-SHA-512(data key, "chartseal/kdf/1\0" ‖ header[0..24) ‖
 * SHA-256(context)); the AES-256-GCM key is OKM[0..32), the commitment OKM[32..64).
 *
 * The MAC (RFC 2104) is made of two one-shot digests, for these cost half of what setting up Node's `createHmac` does.
 * Its buffers are used again, each filled and read without a pause between: sealing is synchronous.
 */

const LABEL = Buffer.from('chartseal/kdf/1\0', 'latin1');
/** How much of a sealed value's header goes into its key. */
export const KEYED_HEADER = 24;
const BLOCK = 128;
const KEY = 32;
const HEADER_AT = BLOCK + LABEL.length;
const CONTEXT_DIGEST_AT = HEADER_AT + KEYED_HEADER;

/** The padded key, then the message. Of both padded blocks only the first 32 bytes differ from key to key. */
const inner = Buffer.allocUnsafeSlow(CONTEXT_DIGEST_AT + 32).fill(0x36, 0, BLOCK);
inner.set(LABEL, BLOCK);
const outer = Buffer.allocUnsafeSlow(BLOCK + 64).fill(0x5c, 0, BLOCK);
/** Goes with its key; outside of V8's heap, as the key's own bytes are, and reached by nothing but this. */
const padded = new WeakMap<KeyObject, Buffer>();

const okm = Buffer.allocUnsafeSlow(64);
const okmKey = new Uint8Array(okm.buffer, 0, KEY);
/** The commitment of the key that was derived last. */
export const commitment = new Uint8Array(okm.buffer, KEY, 32);

/**
 * The value's key; its commitment is in {@link commitment} until the next call.
 *
 * @throws CryptoError `FORMAT` for a data key of another length than 256 bits.
 */
export function deriveValueKey(header: Buffer, secret: KeyObject, context: Uint8Array): KeyObject {
  const pads = padded.get(secret) ?? padsOf(secret);
  pads.copy(inner, 0, 0, KEY);
  pads.copy(outer, 0, KEY);
  header.copy(inner, HEADER_AT, 0, KEYED_HEADER);
  // A string is how a digest leaves Node fastest: a Buffer of its own costs as much again.
  inner.write(hash('sha256', context, 'binary'), CONTEXT_DIGEST_AT, 'binary');
  outer.write(hash('sha512', inner, 'binary'), BLOCK, 'binary');
  okm.write(hash('sha512', outer, 'binary'), 0, 'binary');
  const valueKey = createSecretKey(okmKey);
  okmKey.fill(0);
  inner.fill(0, 0, KEY);
  outer.fill(0, 0, KEY);
  return valueKey;
}

function padsOf(secret: KeyObject): Buffer {
  const key = secret.export();
  if (key.length !== KEY) throw new CryptoError('FORMAT', 'A data key has 256 bits. Take it from a keyring.');
  const pads = Buffer.allocUnsafeSlow(2 * KEY);
  for (const [at, byte] of key.entries()) {
    pads[at] = byte ^ 0x36;
    pads[KEY + at] = byte ^ 0x5c;
  }
  key.fill(0);
  padded.set(secret, pads);
  return pads;
}
