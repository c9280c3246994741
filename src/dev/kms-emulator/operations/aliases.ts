import { aliasArn } from '../arn.ts';
import { KmsError } from '../errors.ts';
import type { StoredAlias } from '../state.ts';
import { type Call, type Operation, type Output, seconds } from './operation.ts';
import { page } from './page.ts';
import { demandNotPending, keyTargetOf, lookUp, reach, type Target, targetOf } from './target.ts';

/** CreateAlias, UpdateAlias, DeleteAlias, ListAliases. */
export const ALIAS_OPERATIONS: Readonly<Record<string, Operation>> = {
  CreateAlias: { readOnly: false, logs: ['AliasName', 'TargetKeyId'], run: createAlias },
  UpdateAlias: { readOnly: false, logs: ['AliasName', 'TargetKeyId'], run: updateAlias },
  DeleteAlias: { readOnly: false, logs: ['AliasName'], run: deleteAlias },
  ListAliases: { readOnly: true, logs: ['KeyId', 'Limit'], run: listAliases },
};

const ALIASES_PER_KEY = 50;

function createAlias(call: Call): Output {
  const name = aliasName(call);
  const target = aliasTarget(call);
  if (findAlias(call, name)) {
    const arn = aliasArn(call.caller.region, call.accountId, name);
    throw new KmsError('AlreadyExistsException', `An alias with the name ${arn} already exists`);
  }
  if (aliasesOf(call, target.key.keyId).length >= ALIASES_PER_KEY) {
    throw new KmsError('LimitExceededException', `A key has at most ${ALIASES_PER_KEY} aliases.`);
  }
  const now = call.store.now();
  call.store.update((draft) => {
    const { keyId } = target.key;
    draft.aliases.push({ region: call.caller.region, name, keyId, createdAt: now, updatedAt: now });
  });
  return {};
}

function updateAlias(call: Call): Output {
  const name = aliasName(call);
  const target = aliasTarget(call);
  const alias = findAlias(call, name) ?? noAlias(call, name);
  const before = lookUp(call, alias.keyId);
  if (before !== null) {
    reach(call, before, {});
    if (before.key.usage !== target.key.usage) {
      throw new KmsError(
        'ValidationException',
        'An alias moves only between keys of the same type and usage.',
      );
    }
  }
  call.store.update((draft) => {
    for (const one of draft.aliases) {
      if (!isAlias(one, call, name)) continue;
      one.keyId = target.key.keyId;
      one.updatedAt = call.store.now();
    }
  });
  return {};
}

function deleteAlias(call: Call): Output {
  const name = aliasName(call);
  const alias = findAlias(call, name) ?? noAlias(call, name);
  const target = lookUp(call, alias.keyId);
  if (target !== null) reach(call, target, {});
  call.store.update((draft) => {
    const at = draft.aliases.findIndex((one) => isAlias(one, call, name));
    draft.aliases.splice(at, 1);
  });
  return {};
}

function listAliases(call: Call): Output {
  call.rules.demand({ caller: call.caller, action: 'kms:ListAliases' });
  const keyId = call.input.has('KeyId') ? targetOf(call, 'KeyId').key.keyId : null;
  const items = call.store.state.aliases
    .filter((alias) => alias.region === call.caller.region && (keyId === null || alias.keyId === keyId))
    .map((alias) => ({
      AliasName: alias.name,
      AliasArn: aliasArn(alias.region, call.accountId, alias.name),
      TargetKeyId: alias.keyId,
      CreationDate: seconds(alias.createdAt),
      LastUpdatedDate: seconds(alias.updatedAt),
    }));
  return page(call, 'Aliases', { items, max: 100 });
}

function aliasName(call: Call): string {
  const name = call.input.string('AliasName', { min: 1, max: 256, pattern: /^[a-zA-Z0-9:/_-]+$/ });
  if (!name.startsWith('alias/')) {
    throw new KmsError('ValidationException', 'Alias must start with the prefix "alias/".');
  }
  if (name.startsWith('alias/aws/'))
    throw new KmsError('NotAuthorizedException', `${name} is reserved for AWS.`);
  if (!/^alias\/[a-zA-Z0-9/_-]+$/.test(name)) {
    throw new KmsError('InvalidAliasNameException', `${name} contains invalid characters for an alias`);
  }
  return name;
}

function aliasTarget(call: Call): Target {
  const identifier = call.input.string('TargetKeyId', { min: 1, max: 2048 });
  if (/(?:^|:)alias\//.test(identifier)) {
    throw new KmsError('ValidationException', 'Aliases must refer to keys. Not aliases');
  }
  const target = keyTargetOf(call, 'TargetKeyId');
  demandNotPending(target);
  return target;
}

const isAlias = (alias: StoredAlias, call: Call, name: string): boolean =>
  alias.region === call.caller.region && alias.name === name;

const findAlias = (call: Call, name: string): StoredAlias | undefined =>
  call.store.state.aliases.find((alias) => isAlias(alias, call, name));

const aliasesOf = (call: Call, keyId: string): StoredAlias[] =>
  call.store.state.aliases.filter((alias) => alias.keyId === keyId && alias.region === call.caller.region);

function noAlias(call: Call, name: string): never {
  const arn = aliasArn(call.caller.region, call.accountId, name);
  throw new KmsError('NotFoundException', `Alias ${arn} is not found.`);
}
