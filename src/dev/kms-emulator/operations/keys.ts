import { randomBytes, randomUUID } from 'node:crypto';
import { keyArn } from '../arn.ts';
import { KmsError } from '../errors.ts';
import { newMaterial } from '../key-store.ts';
import { defaultPolicy, parsePolicy } from '../policy-document.ts';
import { KEY_SPECS, type KeySpec, OTHER_KEY_SPECS } from '../specs.ts';
import type { StoredKey } from '../state.ts';
import { metadata } from './metadata.ts';
import type { Call, Operation, Output } from './operation.ts';
import { page } from './page.ts';
import { demandNotPending, inDraft, keyTargetOf, targetOf } from './target.ts';

/** CreateKey, DescribeKey, ListKeys, EnableKey, DisableKey. */
export const KEY_OPERATIONS: Readonly<Record<string, Operation>> = {
  CreateKey: {
    readOnly: false,
    logs: ['KeySpec', 'KeyUsage', 'Description', 'MultiRegion', 'Policy', 'Tags', 'Origin'],
    run: createKey,
  },
  DescribeKey: { readOnly: true, logs: ['KeyId'], run: describeKey },
  ListKeys: { readOnly: true, logs: ['Limit'], run: listKeys },
  EnableKey: { readOnly: false, logs: ['KeyId'], run: (call) => setState(call, 'Enabled') },
  DisableKey: { readOnly: false, logs: ['KeyId'], run: (call) => setState(call, 'Disabled') },
};

function createKey(call: Call): Output {
  const spec = emulatedSpec(call);
  const { usage } = KEY_SPECS[spec];
  if (spec !== 'SYMMETRIC_DEFAULT' || call.input.has('KeyUsage')) demandUsageFits(call, spec);
  if (call.input.oneOf('Origin', ORIGINS, 'AWS_KMS') !== 'AWS_KMS') {
    throw new KmsError('UnsupportedOperationException', 'Only Origin AWS_KMS is emulated.');
  }
  const policy = policyMember(call) ?? defaultPolicy(call.accountId);
  const description = call.input.optionalString('Description', { max: 8192 }) ?? '';
  const tags = tagsMember(call);
  const conditions = Object.fromEntries(
    tags.map(({ TagKey, TagValue }) => [`aws:RequestTag/${TagKey}`, TagValue]),
  );
  call.rules.demand({ caller: call.caller, action: 'kms:CreateKey', conditions });
  if (tags.length > 0) call.rules.demand({ caller: call.caller, action: 'kms:TagResource', conditions });

  const multiRegion = call.input.boolean('MultiRegion');
  const now = call.store.now();
  const { region } = call.caller;
  const key: StoredKey = {
    keyId: multiRegion ? `mrk-${randomBytes(16).toString('hex')}` : randomUUID(),
    spec,
    usage,
    multiRegion,
    primaryRegion: region,
    materials: [newMaterial(spec, now)],
    rotation: null,
    regions: {
      [region]: {
        state: 'Enabled',
        policy,
        description,
        createdAt: now,
        tags,
        deletionDate: null,
        pendingWindowInDays: null,
      },
    },
  };
  call.store.update((draft) => {
    draft.keys[key.keyId] = key;
  });
  call.reached.add(keyArn(region, call.accountId, key.keyId));
  return { KeyMetadata: metadata(call, key) };
}

const ORIGINS = ['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'] as const;
const SPEC_NAMES = Object.keys(KEY_SPECS) as KeySpec[];

function emulatedSpec(call: Call): KeySpec {
  const member = call.input.has('KeySpec') ? 'KeySpec' : 'CustomerMasterKeySpec';
  const asked = call.input.oneOf(member, [...SPEC_NAMES, ...OTHER_KEY_SPECS], 'SYMMETRIC_DEFAULT');
  const spec = SPEC_NAMES.find((name) => name === asked);
  if (spec === undefined) {
    throw new KmsError(
      'UnsupportedOperationException',
      `KeySpec ${asked} is not emulated: use ${SPEC_NAMES.join(', ')}.`,
    );
  }
  return spec;
}

const USAGES = [
  'ENCRYPT_DECRYPT',
  'SIGN_VERIFY',
  'GENERATE_VERIFY_MAC',
  'KEY_AGREEMENT',
  'ENCAPSULATE_DECAPSULATE',
] as const;

/** AWS fills in the usage for symmetric encryption keys only. */
function demandUsageFits(call: Call, spec: KeySpec): void {
  if (!call.input.has('KeyUsage')) {
    throw new KmsError(
      'ValidationException',
      `You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.`,
    );
  }
  const usage = call.input.oneOf('KeyUsage', USAGES);
  if (usage !== KEY_SPECS[spec].usage) {
    throw new KmsError('ValidationException', `KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
  }
}

/** The `Policy` member, checked and kept as it was written; undefined when absent. */
export function policyMember(call: Call): string | undefined {
  const policy = call.input.optionalString('Policy', { min: 1, max: 32_768 });
  if (policy === undefined) return undefined;
  parsePolicy(policy, 'key');
  call.rules.demandNoLockout(call.caller, policy, call.input.boolean('BypassPolicyLockoutSafetyCheck'));
  return policy;
}

/** The `Tags` member, at most 50. */
export function tagsMember(call: Call): { TagKey: string; TagValue: string }[] {
  const tags = call.input.list('Tags').map((tag) => {
    const { TagKey, TagValue } = (tag ?? {}) as Record<string, unknown>;
    if (typeof TagKey !== 'string' || typeof TagValue !== 'string') {
      throw new KmsError('SerializationException', 'Each of Tags has a TagKey and a TagValue.');
    }
    return { TagKey, TagValue };
  });
  if (tags.length > 50) throw new KmsError('LimitExceededException', 'A key has at most 50 tags.');
  return tags;
}

function describeKey(call: Call): Output {
  return { KeyMetadata: metadata(call, targetOf(call, 'KeyId').key) };
}

function listKeys(call: Call): Output {
  call.rules.demand({ caller: call.caller, action: 'kms:ListKeys' });
  const items = Object.values(call.store.state.keys)
    .filter((key) => key.regions[call.caller.region] !== undefined)
    .map((key) => ({ KeyId: key.keyId, KeyArn: keyArn(call.caller.region, call.accountId, key.keyId) }));
  return page(call, 'Keys', { items, max: 1000 });
}

function setState(call: Call, state: 'Enabled' | 'Disabled'): Output {
  const target = keyTargetOf(call);
  demandNotPending(target);
  call.store.update((draft) => {
    inDraft(draft, call, target).regional.state = state;
  });
  return {};
}
