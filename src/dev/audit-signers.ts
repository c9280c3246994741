import { CreateAliasCommand, CreateKeyCommand, DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import type { AuditProof } from '../compose.ts';
import type { Config } from '../config.ts';
import type { TenantId } from '../kernel/ids.ts';

/** Gives each tenant's log its Ed25519 signing key of the KMS emulator, and states it outside. */
export async function addSigners(
  config: Config,
  proof: AuditProof,
  tenants: readonly TenantId[],
): Promise<void> {
  for (const tenant of tenants) {
    const keyId = await signingKey(config, tenant);
    await proof.checkpoints.addSigner(tenant, { keyId, publicKey: await proof.signer.publicKey(keyId) });
  }
}

/** Made once for each tenant, and found again by its alias. */
async function signingKey({ kms }: Config, tenant: TenantId): Promise<string> {
  if (kms.kind !== 'emulator') return '';
  const credentials = { accessKeyId: 'emulator', secretAccessKey: 'emulator' };
  const client = new KMSClient({ region: kms.region, endpoint: kms.endpoint, credentials });
  const alias = `alias/chartseal/${tenant}/audit`;
  try {
    const found = await client.send(new DescribeKeyCommand({ KeyId: alias }));
    return found.KeyMetadata?.Arn ?? '';
  } catch (error) {
    if (!(error instanceof Error && error.name === 'NotFoundException')) throw error;
  }
  const created = await client.send(
    new CreateKeyCommand({ KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' }),
  );
  const arn = created.KeyMetadata?.Arn ?? '';
  await client.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: arn }));
  return arn;
}
