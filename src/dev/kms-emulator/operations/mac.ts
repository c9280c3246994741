import { createHmac, timingSafeEqual } from 'node:crypto';
import { KmsError } from '../errors.ts';
import type { Call, Operation, Output } from './operation.ts';
import { currentMaterial, demandUsable, type Target, targetOf } from './target.ts';
import { refuseUnsupported } from './unsupported.ts';

const LOGS = ['KeyId', 'MacAlgorithm'];

/** GenerateMac, VerifyMac. */
export const MAC_OPERATIONS: Readonly<Record<string, Operation>> = {
  GenerateMac: { readOnly: true, logs: LOGS, run: generateMac },
  VerifyMac: { readOnly: true, logs: LOGS, run: verifyMac },
};

const ALGORITHMS = ['HMAC_SHA_224', 'HMAC_SHA_256', 'HMAC_SHA_384', 'HMAC_SHA_512'] as const;

function generateMac(call: Call): Output {
  const { target, algorithm, mac } = compute(call);
  return { Mac: mac.toString('base64'), MacAlgorithm: algorithm, KeyId: target.arn };
}

/** As in AWS a wrong MAC is an error, never `MacValid: false`. */
function verifyMac(call: Call): Output {
  const claimed = call.input.bytes('Mac', { min: 1, max: 6144 });
  const { target, algorithm, mac } = compute(call);
  if (claimed.length !== mac.length || !timingSafeEqual(claimed, mac)) {
    throw new KmsError('KMSInvalidMacException', 'The MAC is not valid.');
  }
  return { KeyId: target.arn, MacValid: true, MacAlgorithm: algorithm };
}

function compute(call: Call): { target: Target; algorithm: string; mac: Buffer } {
  const algorithm = call.input.oneOf('MacAlgorithm', ALGORITHMS);
  const message = call.input.bytes('Message', { min: 1, max: 4096 });
  const target = targetOf(call, 'KeyId', { conditions: { 'kms:MacAlgorithm': algorithm } });
  demandUsable(call, target, 'GENERATE_VERIFY_MAC', algorithm);
  refuseUnsupported(call);
  const secret = Buffer.from(currentMaterial(target.key).secret, 'base64');
  return { target, algorithm, mac: createHmac('sha256', secret).update(message).digest() };
}
