import {
  DecryptCommand,
  GenerateDataKeyCommand,
  type KMSClient,
  type KMSClientConfig,
  ReEncryptCommand,
} from '@aws-sdk/client-kms';
import { CryptoError, type CryptoErrorCode } from './errors.ts';
import { type EncryptionContext, Keyring, type WrappedKey } from './keyring.ts';
import { KmsClients } from './kms-clients.ts';

/** How to reach AWS KMS. Credentials come from the SDK's default chain unless one of these gives them. */
export interface KmsKeyringOptions {
  /** `emulator` is a label for people; the calls are the same. */
  readonly kind?: 'aws' | 'emulator';
  readonly client?: KMSClientConfig;
  /** What a tenant's own client has beside `client`: above all `credentials` that are good for this tenant only. */
  readonly clientFor?: (tenant: string) => KMSClientConfig;
}

const KEY_ARN = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/;
/** For one call with all its attempts; they also end one by one, by the bounds of the client. */
const CALL_MS = 10_000;

/** AWS error name → our code. What is not named here is `KMS_UNAVAILABLE`. */
const CODES: Readonly<Record<string, CryptoErrorCode>> = {
  InvalidCiphertextException: 'KMS_CONTEXT',
  IncorrectKeyException: 'KMS_CONTEXT',
  DisabledException: 'KEY_DISABLED',
  KMSInvalidStateException: 'KEY_DISABLED',
  NotFoundException: 'KEY_MISSING',
  InvalidKeyUsageException: 'KEY_MISSING',
  AccessDeniedException: 'KMS_DENIED',
  AccessDenied: 'KMS_DENIED',
  UnrecognizedClientException: 'KMS_DENIED',
  InvalidIdentityToken: 'KMS_DENIED',
  InvalidIdentityTokenException: 'KMS_DENIED',
  ExpiredTokenException: 'KMS_DENIED',
  CredentialsProviderError: 'KMS_DENIED',
  ThrottlingException: 'KMS_THROTTLED',
  LimitExceededException: 'KMS_THROTTLED',
};

const MESSAGES: Readonly<Record<string, string>> = {
  KMS_CONTEXT: 'KMS refused the wrapped key: it belongs to another patient, tenant or key.',
  KEY_DISABLED: 'The KMS key is disabled or about to be deleted. Ask the tenant to enable it.',
  KEY_MISSING: 'There is no such KMS key. Check the tenant’s key ARN and region.',
  KMS_DENIED: 'KMS denied the call. Check the credentials, the role and the key policy.',
  KMS_THROTTLED: 'KMS is throttling calls. Try again in a moment.',
  KMS_UNAVAILABLE: 'KMS did not answer. Try again in a moment.',
};

/**
 * Data keys from AWS KMS. Every call names the key's ARN (an alias can be retargeted) and the encryption
 * context. A call takes at most 3 attempts with jittered backoff, and 10 s.
 */
export class KmsKeyring extends Keyring {
  override readonly kind: 'aws' | 'emulator';
  readonly #clients: KmsClients;

  constructor(options: KmsKeyringOptions = {}) {
    super();
    this.kind = options.kind ?? 'aws';
    this.#clients = new KmsClients(options.client, options.clientFor);
  }

  protected override async generateKey(keyId: string, context: EncryptionContext) {
    const kms = this.#clientOf(keyId, context);
    const command = new GenerateDataKeyCommand({
      KeyId: keyId,
      KeySpec: 'AES_256',
      EncryptionContext: { ...context },
    });
    const answer = await call((bound) => kms.send(command, bound));
    return {
      plaintext: answer.Plaintext ?? new Uint8Array(),
      wrapped: { keyId: answer.KeyId ?? '', blob: answer.CiphertextBlob ?? new Uint8Array() },
    };
  }

  protected override async unwrapKey(wrapped: WrappedKey, context: EncryptionContext) {
    const kms = this.#clientOf(wrapped.keyId, context);
    const command = new DecryptCommand({
      KeyId: wrapped.keyId,
      CiphertextBlob: wrapped.blob,
      EncryptionContext: { ...context },
    });
    const answer = await call((bound) => kms.send(command, bound));
    if (answer.KeyId !== wrapped.keyId) throw failure('KMS_CONTEXT');
    return answer.Plaintext ?? new Uint8Array();
  }

  /** ReEncrypt: the data key never leaves KMS. Both keys are in one Region. */
  protected override async rewrapKey(wrapped: WrappedKey, context: EncryptionContext, toKeyId: string) {
    checkArn(toKeyId);
    const kms = this.#clientOf(wrapped.keyId, context);
    const command = new ReEncryptCommand({
      SourceKeyId: wrapped.keyId,
      CiphertextBlob: wrapped.blob,
      SourceEncryptionContext: { ...context },
      DestinationKeyId: toKeyId,
      DestinationEncryptionContext: { ...context },
    });
    const answer = await call((bound) => kms.send(command, bound));
    if (answer.SourceKeyId !== wrapped.keyId) throw failure('KMS_CONTEXT');
    return { keyId: answer.KeyId ?? '', blob: answer.CiphertextBlob ?? new Uint8Array() };
  }

  #clientOf(keyId: string, context: EncryptionContext): KMSClient {
    checkArn(keyId);
    return this.#clients.of(keyId, context['tenant'] ?? '');
  }
}

/** Runs one call; whatever goes wrong leaves as a code, without AWS's text, which may quote the request. */
async function call<T>(send: (bound: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
  try {
    return await send({ abortSignal: AbortSignal.timeout(CALL_MS) });
  } catch (error) {
    if (error instanceof CryptoError) throw error;
    throw failure(CODES[error instanceof Error ? error.name : ''] ?? 'KMS_UNAVAILABLE');
  }
}

const failure = (code: CryptoErrorCode): CryptoError => new CryptoError(code, MESSAGES[code] ?? '');

function checkArn(keyId: string): void {
  if (!KEY_ARN.test(keyId)) {
    throw new CryptoError(
      'KEY_MISSING',
      'A KMS key is named by its full key ARN, never by an alias or a bare id.',
    );
  }
}
