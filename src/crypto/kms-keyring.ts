import { DecryptCommand, GenerateDataKeyCommand, KMSClient, type KMSClientConfig } from '@aws-sdk/client-kms';
import { CryptoError, type CryptoErrorCode } from './errors.ts';
import { type EncryptionContext, Keyring, type WrappedKey } from './keyring.ts';

/** How to reach AWS KMS. Credentials come from the SDK's default chain unless `client.credentials` is given. */
export interface KmsKeyringOptions {
  /** `emulator` is a label for people; the calls are the same. */
  readonly kind?: 'aws' | 'emulator';
  readonly client?: KMSClientConfig;
}

const KEY_ARN = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/;

/** AWS error name → our code. What is not named here is `KMS_UNAVAILABLE`. */
const CODES: Readonly<Record<string, CryptoErrorCode>> = {
  InvalidCiphertextException: 'KMS_CONTEXT',
  IncorrectKeyException: 'KMS_CONTEXT',
  DisabledException: 'KEY_DISABLED',
  KMSInvalidStateException: 'KEY_DISABLED',
  NotFoundException: 'KEY_MISSING',
  AccessDeniedException: 'KMS_DENIED',
  UnrecognizedClientException: 'KMS_DENIED',
  ThrottlingException: 'KMS_THROTTLED',
  LimitExceededException: 'KMS_THROTTLED',
};

const MESSAGES: Readonly<Record<string, string>> = {
  KMS_CONTEXT: 'KMS refused the wrapped key: it belongs to another patient, tenant or key.',
  KEY_DISABLED: 'The KMS key is disabled or about to be deleted. Ask the tenant to enable it.',
  KEY_MISSING: 'There is no such KMS key. Check the tenant’s key ARN and region.',
  KMS_DENIED: 'KMS denied the call. Check the role and the key policy.',
  KMS_THROTTLED: 'KMS is throttling calls. Try again in a moment.',
  KMS_UNAVAILABLE: 'KMS did not answer. Try again in a moment.',
};

/**
 * Data keys from AWS KMS. Every call names the key's ARN (an alias can be retargeted) and the encryption
 * context. At most 3 attempts with the SDK's jittered backoff; 2 s to connect, 4 s for an answer.
 */
export class KmsKeyring extends Keyring {
  override readonly kind: 'aws' | 'emulator';
  readonly #kms: KMSClient;

  constructor(options: KmsKeyringOptions = {}) {
    super();
    this.kind = options.kind ?? 'aws';
    this.#kms = new KMSClient({
      maxAttempts: 3,
      retryMode: 'standard',
      requestHandler: { connectionTimeout: 2_000, requestTimeout: 4_000, throwOnRequestTimeout: true },
      ...options.client,
    });
  }

  protected override async generateKey(keyId: string, context: EncryptionContext) {
    checkArn(keyId);
    const command = new GenerateDataKeyCommand({
      KeyId: keyId,
      KeySpec: 'AES_256',
      EncryptionContext: { ...context },
    });
    const answer = await this.#call(() => this.#kms.send(command));
    return {
      plaintext: answer.Plaintext ?? new Uint8Array(),
      wrapped: { keyId: answer.KeyId ?? '', blob: answer.CiphertextBlob ?? new Uint8Array() },
    };
  }

  protected override async unwrapKey(wrapped: WrappedKey, context: EncryptionContext) {
    checkArn(wrapped.keyId);
    const command = new DecryptCommand({
      KeyId: wrapped.keyId,
      CiphertextBlob: wrapped.blob,
      EncryptionContext: { ...context },
    });
    const answer = await this.#call(() => this.#kms.send(command));
    if (answer.KeyId !== wrapped.keyId) throw new CryptoError('KMS_CONTEXT', MESSAGES['KMS_CONTEXT'] ?? '');
    return answer.Plaintext ?? new Uint8Array();
  }

  async #call<T>(send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      const code = CODES[error instanceof Error ? error.name : ''] ?? 'KMS_UNAVAILABLE';
      throw new CryptoError(code, MESSAGES[code] ?? '');
    }
  }
}

function checkArn(keyId: string): void {
  if (!KEY_ARN.test(keyId)) {
    throw new CryptoError(
      'KEY_MISSING',
      'A KMS key is named by its full key ARN, never by an alias or a bare id.',
    );
  }
}
