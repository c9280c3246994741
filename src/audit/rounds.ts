import type { TenantId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import type { Checkpoints } from './checkpoints.ts';
import { sequenceAll } from './sequencer.ts';

/** Told of what went wrong with one tenant; the round goes on with the next. */
export type RoundFault = (error: unknown) => void;

/** Sequences what is pending in each tenant's log. Scheduled each minute; each 2 s in development. */
export async function sequenceRound(
  store: Store,
  tenants: readonly TenantId[],
  options: { onFault: RoundFault; signal?: AbortSignal },
): Promise<number> {
  const { onFault, signal } = options;
  let total = 0;
  for (const tenant of tenants) {
    if (signal?.aborted === true) break;
    await sequenceAll(store, tenant, signal === undefined ? {} : { signal }).then((added) => {
      total += added;
    }, onFault);
  }
  return total;
}

/** Signs a checkpoint of each tenant's tree. Scheduled each minute. */
export async function checkpointRound(
  checkpoints: Checkpoints,
  tenants: readonly TenantId[],
  onFault: RoundFault,
): Promise<void> {
  for (const tenant of tenants) await checkpoints.publish(tenant).catch(onFault);
}
