import { setTimeout as sleep } from 'node:timers/promises';
import { CreateAliasCommand, CreateKeyCommand, DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { checkpointRound, sequenceRound } from '../audit/rounds.ts';
import type { Composed } from '../compose.ts';
import type { Config } from '../config.ts';
import { ChartsealError } from '../kernel/errors.ts';
import type { TenantId } from '../kernel/ids.ts';

const SEQUENCE_MS = 2_000;
const CHECKPOINT_MS = 60_000;

/**
 * What two scheduled functions do in production: sequences each tenant's log every 2 s and signs a checkpoint every
 * minute, with an Ed25519 key of the KMS emulator for each tenant.
 *
 * @returns how to end it: waits for the round under way.
 */
export function startAuditLoop(
  config: Config,
  composed: Composed,
  onFault: (fault: { name: string; code: string }) => void,
): () => Promise<void> {
  const ending = new AbortController();
  const tell = (error: unknown): void => {
    const isOurs = error instanceof ChartsealError;
    onFault({ name: isOurs ? error.name : 'Error', code: isOurs ? error.code : 'AUDIT_LOOP' });
  };
  const loop = async (): Promise<void> => {
    let next = 0;
    while (!ending.signal.aborted) {
      const tenants = await composed.tenants().catch(() => []);
      await sequenceRound(composed.store, tenants, { onFault: tell, signal: ending.signal });
      if (Date.now() >= next && !ending.signal.aborted) {
        next = Date.now() + CHECKPOINT_MS;
        await publish(config, composed, tenants, tell);
      }
      await sleep(SEQUENCE_MS, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  };
  const running = loop().catch(tell);
  return async () => {
    ending.abort();
    await running;
  };
}

async function publish(
  config: Config,
  { proof }: Composed,
  tenants: readonly TenantId[],
  onFault: (error: unknown) => void,
): Promise<void> {
  if (proof === null) return;
  for (const tenant of tenants) {
    const keyId = await signingKey(config, tenant);
    await proof.checkpoints.addSigner(tenant, { keyId, publicKey: await proof.signer.publicKey(keyId) });
  }
  await checkpointRound(proof.checkpoints, tenants, onFault);
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
