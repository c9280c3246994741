import { keyArn } from '../arn.ts';
import { KmsError } from '../errors.ts';
import { KEY_SPECS } from '../specs.ts';
import type { StoredKey } from '../state.ts';
import { type Call, type Output, seconds } from './operation.ts';

/** A key's `KeyMetadata`, as its Region sees it. */
export function metadata(call: Call, key: StoredKey, region = call.caller.region): Output {
  const regional = key.regions[region];
  if (regional === undefined) throw new KmsError('KMSInternalException', 'The key is not in this Region.');
  const facts = KEY_SPECS[key.spec];
  return {
    AWSAccountId: call.accountId,
    KeyId: key.keyId,
    Arn: keyArn(region, call.accountId, key.keyId),
    CreationDate: seconds(regional.createdAt),
    Enabled: regional.state === 'Enabled',
    Description: regional.description,
    KeyUsage: key.usage,
    KeyState: regional.state,
    Origin: 'AWS_KMS',
    KeyManager: 'CUSTOMER',
    CustomerMasterKeySpec: key.spec,
    KeySpec: key.spec,
    [facts.member]: facts.algorithms,
    MultiRegion: key.multiRegion,
    ...(key.multiRegion ? { MultiRegionConfiguration: multiRegion(call, key, region) } : {}),
    ...(regional.deletionDate === null ? {} : { DeletionDate: seconds(regional.deletionDate) }),
    ...(regional.state === 'PendingReplicaDeletion'
      ? { PendingDeletionWindowInDays: regional.pendingWindowInDays }
      : {}),
    ...(key.spec === 'SYMMETRIC_DEFAULT' ? { CurrentKeyMaterialId: key.materials.at(-1)?.id } : {}),
  };
}

function multiRegion(call: Call, key: StoredKey, region: string): Output {
  const entry = (of: string): Output => ({ Arn: keyArn(of, call.accountId, key.keyId), Region: of });
  return {
    MultiRegionKeyType: region === key.primaryRegion ? 'PRIMARY' : 'REPLICA',
    PrimaryKey: entry(key.primaryRegion),
    ReplicaKeys: Object.keys(key.regions)
      .filter((one) => one !== key.primaryRegion)
      .map(entry),
  };
}
