import { createSecretKey, type KeyObject } from 'node:crypto';
import { CryptoError } from './errors.ts';

/** Bound to a wrapped key as additional data. KMS writes it to CloudTrail in clear: opaque ids only. */
export type EncryptionContext = Readonly<Record<string, string>>;

/** A data key as it is stored: encrypted under a key that never leaves its keyring. */
export interface WrappedKey {
  /** The exact wrapping key: a KMS key ARN, or a local key's name and version. Never an alias. */
  readonly keyId: string;
  readonly blob: Uint8Array;
  /** Which generation of that key wrapped it: KMS's `KeyMaterialId`. Absent where a keyring has none. */
  readonly material?: string | null;
}

/** A fresh data key and its stored form. */
export interface GeneratedKey {
  readonly secret: KeyObject;
  readonly wrapped: WrappedKey;
}

const MAX_BLOB = 6_144;
const CONTEXT_TEXT = /^[A-Za-z0-9_/-]{1,64}$/;

/**
 * Makes and unwraps 256-bit data keys. The base class checks what goes in and what comes out, so that no
 * adapter can skip a check; an adapter only does the work.
 */
export abstract class Keyring {
  abstract readonly kind: 'aws' | 'emulator' | 'local';

  /** @throws CryptoError `KEY_MISSING`, `KEY_DISABLED`, `KMS_UNAVAILABLE`, `KMS_THROTTLED`, `KMS_DENIED`. */
  async generate(keyId: string, context: EncryptionContext): Promise<GeneratedKey> {
    checkContext(context);
    const { plaintext, wrapped } = await this.generateKey(keyId, context);
    checkAnswer(wrapped, keyId);
    return { secret: toSecret(plaintext), wrapped };
  }

  /** @throws CryptoError as `generate`, and `KMS_CONTEXT` when the blob is not of this key and context. */
  async unwrap(wrapped: WrappedKey, context: EncryptionContext): Promise<KeyObject> {
    checkContext(context);
    checkWrapped(wrapped);
    return toSecret(await this.unwrapKey(wrapped, context));
  }

  /**
   * The same data key and context, wrapped by another key. What was wrapped before still unwraps.
   *
   * @throws CryptoError as `unwrap`.
   */
  async rewrap(wrapped: WrappedKey, context: EncryptionContext, toKeyId: string): Promise<WrappedKey> {
    checkContext(context);
    checkWrapped(wrapped);
    const rewrapped = await this.rewrapKey(wrapped, context, toKeyId);
    checkAnswer(rewrapped, toKeyId);
    return rewrapped;
  }

  protected abstract generateKey(
    keyId: string,
    context: EncryptionContext,
  ): Promise<{ plaintext: Uint8Array; wrapped: WrappedKey }>;
  protected abstract unwrapKey(wrapped: WrappedKey, context: EncryptionContext): Promise<Uint8Array>;
  protected abstract rewrapKey(
    wrapped: WrappedKey,
    context: EncryptionContext,
    toKeyId: string,
  ): Promise<WrappedKey>;
}

function toSecret(plaintext: Uint8Array): KeyObject {
  if (plaintext.length !== 32)
    throw new CryptoError('KMS_CONTEXT', 'The keyring answered with a key that is not 256 bits.');
  const secret = createSecretKey(plaintext);
  plaintext.fill(0);
  return secret;
}

function checkWrapped(wrapped: WrappedKey): void {
  const sound = wrapped.keyId.length > 0 && wrapped.blob.length > 0 && wrapped.blob.length <= MAX_BLOB;
  if (!sound) throw new CryptoError('FORMAT', 'The wrapped key is not one that a keyring wrote.');
}

function checkAnswer(wrapped: WrappedKey, keyId: string): void {
  checkWrapped(wrapped);
  if (wrapped.keyId !== keyId)
    throw new CryptoError('KMS_CONTEXT', 'Another key answered than was asked. Check the key id.');
}

function checkContext(context: EncryptionContext): void {
  const pairs = Object.entries(context);
  const sound =
    pairs.length > 0 && pairs.length <= 8 && pairs.flat().every((text) => CONTEXT_TEXT.test(text));
  if (!sound)
    throw new CryptoError('CONTEXT', 'The encryption context must hold 1 to 8 pairs of opaque ids.');
}
