import { DecryptCommand, EncryptCommand, type KMSClient } from '@aws-sdk/client-kms';
import { InputError } from '../kernel/errors.ts';
import { CryptoError } from './errors.ts';
import type { EncryptionContext } from './keyring.ts';
import { callKms, kmsFailure, requireKeyArn } from './kms-call.ts';

/**
 * Small secrets encrypted by KMS itself: an API key, a webhook secret, a seed. Each use is a KMS call (and a line in
 * CloudTrail); for anything read often or over 4,096 bytes seal it under a data key instead.
 */

/** The most that KMS encrypts directly, in bytes. */
export const MAX_SMALL_VALUE = 4_096;
const MAX_CIPHERTEXT = 6_144;
const OPAQUE = /^[A-Za-z0-9_/-]{1,64}$/;

/** Which key, and for what. */
export interface SmallValueOptions {
  /** Give it timeouts; a call ends after 10 s in any case. */
  readonly client: KMSClient;
  /** The full key ARN; an alias can be retargeted. */
  readonly keyId: string;
  /** What the value is and whose, 1 to 8 pairs. CloudTrail shows it in clear: opaque ids only. */
  readonly context: EncryptionContext;
}

/**
 * The ciphertext of 1 to 4,096 bytes.
 *
 * @throws CryptoError `TOO_LARGE` over {@link MAX_SMALL_VALUE}, `CONTEXT`, `KEY_MISSING`, `KEY_DISABLED`,
 *   `KMS_DENIED`, `KMS_THROTTLED`, `KMS_UNAVAILABLE`.
 * @throws InputError `INPUT` for no bytes at all, which KMS refuses.
 */
export async function encryptWithKms(plaintext: Uint8Array, options: SmallValueOptions): Promise<Buffer> {
  const { client, keyId, context } = options;
  requireKeyArn(keyId);
  requireOpaque(context);
  if (plaintext.length === 0) throw new InputError('INPUT', 'KMS encrypts 1 to 4,096 bytes. There are none.');
  if (plaintext.length > MAX_SMALL_VALUE)
    throw new CryptoError(
      'TOO_LARGE',
      `KMS encrypts at most 4,096 bytes; this is ${plaintext.length}. Seal it under a data key instead.`,
    );
  const command = new EncryptCommand({
    KeyId: keyId,
    Plaintext: plaintext,
    EncryptionContext: { ...context },
  });
  const answer = await callKms((bound) => client.send(command, bound));
  if (answer.KeyId !== keyId || answer.CiphertextBlob === undefined) throw kmsFailure('KMS_CONTEXT');
  return Buffer.from(answer.CiphertextBlob);
}

/**
 * What {@link encryptWithKms} encrypted under this key and context. Any context that KMS takes is accepted, so that
 * what older programs wrote can be read.
 *
 * @throws CryptoError `FORMAT` (no KMS ciphertext by its size), `KMS_CONTEXT` (other key or context, or changed
 *   bytes), and as {@link encryptWithKms}.
 */
export async function decryptWithKms(ciphertext: Uint8Array, options: SmallValueOptions): Promise<Buffer> {
  const { client, keyId, context } = options;
  requireKeyArn(keyId);
  if (ciphertext.length === 0 || ciphertext.length > MAX_CIPHERTEXT)
    throw new CryptoError('FORMAT', 'These bytes are not a KMS ciphertext: it has 1 to 6,144 bytes.');
  const command = new DecryptCommand({
    KeyId: keyId,
    CiphertextBlob: ciphertext,
    EncryptionContext: { ...context },
  });
  const answer = await callKms((bound) => client.send(command, bound));
  if (answer.KeyId !== keyId || answer.Plaintext === undefined) throw kmsFailure('KMS_CONTEXT');
  return Buffer.from(answer.Plaintext);
}

function requireOpaque(context: EncryptionContext): void {
  const pairs = Object.entries(context);
  if (pairs.length === 0 || pairs.length > 8 || !pairs.flat().every((text) => OPAQUE.test(text)))
    throw new CryptoError('CONTEXT', 'The encryption context must hold 1 to 8 pairs of opaque ids.');
}
