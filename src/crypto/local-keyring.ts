import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { CryptoError } from './errors.ts';
import { type EncryptionContext, Keyring, type WrappedKey } from './keyring.ts';

/** One wrapping key: 64 hex characters and what it may still do. `deprecated` unwraps only. */
export interface LocalKey {
  readonly version: number;
  readonly hex: string;
  readonly status: 'active' | 'deprecated' | 'deleted';
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEX_256 = /^[0-9a-f]{64}$/i;

/**
 * Data keys wrapped by AES-256-GCM keys from the environment, for development and for those without AWS. A
 * wrapped key names `local/NAME/VERSION`; the encryption context is the additional data.
 */
export class LocalKeyring extends Keyring {
  override readonly kind = 'local';
  readonly #keys = new Map<string, { secret: KeyObject; status: LocalKey['status'] }>();

  /** @throws CryptoError `FORMAT` when a key is not 64 hex characters or a version repeats. */
  constructor(keys: readonly LocalKey[]) {
    super();
    for (const key of keys) {
      const keyId = localKeyId(key.version);
      if (!HEX_256.test(key.hex) || this.#keys.has(keyId)) {
        throw new CryptoError(
          'FORMAT',
          'A local key is 64 hex characters with a version of its own. Run "chartseal keys generate".',
        );
      }
      this.#keys.set(keyId, { secret: createSecretKey(Buffer.from(key.hex, 'hex')), status: key.status });
    }
  }

  protected override async generateKey(keyId: string, context: EncryptionContext) {
    const plaintext = randomBytes(32);
    return { plaintext, wrapped: this.#wrap(plaintext, keyId, context) };
  }

  protected override async unwrapKey(wrapped: WrappedKey, context: EncryptionContext) {
    const { secret } = this.#find(wrapped.keyId);
    const blob = Buffer.from(wrapped.blob);
    if (blob.length !== IV_BYTES + 32 + TAG_BYTES) throw refused();
    const decipher = createDecipheriv('aes-256-gcm', secret, blob.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(aad(wrapped.keyId, context));
    decipher.setAuthTag(blob.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(blob.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch {
      throw refused();
    }
  }

  protected override async rewrapKey(wrapped: WrappedKey, context: EncryptionContext, toKeyId: string) {
    const plaintext = await this.unwrapKey(wrapped, context);
    try {
      return this.#wrap(plaintext, toKeyId, context);
    } finally {
      plaintext.fill(0);
    }
  }

  #wrap(plaintext: Uint8Array, keyId: string, context: EncryptionContext): WrappedKey {
    const { secret, status } = this.#find(keyId);
    if (status !== 'active')
      throw new CryptoError(
        'KEY_DISABLED',
        'This local key no longer wraps new keys. Use the active version.',
      );
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', secret, iv, { authTagLength: TAG_BYTES });
    cipher.setAAD(aad(keyId, context));
    const blob = Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    return { keyId, blob };
  }

  #find(keyId: string) {
    const key = this.#keys.get(keyId);
    if (key === undefined)
      throw new CryptoError(
        'KEY_MISSING',
        'There is no such local key version. Add it to CHARTSEAL_LOCAL_KEYS.',
      );
    if (key.status === 'deleted')
      throw new CryptoError(
        'KEY_DISABLED',
        'This local key version is deleted. What it wrapped cannot be opened.',
      );
    return key;
  }
}

/** The id by which wrapped keys name the local key of this version. */
export const localKeyId = (version: number): string => `local/chartseal/${version}`;

function aad(keyId: string, context: EncryptionContext): Buffer {
  const pairs = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = [keyId, ...pairs.flat()].map((text) => Buffer.from(text));
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.allocUnsafe(2);
      length.writeUInt16BE(part.length);
      return [length, part];
    }),
  );
}

const refused = (): CryptoError =>
  new CryptoError('KMS_CONTEXT', 'The wrapped key belongs to another patient, tenant or key.');
