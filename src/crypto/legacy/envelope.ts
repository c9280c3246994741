import type { KeyObject } from 'node:crypto';
import { CryptoError } from '../errors.ts';
import {
  decodeBytes,
  decryptLegacyKey,
  hasMembers,
  type LegacyKmsOptions,
  membersOf,
  openGcm,
} from './parts.ts';

const ENVELOPE = ['encryptedData', 'encryptedDataKey', 'iv', 'authTag', 'kmsKeyId'];
const WRAPPED_KEY = ['encryptedKey', 'keyId', 'algorithm'];

/** True for `{ encryptedData, encryptedDataKey, iv, authTag, kmsKeyId }`; says nothing of whether it opens. */
export const isLegacyEnvelope = (value: unknown): boolean => hasMembers(value, ENVELOPE);

/**
 * The plaintext of an old envelope, which carries its own data key: one KMS call each.
 *
 * @throws CryptoError `FORMAT` (other shape, encoding, IV or tag length), `KEY_MISSING` (a KMS key that was not
 *   given), `TAG` (changed, or other AAD), and what `decrypt` throws (`KMS_CONTEXT` for another context).
 */
export async function openLegacyEnvelope(
  value: unknown,
  options: LegacyKmsOptions & { readonly aad?: Uint8Array },
): Promise<Buffer> {
  const envelope = membersOf(value, ENVELOPE);
  const bytes = (name: string) => decodeBytes(envelope[name], options.encoding);
  const parts = {
    iv: bytes('iv'),
    ciphertext: bytes('encryptedData'),
    tag: bytes('authTag'),
    aad: options.aad,
  };
  const wrapped = { blob: envelope['encryptedDataKey'], name: envelope['kmsKeyId'] };
  return openGcm(await decryptLegacyKey(wrapped, options), parts);
}

/**
 * The key in an old `{ encryptedKey, keyId, algorithm }`. `algorithm` is what the application wrote there, for
 * example `AES_256`: a record that says anything else is refused.
 *
 * @throws CryptoError `FORMAT`, `KEY_MISSING`, and what `decrypt` throws.
 */
export async function openLegacyKey(
  value: unknown,
  options: LegacyKmsOptions & { readonly algorithm: string },
): Promise<KeyObject> {
  const record = membersOf(value, WRAPPED_KEY);
  if (record['algorithm'] !== options.algorithm)
    throw new CryptoError('FORMAT', 'The old key names another algorithm than was given. It is not read.');
  return decryptLegacyKey({ blob: record['encryptedKey'], name: record['keyId'] }, options);
}
