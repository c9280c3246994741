import { KmsError } from '../errors.ts';
import { DAY_MS } from '../key-store.ts';
import { type Call, type Operation, type Output, seconds } from './operation.ts';
import { demandNotPending, inDraft, keyTargetOf } from './target.ts';

/** ScheduleKeyDeletion and CancelKeyDeletion. The key store destroys the key when its window ends. */
export const DELETION_OPERATIONS: Readonly<Record<string, Operation>> = {
  ScheduleKeyDeletion: { readOnly: false, logs: ['KeyId', 'PendingWindowInDays'], run: scheduleKeyDeletion },
  CancelKeyDeletion: { readOnly: false, logs: ['KeyId'], run: cancelKeyDeletion },
};

function scheduleKeyDeletion(call: Call): Output {
  const days = call.input.optionalInteger('PendingWindowInDays', { min: 7, max: 30 }) ?? 30;
  const target = keyTargetOf(call);
  demandNotPending(target);
  const { key } = target;
  const hasReplicas = call.caller.region === key.primaryRegion && Object.keys(key.regions).length > 1;
  const state = hasReplicas ? 'PendingReplicaDeletion' : 'PendingDeletion';
  const deletionDate = hasReplicas ? null : call.store.now() + days * DAY_MS;
  call.store.update((draft) => {
    Object.assign(inDraft(draft, call, target).regional, { state, deletionDate, pendingWindowInDays: days });
  });
  return {
    KeyId: target.arn,
    KeyState: state,
    PendingWindowInDays: days,
    ...(deletionDate === null ? {} : { DeletionDate: seconds(deletionDate) }),
  };
}

/** As in AWS the key comes back disabled. */
function cancelKeyDeletion(call: Call): Output {
  const target = keyTargetOf(call);
  if (target.regional.pendingWindowInDays === null) {
    throw new KmsError('KMSInvalidStateException', `${target.arn} is not pending deletion.`);
  }
  call.store.update((draft) => {
    const back = { state: 'Disabled', deletionDate: null, pendingWindowInDays: null };
    Object.assign(inDraft(draft, call, target).regional, back);
  });
  return { KeyId: target.arn };
}
