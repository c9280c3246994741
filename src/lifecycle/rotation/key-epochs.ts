import type { AuditEntry } from '../../audit/append.ts';
import { collection, type Row, ref } from '../../kernel/collection.ts';
import type { TenantId } from '../../kernel/ids.ts';
import type { Store } from '../../kernel/store.ts';
import { LifecycleError } from '../errors.ts';
import type { JobActor } from '../jobs/events.ts';
import type { KeyRotations } from './rotations.ts';

/**
 * A tenant's wrapping key is its epoch: when the tenant has left it and KMS has destroyed it, no backup from before opens,
 * key rows and all. One row, id `state`.
 */
export const keyEpochs = collection('keyEpochs', {
  /** Erasures turn the epoch. */
  strong: 'boolean',
  /** How long KMS keeps a key that was left, in days: 7 to 30. */
  days: 'integer',
  /** The key that is being left, and the one that comes after it; null when no turn is under way. */
  from: 'text?',
  to: 'text?',
  begunAt: 'instant?',
  /** Since when new keys are wrapped by the last turn's new key. */
  movedAt: 'instant?',
  /** When the last key that was left is destroyed. */
  deletedAt: 'instant?',
});

export type KeyEpoch = Row<typeof keyEpochs.columns>;

export const EPOCH = ref(keyEpochs, 'state');
/** AWS waits no less and no longer. */
export const EPOCH_DAYS = { least: 7, most: 30 } as const;

const NONE: KeyEpoch = {
  ...{ strong: false, days: EPOCH_DAYS.least, from: null, to: null },
  ...{ begunAt: null, movedAt: null, deletedAt: null },
};

/** Where a tenant's epoch stands; not strong, with no turn ever, unless it says otherwise. */
export async function readEpoch(store: Store, tenant: TenantId): Promise<KeyEpoch> {
  const [row] = await store.tenant(tenant).get(EPOCH);
  return row ?? NONE;
}

/** Changes the row by what it is then, with the event that `change` tells of; null changes nothing. */
export async function changeEpoch(
  { audit }: Pick<KeyRotations['options'], 'audit'>,
  tenant: TenantId,
  change: (epoch: KeyEpoch) => { readonly to: KeyEpoch; readonly entry: AuditEntry } | null,
): Promise<void> {
  await audit.commit(tenant, async (tx) => {
    const [row] = await tx.get(EPOCH);
    const changed = change(row ?? NONE);
    if (changed === null) return null;
    tx.put(EPOCH, changed.to);
    return changed.entry;
  });
}

/**
 * Lets erasures turn the tenant's epoch from now on, or not any more. A turn under way goes on.
 *
 * @throws LifecycleError `KEYS_LOCAL`, `KEY_BROUGHT`; CryptoError as the calls of KMS.
 */
export async function setStrong(
  rotations: KeyRotations,
  tenant: TenantId,
  { strong, days, by }: { readonly strong: boolean; readonly days: number; readonly by: JobActor },
): Promise<void> {
  const { options } = rotations;
  if (strong) await requireOurs(rotations, tenant, await options.tenantKeyId(tenant));
  await changeEpoch(options, tenant, (epoch) => ({
    to: { ...epoch, strong, days },
    entry: epochEntry('strongErasure', { by, counts: { strong: strong ? 1 : 0, days } }),
  }));
}

/** Only a key that Chartseal made may it destroy. Answers who does. */
export async function requireOurs({ options: { epochKeys } }: KeyRotations, tenant: TenantId, keyId: string) {
  if (epochKeys === null)
    throw new LifecycleError(
      'KEYS_LOCAL',
      'There is nobody here who may make and end KMS keys. Use AWS KMS, and on Google Cloud name CHARTSEAL_AWS_EPOCH_ROLE.',
    );
  if (!(await epochKeys.isOurs(tenant, keyId)))
    throw new LifecycleError(
      'KEY_BROUGHT',
      'The tenant’s key is its own, and not ours to destroy. Bring a new one with "chartseal keys rewrap --key", then end the old one where it was made.',
    );
  return epochKeys;
}

/** What was done to a tenant's epoch. */
export function epochEntry(
  operation: 'strongErasure' | 'beginKeyEpoch' | 'abandonKeyEpoch' | 'endWrappingKey' | 'wrappingKeyEnds',
  { by, key, counts = {} }: { by: JobActor; key?: string; counts?: Readonly<Record<string, number>> },
): AuditEntry {
  return {
    action: operation === 'wrappingKeyEnds' ? 'D' : 'E',
    operation,
    outcome: '0',
    actor: { ...by, role: by.user === 'system' ? 'job' : 'admin' },
    // The key's own id, without its account.
    entity: { resource: 'WrappingKey', ...(key !== undefined && { id: key.split('/')[1] ?? key }), counts },
    purposeOfUse: 'HOPERAT',
    policy: 'key-lifecycle',
  };
}
