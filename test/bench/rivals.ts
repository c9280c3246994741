import { createSecretKey, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { encodeContext, WHOLE } from '../../src/crypto/context.ts';
import { open, seal } from '../../src/crypto/sealed-value.ts';
import { newPatientId, type TenantId } from '../../src/kernel/ids.ts';
import type { Bench, BenchOptions, Measured } from './bench.ts';

/**
 * What a team would otherwise take, side by side with ours: `value` is the rival's time for 1 KB, `floor` ours, so
 * the ratio says how many times faster ours is. Installed apart: `npm --prefix test/bench/rivals ci`.
 */

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

const patient = newPatientId();
const key = { version: 1, secret: createSecretKey(randomBytes(32)) };
const context = encodeContext({
  tenant: 'riverside' as TenantId,
  patient,
  collection: 'charts',
  document: patient,
  compartment: 'clinical',
  schema: 1,
  revision: 1,
  ...WHOLE,
});
const plaintext = randomBytes(1_024);

function awsEncryptionSdk(): AwsEncryptionSdk | null {
  try {
    return createRequire(join(import.meta.dirname, 'rivals/package.json'))(
      '@aws-crypto/client-node',
    ) as AwsEncryptionSdk;
  } catch {
    return null;
  }
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
  const sealed = seal(plaintext, key, context);
  return [
    {
      name: 'rival/aws-esdk-seal-1k',
      unit: 'us',
      target: 40,
      atLeast: true,
      measure: (bench) =>
        beside(
          () => encrypt(keyring, plaintext, options),
          () => seal(plaintext, key, context),
          bench,
        ),
    },
    {
      name: 'rival/aws-esdk-open-1k',
      unit: 'us',
      target: 40,
      atLeast: true,
      measure: async (bench) => {
        const { result } = await encrypt(keyring, plaintext, options);
        return beside(
          () => decrypt(keyring, result),
          () => open(sealed, key, context),
          bench,
        );
      },
    },
  ];
}

async function beside(
  rival: () => Promise<unknown>,
  ours: () => unknown,
  { quick }: BenchOptions,
): Promise<Measured> {
  // Each is timed over about the same span: 30 calls of the rival take as long as 1,200 of ours.
  const rounds = quick ? 5 : 25;
  const best = { value: Number.POSITIVE_INFINITY, floor: Number.POSITIVE_INFINITY };
  for (let round = -3; round < rounds; round += 1) {
    const value = await timed(30, rival);
    const floor = timedNow(1_200, ours);
    if (round >= 0) {
      best.value = Math.min(best.value, value);
      best.floor = Math.min(best.floor, floor);
    }
  }
  return best;
}

async function timed(calls: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  for (let call = 0; call < calls; call += 1) await work();
  return ((performance.now() - start) * 1_000) / calls;
}

/** Ours is synchronous; an await of its own would be charged to it. */
function timedNow(calls: number, work: () => unknown): number {
  const start = performance.now();
  for (let call = 0; call < calls; call += 1) work();
  return ((performance.now() - start) * 1_000) / calls;
}

const sdk = awsEncryptionSdk();

/** Empty where the rivals are not installed. */
export const RIVAL_BENCHES: readonly Bench[] = sdk === null ? [] : awsBenches(sdk);
