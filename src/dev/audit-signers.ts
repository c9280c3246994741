import type { AuditProof } from '../compose.ts';
import type { KmsTenantKeys } from '../crypto/kms-tenant-keys.ts';
import type { TenantId } from '../kernel/ids.ts';

/** Gives each tenant's log its Ed25519 signing key of the KMS emulator, and states it outside. */
export async function addSigners(
  proof: AuditProof,
  admin: KmsTenantKeys,
  tenants: readonly TenantId[],
): Promise<void> {
  for (const tenant of tenants) {
    const keyId = await admin.signingKey(tenant);
    await proof.checkpoints.addSigner(tenant, { keyId, publicKey: await proof.signer.publicKey(keyId) });
  }
}
