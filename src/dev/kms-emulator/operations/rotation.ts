import { KmsError } from '../errors.ts';
import { DAY_MS, newMaterial } from '../key-store.ts';
import type { KeyMaterial } from '../state.ts';
import { type Call, type Operation, type Output, seconds } from './operation.ts';
import { page } from './page.ts';
import { demandEnabled, inDraft, keyTargetOf, type Target } from './target.ts';

/** EnableKeyRotation, DisableKeyRotation, GetKeyRotationStatus, RotateKeyOnDemand, ListKeyRotations. */
export const ROTATION_OPERATIONS: Readonly<Record<string, Operation>> = {
  EnableKeyRotation: { readOnly: false, logs: ['KeyId', 'RotationPeriodInDays'], run: enableKeyRotation },
  DisableKeyRotation: { readOnly: false, logs: ['KeyId'], run: disableKeyRotation },
  GetKeyRotationStatus: { readOnly: true, logs: ['KeyId'], run: getKeyRotationStatus },
  RotateKeyOnDemand: { readOnly: false, logs: ['KeyId'], run: rotateKeyOnDemand },
  ListKeyRotations: { readOnly: true, logs: ['KeyId', 'IncludeKeyMaterial', 'Limit'], run: listKeyRotations },
};

/** AWS: a key is rotated on demand at most 25 times in its life. */
const ON_DEMAND_LIMIT = 25;

function enableKeyRotation(call: Call): Output {
  const periodInDays = call.input.optionalInteger('RotationPeriodInDays', { min: 90, max: 2560 }) ?? 365;
  const target = changeable(call);
  const nextAt = call.store.now() + periodInDays * DAY_MS;
  call.store.update((draft) => {
    inDraft(draft, call, target).key.rotation = { periodInDays, nextAt };
  });
  return {};
}

function disableKeyRotation(call: Call): Output {
  const target = changeable(call);
  call.store.update((draft) => {
    inDraft(draft, call, target).key.rotation = null;
  });
  return {};
}

function getKeyRotationStatus(call: Call): Output {
  const target = rotatable(call);
  const { rotation } = target.key;
  // While its deletion is pending a key does not rotate; cancelling brings the setting back.
  if (rotation === null || target.regional.pendingWindowInDays !== null) {
    return { KeyId: target.arn, KeyRotationEnabled: false };
  }
  return {
    KeyId: target.arn,
    KeyRotationEnabled: true,
    RotationPeriodInDays: rotation.periodInDays,
    NextRotationDate: seconds(rotation.nextAt),
  };
}

function rotateKeyOnDemand(call: Call): Output {
  const target = changeable(call);
  const done = target.key.materials.filter((material) => material.rotation === 'ON_DEMAND').length;
  if (done >= ON_DEMAND_LIMIT) {
    throw new KmsError(
      'LimitExceededException',
      `${target.arn} was rotated on demand ${done} times, the most there can be.`,
    );
  }
  call.store.update((draft) => {
    const { key } = inDraft(draft, call, target);
    key.materials.push({ ...newMaterial(key.spec, call.store.now()), rotation: 'ON_DEMAND' });
  });
  return { KeyId: target.arn };
}

function listKeyRotations(call: Call): Output {
  const include = call.input.oneOf(
    'IncludeKeyMaterial',
    ['ROTATIONS_ONLY', 'ALL_KEY_MATERIAL'],
    'ROTATIONS_ONLY',
  );
  const { key } = rotatable(call);
  const items = key.materials
    .filter((material) => include === 'ALL_KEY_MATERIAL' || material.rotation !== undefined)
    .map((material) => entry(key.keyId, material, material === key.materials.at(-1)));
  return page(call, 'Rotations', { items, max: 1000 });
}

const entry = (keyId: string, material: KeyMaterial, current: boolean): Output => ({
  KeyId: keyId,
  KeyMaterialId: material.id,
  KeyMaterialState: current ? 'CURRENT' : 'NON_CURRENT',
  ...(material.rotation === undefined
    ? {}
    : { RotationDate: seconds(material.createdAt), RotationType: material.rotation }),
});

/** AWS rotates only symmetric encryption keys. */
function rotatable(call: Call): Target {
  const target = keyTargetOf(call);
  if (target.key.spec !== 'SYMMETRIC_DEFAULT') {
    throw new KmsError(
      'UnsupportedOperationException',
      `${target.arn} is no symmetric encryption key: it does not rotate.`,
    );
  }
  return target;
}

/** Rotation is a property of the primary key; replicas follow it. */
function changeable(call: Call): Target {
  const target = rotatable(call);
  demandEnabled(target);
  if (target.key.primaryRegion !== call.caller.region) {
    throw new KmsError(
      'UnsupportedOperationException',
      `${target.arn} is a replica: change rotation on its primary key.`,
    );
  }
  return target;
}
