import {
  DecryptCommand,
  GenerateDataKeyCommand,
  type KMSClient,
  type KMSClientConfig,
  ReEncryptCommand,
} from '@aws-sdk/client-kms';
import { type EncryptionContext, Keyring, type WrappedKey } from './keyring.ts';
import { callKms, kmsFailure, requireKeyArn } from './kms-call.ts';
import { KmsClients } from './kms-clients.ts';

/** How to reach AWS KMS. Credentials come from the SDK's default chain unless one of these gives them. */
export interface KmsKeyringOptions {
  /** `emulator` is a label for people; the calls are the same. */
  readonly kind?: 'aws' | 'emulator';
  readonly client?: KMSClientConfig;
  /** What a tenant's own client has beside `client`: above all `credentials` that are good for this tenant only. */
  readonly clientFor?: (tenant: string) => KMSClientConfig;
}

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
    const answer = await callKms((bound) => kms.send(command, bound));
    return {
      plaintext: answer.Plaintext ?? new Uint8Array(),
      wrapped: {
        keyId: answer.KeyId ?? '',
        blob: answer.CiphertextBlob ?? new Uint8Array(),
        material: answer.KeyMaterialId ?? null,
      },
    };
  }

  protected override async unwrapKey(wrapped: WrappedKey, context: EncryptionContext) {
    const kms = this.#clientOf(wrapped.keyId, context);
    const command = new DecryptCommand({
      KeyId: wrapped.keyId,
      CiphertextBlob: wrapped.blob,
      EncryptionContext: { ...context },
    });
    const answer = await callKms((bound) => kms.send(command, bound));
    if (answer.KeyId !== wrapped.keyId) throw kmsFailure('KMS_CONTEXT');
    return answer.Plaintext ?? new Uint8Array();
  }

  /** ReEncrypt: the data key never leaves KMS. Both keys are in one Region. */
  protected override async rewrapKey(wrapped: WrappedKey, context: EncryptionContext, toKeyId: string) {
    requireKeyArn(toKeyId);
    const kms = this.#clientOf(wrapped.keyId, context);
    const command = new ReEncryptCommand({
      SourceKeyId: wrapped.keyId,
      CiphertextBlob: wrapped.blob,
      SourceEncryptionContext: { ...context },
      DestinationKeyId: toKeyId,
      DestinationEncryptionContext: { ...context },
    });
    const answer = await callKms((bound) => kms.send(command, bound));
    if (answer.SourceKeyId !== wrapped.keyId) throw kmsFailure('KMS_CONTEXT');
    return {
      keyId: answer.KeyId ?? '',
      blob: answer.CiphertextBlob ?? new Uint8Array(),
      material: answer.DestinationKeyMaterialId ?? null,
    };
  }

  #clientOf(keyId: string, context: EncryptionContext): KMSClient {
    requireKeyArn(keyId);
    return this.#clients.of(keyId, context['tenant'] ?? '');
  }
}
