import { nodeSha256 } from '../audit/node-sha256.ts';
import { storeSource } from '../audit/store-source.ts';
import type { Report } from '../audit/verify/report.ts';
import { type VerifyOptions, verifyLog } from '../audit/verify/verify-log.ts';
import type { Composed } from '../compose.ts';
import { storedDigests } from '../crypto/stored-digests.ts';
import type { TenantId } from '../kernel/ids.ts';
import { evidenceOf } from './audit-inputs.ts';

/** A tenant's log and charts as they are stored, held against what is outside and what else is `brought`. */
export async function verifyTenant(
  composed: Composed,
  tenant: TenantId,
  brought: Partial<VerifyOptions> = {},
): Promise<{ report: Report; checkpoint: Uint8Array | null }> {
  const { origin, checkpoint, earlier, keys } = await evidenceOf(composed, tenant);
  const rows = composed.store.tenant(tenant);
  const report = await verifyLog(storeSource(rows), {
    tenant,
    origin,
    checkpoint,
    keys,
    earlier: [...earlier.values()],
    stored: storedDigests(rows),
    now: Date.now(),
    sha256: nodeSha256,
    ...brought,
  });
  return { report, checkpoint };
}
