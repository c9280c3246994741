import { type EncryptionContext, notOurs, openBlob, parseBlob, sealBlob } from '../ciphertext.ts';
import { KmsError } from '../errors.ts';
import type { Call, Operation, Output } from './operation.ts';
import { currentMaterial, demandUsable, lookUp, reach, type Target, targetOf } from './target.ts';
import { refuseUnsupported } from './unsupported.ts';

/** Encrypt, Decrypt, ReEncrypt. */
export const ENCRYPT_OPERATIONS: Readonly<Record<string, Operation>> = {
  Encrypt: { readOnly: true, logs: ['KeyId', 'EncryptionContext', 'EncryptionAlgorithm'], run: encrypt },
  Decrypt: { readOnly: true, logs: ['KeyId', 'EncryptionContext', 'EncryptionAlgorithm'], run: decrypt },
  ReEncrypt: {
    readOnly: true,
    logs: [
      'SourceKeyId',
      'SourceEncryptionContext',
      'SourceEncryptionAlgorithm',
      'DestinationKeyId',
      'DestinationEncryptionContext',
      'DestinationEncryptionAlgorithm',
    ],
    run: reEncrypt,
  },
};

const ALGORITHMS = ['SYMMETRIC_DEFAULT', 'RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256', 'SM2PKE'] as const;

function encrypt(call: Call): Output {
  const plaintext = call.input.bytes('Plaintext', { min: 1, max: 4096 });
  const context = call.input.context('EncryptionContext');
  const algorithm = call.input.oneOf('EncryptionAlgorithm', ALGORITHMS, 'SYMMETRIC_DEFAULT');
  const target = targetOf(call, 'KeyId', { context, conditions: { 'kms:EncryptionAlgorithm': algorithm } });
  demandUsable(call, target, 'ENCRYPT_DECRYPT', algorithm);
  refuseUnsupported(call);
  return {
    CiphertextBlob: sealUnder(target, plaintext, context).toString('base64'),
    KeyId: target.arn,
    EncryptionAlgorithm: algorithm,
  };
}

function decrypt(call: Call): Output {
  const context = call.input.context('EncryptionContext');
  const algorithm = call.input.oneOf('EncryptionAlgorithm', ALGORITHMS, 'SYMMETRIC_DEFAULT');
  const opened = open(call, { key: 'KeyId', action: 'Decrypt', context, algorithm });
  return {
    Plaintext: opened.plaintext.toString('base64'),
    KeyId: opened.target.arn,
    EncryptionAlgorithm: algorithm,
    KeyMaterialId: opened.materialId,
  };
}

/** `kms:ReEncryptFrom` on the source, `kms:ReEncryptTo` on the destination; both are checked before any work. */
function reEncrypt(call: Call): Output {
  const from = call.input.context('SourceEncryptionContext');
  const to = call.input.context('DestinationEncryptionContext');
  const sourceAlgorithm = call.input.oneOf('SourceEncryptionAlgorithm', ALGORITHMS, 'SYMMETRIC_DEFAULT');
  const algorithm = call.input.oneOf('DestinationEncryptionAlgorithm', ALGORITHMS, 'SYMMETRIC_DEFAULT');
  const destination = targetOf(call, 'DestinationKeyId', {
    action: 'ReEncryptTo',
    context: to,
    conditions: { 'kms:EncryptionAlgorithm': algorithm },
  });
  demandUsable(call, destination, 'ENCRYPT_DECRYPT', algorithm);
  const source = open(call, {
    key: 'SourceKeyId',
    action: 'ReEncryptFrom',
    context: from,
    algorithm: sourceAlgorithm,
  });
  return {
    CiphertextBlob: sealUnder(destination, source.plaintext, to).toString('base64'),
    SourceKeyId: source.target.arn,
    KeyId: destination.arn,
    SourceEncryptionAlgorithm: sourceAlgorithm,
    DestinationEncryptionAlgorithm: algorithm,
    SourceKeyMaterialId: source.materialId,
    DestinationKeyMaterialId: currentMaterial(destination.key).id,
  };
}

/** Encrypts under the key's current material. */
export function sealUnder(target: Target, plaintext: Uint8Array, context: EncryptionContext): Buffer {
  const material = currentMaterial(target.key);
  const secret = Buffer.from(material.secret, 'base64');
  return sealBlob({ keyId: target.key.keyId, materialId: material.id, secret }, plaintext, context);
}

interface Opening {
  /** The member that may name the key. */
  readonly key: 'KeyId' | 'SourceKeyId';
  readonly action: 'Decrypt' | 'ReEncryptFrom';
  readonly context: EncryptionContext;
  readonly algorithm: string;
}

interface Opened {
  readonly target: Target;
  readonly plaintext: Buffer;
  readonly materialId: string;
}

function open(call: Call, { key, action, context, algorithm }: Opening): Opened {
  const bytes = call.input.bytes('CiphertextBlob', { min: 1, max: 6144 });
  const access = { action, context, conditions: { 'kms:EncryptionAlgorithm': algorithm } };
  const named = call.input.has(key) ? targetOf(call, key, access) : null;
  if (named !== null) demandUsable(call, named, 'ENCRYPT_DECRYPT', algorithm);
  const blob = parseBlob(bytes);
  if (named !== null && named.key.keyId !== blob.keyId) {
    throw new KmsError(
      'IncorrectKeyException',
      'The key ID in the request does not identify a CMK that can perform this operation.',
    );
  }
  const target = named ?? reach(call, lookUp(call, blob.keyId) ?? unknownKey(), access);
  demandUsable(call, target, 'ENCRYPT_DECRYPT', algorithm);
  refuseUnsupported(call);
  const material = target.key.materials.find((one) => one.id === blob.materialId);
  if (material === undefined) throw notOurs();
  const plaintext = openBlob(blob, Buffer.from(material.secret, 'base64'), context);
  return { target, plaintext, materialId: material.id };
}

/** What AWS says when the blob's key is not one of this account and Region; it does not tell which it is. */
function unknownKey(): never {
  throw new KmsError(
    'AccessDeniedException',
    'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
  );
}
