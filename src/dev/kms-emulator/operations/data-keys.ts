import { randomBytes } from 'node:crypto';
import { KmsError } from '../errors.ts';
import { sealUnder } from './encrypt.ts';
import type { Call, Operation, Output } from './operation.ts';
import { currentMaterial, demandUsable, targetOf } from './target.ts';
import { refuseUnsupported } from './unsupported.ts';

const LOGS = ['KeyId', 'EncryptionContext', 'KeySpec', 'NumberOfBytes'];

/** GenerateDataKey, GenerateDataKeyWithoutPlaintext, GenerateRandom. */
export const DATA_KEY_OPERATIONS: Readonly<Record<string, Operation>> = {
  GenerateDataKey: {
    readOnly: true,
    logs: LOGS,
    run: (call) => {
      const { plaintext, output } = generateDataKey(call);
      return { ...output, Plaintext: plaintext.toString('base64') };
    },
  },
  GenerateDataKeyWithoutPlaintext: {
    readOnly: true,
    logs: LOGS,
    run: (call) => generateDataKey(call).output,
  },
  GenerateRandom: { readOnly: true, logs: ['NumberOfBytes'], run: generateRandom },
};

function generateDataKey(call: Call): { plaintext: Buffer; output: Output } {
  const length = dataKeyLength(call);
  const context = call.input.context('EncryptionContext');
  const target = targetOf(call, 'KeyId', { context });
  demandUsable(call, target, 'ENCRYPT_DECRYPT');
  refuseUnsupported(call);
  const plaintext = randomBytes(length);
  const output = {
    CiphertextBlob: sealUnder(target, plaintext, context).toString('base64'),
    KeyId: target.arn,
    KeyMaterialId: currentMaterial(target.key).id,
  };
  return { plaintext, output };
}

function dataKeyLength(call: Call): number {
  const bytes = call.input.optionalInteger('NumberOfBytes', { min: 1, max: 1024 });
  const spec = call.input.has('KeySpec') ? call.input.oneOf('KeySpec', ['AES_256', 'AES_128']) : undefined;
  if ((bytes === undefined) === (spec === undefined)) {
    throw new KmsError('ValidationException', 'Please specify either number of bytes or key spec.');
  }
  return bytes ?? (spec === 'AES_128' ? 16 : 32);
}

function generateRandom(call: Call): Output {
  const length = call.input.optionalInteger('NumberOfBytes', { min: 1, max: 1024 });
  if (length === undefined) throw new KmsError('ValidationException', 'NumberOfBytes is required.');
  if (call.input.has('CustomKeyStoreId')) {
    throw new KmsError('UnsupportedOperationException', 'Custom key stores are not emulated.');
  }
  call.rules.demand({ caller: call.caller, action: 'kms:GenerateRandom' });
  refuseUnsupported(call);
  return { Plaintext: randomBytes(length).toString('base64') };
}
