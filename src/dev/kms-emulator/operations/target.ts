import { aliasArn, keyArn, resourceOfArn } from '../arn.ts';
import type { EncryptionContext } from '../ciphertext.ts';
import { KmsError } from '../errors.ts';
import { KEY_SPECS, type KeyUsage } from '../specs.ts';
import type { KeyMaterial, KmsState, RegionalKey, StoredKey } from '../state.ts';
import type { Call } from './operation.ts';

/** A key that a call has named and may use. */
export interface Target {
  readonly key: StoredKey;
  readonly regional: RegionalKey;
  readonly arn: string;
}

/** What a permission check needs beyond the caller and the key. */
export interface Access {
  /** The IAM action, `kms:` left out; the operation's own name unless told. */
  readonly action?: string;
  readonly context?: EncryptionContext;
  /** Further condition keys, such as `kms:SigningAlgorithm`. */
  readonly conditions?: Readonly<Record<string, string>>;
}

const ID_RULE = { min: 1, max: 2048 };

/**
 * The key named by a member that takes an id, an ARN, an alias or an alias ARN, once the caller may act on it.
 *
 * @throws KmsError `NotFoundException`, `InvalidArnException`, `AccessDeniedException`.
 */
export function targetOf(call: Call, member: string, access: Access = {}): Target {
  return reach(call, find(call, call.input.string(member, ID_RULE)), access);
}

/** As {@link targetOf}, for the operations that take no alias. */
export function keyTargetOf(call: Call, member = 'KeyId', access: Access = {}): Target {
  const identifier = call.input.string(member, ID_RULE);
  if (identifier.startsWith('alias/'))
    throw new KmsError('NotFoundException', `Invalid keyId '${identifier}'`);
  if (/^arn:.*:alias\//.test(identifier))
    throw new KmsError('InvalidArnException', `Invalid arn: ${identifier}`);
  return reach(call, find(call, identifier), access);
}

/** The target with this key id in the caller's Region, or null; it checks no permission. */
export function lookUp(call: Call, keyId: string): Target | null {
  const key = Object.hasOwn(call.store.state.keys, keyId) ? call.store.state.keys[keyId] : undefined;
  const regional = key?.regions[call.caller.region];
  if (key === undefined || regional === undefined) return null;
  return { key, regional, arn: keyArn(call.caller.region, call.accountId, keyId) };
}

/** Notes the key for the log and checks that the caller may act on it. */
export function reach(call: Call, target: Target, access: Access): Target {
  call.reached.add(target.arn);
  call.rules.demandOnKey({
    caller: call.caller,
    action: `kms:${access.action ?? call.name}`,
    target,
    context: access.context ?? {},
    conditions: access.conditions ?? {},
  });
  return target;
}

/**
 * @throws KmsError `DisabledException` or `KMSInvalidStateException` unless the key is enabled, then
 * `InvalidKeyUsageException` when it is a key for something else.
 */
export function demandUsable(call: Call, target: Target, usage: KeyUsage, algorithm?: string): void {
  demandEnabled(target);
  if (target.key.usage !== usage) {
    throw new KmsError(
      'InvalidKeyUsageException',
      `${target.arn} key usage is ${target.key.usage} which is not valid for ${call.name}.`,
    );
  }
  if (algorithm !== undefined && !KEY_SPECS[target.key.spec].algorithms.includes(algorithm)) {
    throw new KmsError(
      'InvalidKeyUsageException',
      `Algorithm ${algorithm} is incompatible with key spec ${target.key.spec}.`,
    );
  }
}

/** @throws KmsError `DisabledException` or `KMSInvalidStateException` unless the key is enabled. */
export function demandEnabled(target: Target): void {
  demandNotPending(target);
  if (target.regional.state === 'Disabled')
    throw new KmsError('DisabledException', `${target.arn} is disabled.`);
}

/** @throws KmsError `KMSInvalidStateException` while the key's deletion is scheduled. */
export function demandNotPending(target: Target): void {
  const { state } = target.regional;
  if (state === 'PendingDeletion') {
    throw new KmsError('KMSInvalidStateException', `${target.arn} is pending deletion.`);
  }
  if (state === 'PendingReplicaDeletion') {
    throw new KmsError('KMSInvalidStateException', `${target.arn} is pending replica deletion.`);
  }
}

/** The generation that encrypts, signs and authenticates now. */
export function currentMaterial(key: StoredKey): KeyMaterial {
  const material = key.materials.at(-1);
  if (material === undefined) throw new KmsError('KMSInternalException', 'The key has no material.');
  return material;
}

/** The target's key and Region inside a draft of the state, to be changed. */
export function inDraft(
  draft: KmsState,
  call: Call,
  target: Target,
): { key: StoredKey; regional: RegionalKey } {
  const key = draft.keys[target.key.keyId];
  const regional = key?.regions[call.caller.region];
  if (key === undefined || regional === undefined) {
    throw new KmsError('KMSInternalException', 'The key vanished during the call.');
  }
  return { key, regional };
}

function find(call: Call, identifier: string): Target {
  const place = { region: call.caller.region, accountId: call.accountId };
  const resource = identifier.startsWith('arn:') ? resourceOfArn(identifier, place) : identifier;
  if (resource.startsWith('alias/')) return findAlias(call, resource);
  const keyId = resource.replace(/^key\//, '');
  const target = lookUp(call, keyId);
  if (target !== null) return target;
  if (!/^(?:mrk-)?[0-9a-f-]{32,36}$/.test(keyId)) {
    throw new KmsError('NotFoundException', `Invalid keyId '${keyId}'`);
  }
  throw new KmsError(
    'NotFoundException',
    `Key '${keyArn(place.region, place.accountId, keyId)}' does not exist`,
  );
}

function findAlias(call: Call, name: string): Target {
  const { region } = call.caller;
  const alias = call.store.state.aliases.find((one) => one.region === region && one.name === name);
  const target = alias === undefined ? null : lookUp(call, alias.keyId);
  if (target === null) {
    throw new KmsError('NotFoundException', `Alias ${aliasArn(region, call.accountId, name)} is not found.`);
  }
  return target;
}
