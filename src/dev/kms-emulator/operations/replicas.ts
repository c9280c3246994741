import { keyArn } from '../arn.ts';
import { KmsError } from '../errors.ts';
import { defaultPolicy } from '../policy-document.ts';
import type { RegionalKey } from '../state.ts';
import { policyMember, tagsMember } from './keys.ts';
import { metadata } from './metadata.ts';
import type { Call, Operation, Output } from './operation.ts';
import { demandEnabled, inDraft, keyTargetOf, type Target } from './target.ts';

/** ReplicateKey: the same key id and material in another Region, with a policy and a state of its own. */
export const REPLICA_OPERATIONS: Readonly<Record<string, Operation>> = {
  ReplicateKey: {
    readOnly: false,
    logs: ['KeyId', 'ReplicaRegion', 'Description', 'Policy', 'Tags'],
    run: replicateKey,
  },
};

function replicateKey(call: Call): Output {
  const region = call.input.string('ReplicaRegion', { min: 1, max: 32, pattern: /^([a-z]+-){2,3}\d+$/ });
  const target = keyTargetOf(call);
  demandPrimary(call, target);
  call.rules.demand({ caller: call.caller, action: 'kms:CreateKey' });
  if (target.key.regions[region] !== undefined) {
    throw new KmsError(
      'AlreadyExistsException',
      `${keyArn(region, call.accountId, target.key.keyId)} already exists.`,
    );
  }
  const replica: RegionalKey = {
    state: 'Enabled',
    policy: policyMember(call) ?? defaultPolicy(call.accountId),
    description: call.input.optionalString('Description', { max: 8192 }) ?? '',
    createdAt: call.store.now(),
    tags: tagsMember(call),
    deletionDate: null,
    pendingWindowInDays: null,
  };
  const key = call.store.update((draft) => {
    const drafted = inDraft(draft, call, target).key;
    drafted.regions[region] = replica;
    return drafted;
  });
  return {
    ReplicaKeyMetadata: metadata(call, key, region),
    ReplicaPolicy: replica.policy,
    ReplicaTags: replica.tags,
  };
}

function demandPrimary(call: Call, target: Target): void {
  demandEnabled(target);
  if (!target.key.multiRegion) {
    throw new KmsError('UnsupportedOperationException', `${target.arn} is not a multi-Region key.`);
  }
  if (target.key.primaryRegion !== call.caller.region) {
    throw new KmsError(
      'UnsupportedOperationException',
      `${target.arn} is a replica: replicate its primary key.`,
    );
  }
}
