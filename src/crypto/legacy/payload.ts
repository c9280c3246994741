import type { KeyObject } from 'node:crypto';
import { CryptoError } from '../errors.ts';
import {
  decodeBytes,
  hasMembers,
  type LegacyEncoding,
  membersOf,
  openGcm,
  requireLegacyAlgorithm,
} from './parts.ts';

/** `{ ciphertext, iv, authTag, algorithm, version }`, with or without `__encrypted: true`. */
export interface LegacyPayloadOptions {
  /** Key version, as text → key; `readKeyRegistry` makes one. */
  readonly keys: ReadonlyMap<string, KeyObject>;
  readonly encoding: LegacyEncoding;
  /** What the application passed to `setAAD`, if it did. */
  readonly aad?: Uint8Array;
}

const MEMBERS = ['ciphertext', 'iv', 'authTag', 'algorithm', 'version'];

/** True for what has this shape; says nothing of whether it opens. */
export const isLegacyPayload = (value: unknown): boolean => hasMembers(value, MEMBERS);

/**
 * The plaintext of an old payload.
 *
 * @throws CryptoError `FORMAT` (other shape, algorithm, encoding, IV or tag length), `KEY_MISSING` (no key of its
 *   version), `TAG` (other key, other AAD, changed).
 */
export function openLegacyPayload(value: unknown, options: LegacyPayloadOptions): Buffer {
  const payload = membersOf(value, MEMBERS);
  requireLegacyAlgorithm(payload['algorithm']);
  if (Object.hasOwn(payload, '__encrypted') && payload['__encrypted'] !== true)
    throw new CryptoError('FORMAT', 'The old value says that it is not encrypted. It is not read.');
  const bytes = (name: string) => decodeBytes(payload[name], options.encoding);
  const parts = { iv: bytes('iv'), ciphertext: bytes('ciphertext'), tag: bytes('authTag'), aad: options.aad };
  const secret = options.keys.get(String(payload['version']));
  if (secret === undefined)
    throw new CryptoError('KEY_MISSING', 'The old value names a key version that was not given.');
  return openGcm(secret, parts);
}
