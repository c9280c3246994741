import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateAliasCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DescribeKeyCommand,
  EnableKeyRotationCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  type KMSClient,
  type KMSClientConfig,
  PutKeyPolicyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  type Tag,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms';
import type { TenantId } from '../kernel/ids.ts';
import { CryptoError } from './errors.ts';
import { callKms, kmsFailure, requireKeyArn } from './kms-call.ts';
import { KmsClients } from './kms-clients.ts';
import { findTagged, isTagged } from './kms-tagged-keys.ts';

/** A tenant's wrapping key as its administrator sees it. */
export interface WrappingKeyFacts {
  /** AWS's KeyState: `Enabled`, `Disabled`, `PendingDeletion`, … */
  readonly state: string;
  readonly createdAt: number | null;
  /** When it is destroyed for good, ms since the epoch; null while nobody wants that. */
  readonly deletedAt: number | null;
  /** The generation in use (`CurrentKeyMaterialId`). */
  readonly material: string | null;
  /** Automatic rotation; null when it is off or may not be seen. */
  readonly rotation: { readonly periodDays: number; readonly nextAt: number | null } | null;
}

/** How often KMS turns a tenant’s key, in days. */
export const WRAPPING_KEY_DAYS = 365;
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
   * The tenant's wrapping key: made with its tags, its policy, yearly rotation and its alias, or found again by the alias
   * or, where an earlier call ended before that, by the tags. Answers its ARN, by which alone it is named from then on.
   */
  wrappingKey(tenant: TenantId): Promise<string> {
    return this.#ensure(wrappingAlias(tenant), async (kms) => {
      const arn = await makeOnce(kms, tagsOf(tenant, 'wrapping'), {
        Description: `Chartseal tenant ${tenant}`,
      });
      const policy = {
        KeyId: arn,
        PolicyName: 'default',
        Policy: JSON.stringify(tenantKeyPolicy(arn, tenant)),
      };
      await callKms((bound) => kms.send(new PutKeyPolicyCommand(policy), bound));
      const rotation = { KeyId: arn, RotationPeriodInDays: WRAPPING_KEY_DAYS };
      await callKms((bound) => kms.send(new EnableKeyRotationCommand(rotation), bound));
      return arn;
    });
  }

  /** The key that signs the tenant's checkpoints (Ed25519), made once and found again as `wrappingKey`. */
  signingKey(tenant: TenantId): Promise<string> {
    return this.#ensure(`alias/chartseal/${tenant}/audit`, async (kms) => {
      const signs = { KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' } as const;
      return makeOnce(kms, tagsOf(tenant, 'signing'), signs);
    });
  }

  /** Whether Chartseal made this key for the tenant, rather than that the tenant brought it. */
  async isOurs(tenant: TenantId, keyArn: string): Promise<boolean> {
    requireKeyArn(keyArn);
    return isTagged(this.#clients.of(keyArn, ''), keyArn, tagsOf(tenant, 'wrapping'));
  }

  /**
   * The key that comes after this one, with the same policy: made once, and found again by its tags. The alias names it
   * from then on. The one before is left as it is.
   */
  async successor(tenant: TenantId, keyArn: string): Promise<string> {
    requireKeyArn(keyArn);
    const kms = this.#clients.of(keyArn, '');
    const named = { KeyId: keyArn, PolicyName: 'default' };
    const { Policy } = await callKms((bound) => kms.send(new GetKeyPolicyCommand(named), bound));
    const tags = [...tagsOf(tenant, 'wrapping'), { TagKey: AFTER, TagValue: keyArn.split('/')[1] ?? '' }];
    const arn = await makeOnce(kms, tags, {
      Description: `Chartseal tenant ${tenant}`,
      // The policy stands already, on the key before: who makes the next one need not be able to change it.
      ...(Policy !== undefined && { Policy, BypassPolicyLockoutSafetyCheck: true }),
    });
    const rotation = { KeyId: arn, RotationPeriodInDays: WRAPPING_KEY_DAYS };
    await callKms((bound) => kms.send(new EnableKeyRotationCommand(rotation), bound));
    const alias = { AliasName: wrappingAlias(tenant), TargetKeyId: arn };
    await callKms((bound) => kms.send(new UpdateAliasCommand(alias), bound));
    return arn;
  }

  /**
   * Has KMS destroy a key after so many days, 7 to 30; from now on it opens nothing. Answers when, also for one that is
   * on its way already. **What it wrapped never opens again:** prove first that nothing is left.
   */
  async end(keyArn: string, days: number): Promise<number> {
    const before = await this.describe(keyArn);
    if (before.deletedAt !== null) return before.deletedAt;
    const kms = this.#clients.of(keyArn, '');
    const command = new ScheduleKeyDeletionCommand({ KeyId: keyArn, PendingWindowInDays: days });
    const { DeletionDate } = await callKms((bound) => kms.send(command, bound));
    if (DeletionDate === undefined) throw kmsFailure('KMS_UNAVAILABLE');
    return DeletionDate.getTime();
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
      deletedAt: key?.DeletionDate?.getTime() ?? null,
      material: key?.CurrentKeyMaterialId ?? null,
      rotation: isOn
        ? {
            periodDays: rotation.RotationPeriodInDays ?? WRAPPING_KEY_DAYS,
            nextAt: rotation.NextRotationDate?.getTime() ?? null,
          }
        : null,
    };
  }

  /** The key's policy as KMS holds it, JSON. @throws CryptoError `KEY_MISSING`, `KMS_DENIED` and as every call. */
  async policy(keyArn: string): Promise<string> {
    requireKeyArn(keyArn);
    const kms = this.#clients.of(keyArn, '');
    const { Policy } = await callKms((bound) =>
      kms.send(new GetKeyPolicyCommand({ KeyId: keyArn, PolicyName: 'default' }), bound),
    );
    return Policy ?? '';
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

const AFTER = 'chartseal-after';
const wrappingAlias = (tenant: TenantId): string => `alias/chartseal/${tenant}`;

/** What a key is for; whoever made it may have been killed before it had its alias. */
const tagsOf = (tenant: TenantId, use: 'wrapping' | 'signing'): Tag[] => [
  { TagKey: 'chartseal-tenant', TagValue: tenant },
  { TagKey: 'chartseal-use', TagValue: use },
];

/** A key that has exactly these tags of ours already, or a new one. */
async function makeOnce(kms: KMSClient, tags: Tag[], input: CreateKeyCommandInput): Promise<string> {
  const found = await findTagged(kms, tags);
  if (found !== null) return found;
  const command = new CreateKeyCommand({ ...input, Tags: tags });
  return (await callKms((bound) => kms.send(command, bound))).KeyMetadata?.Arn ?? '';
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
