import { createCipheriv, createSecretKey, type KeyObject } from 'node:crypto';

/** Writes the old shapes as the applications that had them did: plain Node, no part of the project. */

export const OLD_KEY = Buffer.alloc(32, 9);
export const oldKeys = (): Map<string, KeyObject> => new Map([['3', createSecretKey(OLD_KEY)]]);

interface OldOptions {
  readonly encoding?: 'base64' | 'hex';
  readonly aad?: Uint8Array;
  readonly key?: Uint8Array;
  readonly ivBytes?: number;
  readonly tagBytes?: number;
}

function encrypt(text: string, options: OldOptions) {
  const { encoding = 'base64', key = OLD_KEY, ivBytes = 12, tagBytes = 16 } = options;
  const iv = Buffer.alloc(ivBytes, 5);
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes });
  if (options.aad !== undefined) cipher.setAAD(options.aad);
  const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]).toString(encoding);
  return { ciphertext, iv: iv.toString(encoding), authTag: cipher.getAuthTag().toString(encoding) };
}

/** `{ ciphertext, iv, authTag, algorithm, version }`. */
export function oldPayload(text: string, options: OldOptions = {}) {
  return { ...encrypt(text, options), algorithm: 'aes-256-gcm', version: 3 };
}

/** `{ encryptedData, encryptedDataKey, iv, authTag, kmsKeyId }`. */
export function oldEnvelope(
  text: string,
  wrapped: { blob: Uint8Array; key: Uint8Array; kmsKeyId: string },
  options: OldOptions = {},
) {
  const { ciphertext, iv, authTag } = encrypt(text, { ...options, key: wrapped.key });
  const encryptedDataKey = Buffer.from(wrapped.blob).toString(options.encoding ?? 'base64');
  return { encryptedData: ciphertext, encryptedDataKey, iv, authTag, kmsKeyId: wrapped.kmsKeyId };
}
