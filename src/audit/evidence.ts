import type { TenantId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { originOf } from './checkpoint.ts';
import type { Outside } from './outside.ts';
import { statedKeys } from './signers.ts';
import type { TrustedKey } from './trusted-keys.ts';

/** How many of the checkpoints published before are looked at, spread over all of them. */
const MAX_EARLIER = 12;

/** What is outside the store: the last note, some before it by number, and the keys. */
export interface OutsideEvidence {
  readonly origin: string;
  readonly checkpoint: Uint8Array | null;
  readonly earlier: ReadonlyMap<number, Uint8Array>;
  readonly keys: readonly TrustedKey[];
}

/** @throws AuditError `OUTSIDE_UNAVAILABLE` (retryable), `NOTE` when a stated key is none. */
export async function outsideEvidence(
  parts: { store: Store; outside: Outside; projectId: string },
  tenant: TenantId,
): Promise<OutsideEvidence> {
  const { store, outside, projectId } = parts;
  const origin = originOf(projectId, tenant);
  const last = await outside.latest(tenant, 'checkpoint');
  return {
    origin,
    checkpoint: last?.bytes ?? null,
    earlier: await spread(outside, tenant, last?.number ?? 0),
    keys: await statedKeys({ store, outside, tenant, origin }),
  };
}

async function spread(outside: Outside, tenant: TenantId, last: number): Promise<Map<number, Uint8Array>> {
  const step = Math.max(1, Math.ceil((last - 1) / MAX_EARLIER));
  const notes = new Map<number, Uint8Array>();
  for (let number = 1; number < last; number += step) {
    const note = await outside.read(tenant, 'checkpoint', number);
    if (note !== null) notes.set(number, note);
  }
  return notes;
}
