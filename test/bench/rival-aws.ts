import { randomBytes } from 'node:crypto';
import type { Bench } from './bench.ts';
import { beside, ourOpen, ourSeal, patient, plaintext, rival } from './beside.ts';

/** The part of the AWS Encryption SDK for JavaScript that is used here. */
interface AwsEncryptionSdk {
  buildClient(policy: unknown): {
    encrypt(keyring: unknown, plaintext: Uint8Array, options: object): Promise<{ result: Uint8Array }>;
    decrypt(keyring: unknown, ciphertext: Uint8Array): Promise<{ plaintext: Uint8Array }>;
  };
  readonly CommitmentPolicy: { readonly REQUIRE_ENCRYPT_REQUIRE_DECRYPT: unknown };
  readonly AlgorithmSuiteIdentifier: Readonly<Record<string, unknown>>;
  readonly RawAesKeyringNode: new (options: object) => unknown;
  readonly RawAesWrappingSuiteIdentifier: Readonly<Record<string, unknown>>;
}

/** With key commitment and without signatures, its keys wrapped locally: no call leaves the process on either side. */
function awsBenches(sdk: AwsEncryptionSdk): Bench[] {
  const { encrypt, decrypt } = sdk.buildClient(sdk.CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  const keyring = new sdk.RawAesKeyringNode({
    keyName: 'bench',
    keyNamespace: 'chartseal',
    unencryptedMasterKey: new Uint8Array(randomBytes(32)),
    wrappingSuite: sdk.RawAesWrappingSuiteIdentifier['AES256_GCM_IV12_TAG16_NO_PADDING'],
  });
  const suiteId = sdk.AlgorithmSuiteIdentifier['ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY'];
  const options = { suiteId, encryptionContext: { tenant: 'riverside', patient } };
  return [
    {
      name: 'rival/aws-esdk-seal-1k',
      unit: 'us',
      target: 40,
      atLeast: true,
      measure: (bench) => beside(() => encrypt(keyring, plaintext, options), ourSeal, bench),
    },
    {
      name: 'rival/aws-esdk-open-1k',
      unit: 'us',
      target: 40,
      atLeast: true,
      measure: async (bench) => {
        const { result } = await encrypt(keyring, plaintext, options);
        return beside(() => decrypt(keyring, result), ourOpen, bench);
      },
    },
  ];
}

const sdk = rival<AwsEncryptionSdk>('@aws-crypto/client-node');

/** Empty where it is not installed. */
export const AWS_BENCHES: readonly Bench[] = sdk === null ? [] : awsBenches(sdk);
