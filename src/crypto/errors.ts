import { ChartsealError } from '../kernel/errors.ts';

/**
 * What can go wrong between a plaintext and its sealed bytes.
 *
 * - `FORMAT` not a sealed value, or one of a format this version does not read
 * - `CONTEXT` a context field is missing or malformed
 * - `COMMITMENT` the bytes were sealed under another key or for another place
 * - `TAG` the bytes were changed after sealing
 * - `ROLLBACK` a value is not the one that its manifest names
 * - `KEY_MISSING` no such key version; `KEY_DISABLED` it exists and may not be used
 * - `KMS_UNAVAILABLE`, `KMS_THROTTLED` retryable; `KMS_DENIED`, `KMS_CONTEXT` not
 * - `TOO_LARGE` over a documented limit
 */
export type CryptoErrorCode =
  | 'FORMAT'
  | 'CONTEXT'
  | 'COMMITMENT'
  | 'TAG'
  | 'ROLLBACK'
  | 'KEY_MISSING'
  | 'KEY_DISABLED'
  | 'KMS_UNAVAILABLE'
  | 'KMS_THROTTLED'
  | 'KMS_DENIED'
  | 'KMS_CONTEXT'
  | 'TOO_LARGE';

const RETRYABLE: readonly CryptoErrorCode[] = ['KMS_UNAVAILABLE', 'KMS_THROTTLED'];

/** A sealed value or a key could not be used. Carries no plaintext, no key and no ciphertext. */
export class CryptoError extends ChartsealError<CryptoErrorCode> {
  constructor(code: CryptoErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, message, { ...options, retryable: RETRYABLE.includes(code) });
  }
}
