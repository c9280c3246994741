import { GetPublicKeyCommand, type KMSClientConfig, SignCommand } from '@aws-sdk/client-kms';
import { callKms, kmsFailure, requireKeyArn } from './kms-call.ts';
import { KmsClients } from './kms-clients.ts';

/** The DER around an Ed25519 public key (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const SIGNATURE = 64;

/**
 * Signs with Ed25519 keys of AWS KMS (`ECC_NIST_EDWARDS25519`): the private key never leaves KMS, and the role that
 * may use it is not the app's.
 */
export class KmsSigner {
  readonly #clients: KmsClients;

  constructor(client: KMSClientConfig = {}) {
    this.#clients = new KmsClients(client);
  }

  /**
   * The signature, 64 bytes, over the message itself, of 1 to 4,096 bytes.
   *
   * @throws CryptoError `KEY_MISSING`, `KEY_DISABLED`, `KMS_DENIED`, `KMS_THROTTLED`, `KMS_UNAVAILABLE`.
   */
  async sign(keyArn: string, message: Uint8Array): Promise<Uint8Array> {
    requireKeyArn(keyArn);
    const command = new SignCommand({
      KeyId: keyArn,
      Message: message,
      MessageType: 'RAW',
      SigningAlgorithm: 'ED25519_SHA_512',
    });
    const { Signature } = await callKms((bound) => this.#clients.of(keyArn, '').send(command, bound));
    if (Signature?.length !== SIGNATURE) throw kmsFailure('KEY_MISSING');
    return Signature;
  }

  /** The raw public key, 32 bytes. @throws CryptoError as `sign`, and `KEY_MISSING` for a key of another kind. */
  async publicKey(keyArn: string): Promise<Uint8Array> {
    requireKeyArn(keyArn);
    const command = new GetPublicKeyCommand({ KeyId: keyArn });
    const { PublicKey } = await callKms((bound) => this.#clients.of(keyArn, '').send(command, bound));
    const der = Buffer.from(PublicKey ?? []);
    if (der.length !== 44 || !der.subarray(0, 12).equals(SPKI_PREFIX)) throw kmsFailure('KEY_MISSING');
    return new Uint8Array(der.subarray(12));
  }
}
