import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto';
import { signDigest, verifyDigest } from '../ecdsa-digest.ts';
import { KmsError } from '../errors.ts';
import { KEY_SPECS } from '../specs.ts';
import type { StoredKey } from '../state.ts';
import type { Call, Operation, Output } from './operation.ts';
import { currentMaterial, demandEnabled, demandUsable, type Target, targetOf } from './target.ts';
import { refuseUnsupported } from './unsupported.ts';

const LOGS = ['KeyId', 'MessageType', 'SigningAlgorithm'];

/** Sign, Verify, GetPublicKey. */
export const SIGN_OPERATIONS: Readonly<Record<string, Operation>> = {
  Sign: { readOnly: true, logs: LOGS, run: sign },
  Verify: { readOnly: true, logs: LOGS, run: verify },
  GetPublicKey: { readOnly: true, logs: ['KeyId'], run: getPublicKey },
};

const ALGORITHMS = [
  'ECDSA_SHA_256',
  'ECDSA_SHA_384',
  'ECDSA_SHA_512',
  'ED25519_SHA_512',
  'ED25519_PH_SHA_512',
  'ML_DSA_SHAKE_256',
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
  'SM2DSA',
] as const;
type Algorithm = (typeof ALGORITHMS)[number];
type MessageType = 'RAW' | 'DIGEST';

interface Signing {
  readonly target: Target;
  readonly algorithm: Algorithm;
  readonly type: MessageType;
  readonly message: Buffer;
}

function sign(call: Call): Output {
  const { target, algorithm, type, message } = prepare(call);
  const key = privateKey(target.key);
  const signature =
    type === 'DIGEST' ? signDigest(key, message) : signBytes(digestName(algorithm), message, key);
  return { KeyId: target.arn, Signature: signature.toString('base64'), SigningAlgorithm: algorithm };
}

/** As in AWS a wrong signature is an error, never `SignatureValid: false`. */
function verify(call: Call): Output {
  const signature = call.input.bytes('Signature', { min: 1, max: 6144 });
  const { target, algorithm, type, message } = prepare(call);
  const key = privateKey(target.key);
  const valid =
    type === 'DIGEST'
      ? verifyDigest(key, message, signature)
      : verifyBytes(digestName(algorithm), message, createPublicKey(key), signature);
  if (!valid) throw new KmsError('KMSInvalidSignatureException', 'The signature is not valid.');
  return { KeyId: target.arn, SignatureValid: true, SigningAlgorithm: algorithm };
}

function getPublicKey(call: Call): Output {
  const target = targetOf(call, 'KeyId');
  const { key } = target;
  if (key.usage !== 'SIGN_VERIFY') {
    throw new KmsError('UnsupportedOperationException', `${target.arn} is not an asymmetric key.`);
  }
  demandEnabled(target);
  const spki = createPublicKey(privateKey(key)).export({ type: 'spki', format: 'der' });
  return {
    KeyId: target.arn,
    PublicKey: spki.toString('base64'),
    CustomerMasterKeySpec: key.spec,
    KeySpec: key.spec,
    KeyUsage: key.usage,
    SigningAlgorithms: KEY_SPECS[key.spec].algorithms,
  };
}

function prepare(call: Call): Signing {
  const algorithm = call.input.oneOf('SigningAlgorithm', ALGORITHMS);
  const type = call.input.oneOf('MessageType', ['RAW', 'DIGEST', 'EXTERNAL_MU'], 'RAW');
  const message = call.input.bytes('Message', { min: 1, max: 4096 });
  const target = targetOf(call, 'KeyId', {
    conditions: { 'kms:SigningAlgorithm': algorithm, 'kms:MessageType': type },
  });
  demandUsable(call, target, 'SIGN_VERIFY', algorithm);
  if (type === 'EXTERNAL_MU' || (algorithm === 'ED25519_SHA_512' && type !== 'RAW')) {
    throw new KmsError('ValidationException', `Algorithm ${algorithm} does not take MessageType ${type}.`);
  }
  if (algorithm === 'ED25519_PH_SHA_512') {
    throw new KmsError(
      'UnsupportedOperationException',
      'ED25519_PH_SHA_512 is not emulated: use ED25519_SHA_512.',
    );
  }
  if (type === 'DIGEST' && message.length !== 32) {
    throw new KmsError('ValidationException', `Digest is invalid length for algorithm ${algorithm}.`);
  }
  refuseUnsupported(call);
  return { target, algorithm, type, message };
}

/** Ed25519 hashes inside; ECDSA is told its hash. */
const digestName = (algorithm: Algorithm): string | null => (algorithm === 'ECDSA_SHA_256' ? 'sha256' : null);

const privateKey = (key: StoredKey): KeyObject =>
  createPrivateKey({ key: Buffer.from(currentMaterial(key).secret, 'base64'), format: 'der', type: 'pkcs8' });
