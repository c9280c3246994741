import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  EnableKeyRotationCommand,
  GetKeyRotationStatusCommand,
  type KMSClient,
  type KMSClientConfig,
  PutKeyPolicyCommand,
  RotateKeyOnDemandCommand,
} from '@aws-sdk/client-kms';
import type { TenantId } from '../kernel/ids.ts';
import { CryptoError } from './errors.ts';
import { callKms, kmsFailure, requireKeyArn } from './kms-call.ts';
import { KmsClients } from './kms-clients.ts';

/** A tenant's wrapping key as its administrator sees it. */
export interface WrappingKeyFacts {
  /** AWS's KeyState: `Enabled`, `Disabled`, `PendingDeletion`, … */
  readonly state: string;
  readonly createdAt: number | null;
  /** The generation in use (`CurrentKeyMaterialId`). */
  readonly material: string | null;
  /** Automatic rotation; null when it is off or may not be seen. */
  readonly rotation: { readonly periodDays: number; readonly nextAt: number | null } | null;
}

const PERIOD_DAYS = 365;
const ROTATED_MS = 60_000;
const POLL_MS = 500;

/**
 * What an administrator does with tenants' keys in AWS KMS. The app's role may do none of it: it makes and unwraps data
 * keys, and nothing else.
 */
export class KmsTenantKeys {
  readonly #clients: KmsClients;
  readonly #region: string;

  constructor(client: KMSClientConfig & { readonly region: string }) {
    this.#clients = new KmsClients(client);
    this.#region = client.region;
  }

  /**
   * The tenant's wrapping key: made with its alias, its policy and yearly rotation, or found again by the alias, so
   * that it may be called again after a failure. Answers its ARN, by which alone it is named from then on.
   */
  wrappingKey(tenant: TenantId): Promise<string> {
    return this.#ensure(`alias/chartseal/${tenant}`, async (kms) => {
      const made = await callKms((bound) =>
        kms.send(new CreateKeyCommand({ Description: `Chartseal tenant ${tenant}` }), bound),
      );
      const arn = made.KeyMetadata?.Arn ?? '';
      const policy = {
        KeyId: arn,
        PolicyName: 'default',
        Policy: JSON.stringify(tenantKeyPolicy(arn, tenant)),
      };
      await callKms((bound) => kms.send(new PutKeyPolicyCommand(policy), bound));
      const rotation = { KeyId: arn, RotationPeriodInDays: PERIOD_DAYS };
      await callKms((bound) => kms.send(new EnableKeyRotationCommand(rotation), bound));
      return arn;
    });
  }

  /** The key that signs the tenant's checkpoints (Ed25519), made once and found again as `wrappingKey`. */
  signingKey(tenant: TenantId): Promise<string> {
    return this.#ensure(`alias/chartseal/${tenant}/audit`, async (kms) => {
      const command = new CreateKeyCommand({ KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' });
      return (await callKms((bound) => kms.send(command, bound))).KeyMetadata?.Arn ?? '';
    });
  }

  /** @throws CryptoError `KEY_MISSING`, `KMS_DENIED` and as every call. */
  async describe(keyArn: string): Promise<WrappingKeyFacts> {
    requireKeyArn(keyArn);
    const kms = this.#clients.of(keyArn, '');
    const { KeyMetadata: key } = await callKms((bound) =>
      kms.send(new DescribeKeyCommand({ KeyId: keyArn }), bound),
    );
    const rotation = await callKms((bound) =>
      kms.send(new GetKeyRotationStatusCommand({ KeyId: keyArn }), bound),
    ).catch(() => null);
    const isOn = rotation?.KeyRotationEnabled === true;
    return {
      state: key?.KeyState ?? 'Unknown',
      createdAt: key?.CreationDate?.getTime() ?? null,
      material: key?.CurrentKeyMaterialId ?? null,
      rotation: isOn
        ? {
            periodDays: rotation.RotationPeriodInDays ?? PERIOD_DAYS,
            nextAt: rotation.NextRotationDate?.getTime() ?? null,
          }
        : null,
    };
  }

  /**
   * Rotates the key now and waits, at most a minute, until its new generation is in use. What older generations
   * wrapped still unwraps.
   *
   * @throws CryptoError as every call; `KMS_THROTTLED` after AWS's 25 rotations of one key, `KMS_UNAVAILABLE` when the
   *   new generation is not in use in time: it will be, and a rewrap can be started then.
   */
  async rotate(keyArn: string): Promise<void> {
    const before = (await this.describe(keyArn)).material;
    const kms = this.#clients.of(keyArn, '');
    await callKms((bound) => kms.send(new RotateKeyOnDemandCommand({ KeyId: keyArn }), bound));
    for (const end = Date.now() + ROTATED_MS; Date.now() < end; await sleep(POLL_MS))
      if ((await this.describe(keyArn)).material !== before) return;
    throw kmsFailure('KMS_UNAVAILABLE');
  }

  async #ensure(alias: string, make: (kms: KMSClient) => Promise<string>): Promise<string> {
    const kms = this.#clients.of(`arn:aws:kms:${this.#region}`, '');
    const found = await callKms((bound) => kms.send(new DescribeKeyCommand({ KeyId: alias }), bound)).catch(
      (error: unknown) => {
        if (error instanceof CryptoError && error.code === 'KEY_MISSING') return null;
        throw error;
      },
    );
    if (found?.KeyMetadata?.Arn !== undefined) return found.KeyMetadata.Arn;
    const arn = await make(kms);
    await callKms((bound) => kms.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: arn }), bound));
    return arn;
  }
}

/**
 * The account rules over the key, and nobody, whatever their role, uses it for data but under this tenant's encryption
 * context: tenants are apart in AWS too.
 */
export function tenantKeyPolicy(keyArn: string, tenant: TenantId): object {
  const account = keyArn.split(':')[4] ?? '';
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'AccountRules',
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
      {
        Sid: 'ThisTenantOnly',
        Effect: 'Deny',
        Principal: { AWS: '*' },
        Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:GenerateDataKey', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'],
        Resource: '*',
        Condition: { StringNotEquals: { 'kms:EncryptionContext:tenant': tenant } },
      },
    ],
  };
}
