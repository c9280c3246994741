import type { AuditLog } from '../../audit/append.ts';
import { tenants } from '../../clinic/clinic.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import { rootKeyOf } from '../../crypto/wrapped-kinds.ts';
import { ref } from '../../kernel/collection.ts';
import { SYSTEM_TENANT, type TenantId } from '../../kernel/ids.ts';
import type { Store } from '../../kernel/store.ts';
import { LifecycleError } from '../errors.ts';
import { withDraft } from '../jobs/drafts.ts';
import type { JobActor } from '../jobs/events.ts';
import { tenantEntry } from './events.ts';

/**
 * Makes another key the tenant's wrapping key: from the commit on new keys are wrapped by it, and a rewrap brings the
 * others. Tried first on the tenant's root, so that a key which cannot be used changes nothing. No error when the
 * tenant is there already.
 *
 * @throws CryptoError as `Keyring.rewrap`; LifecycleError `TENANT_UNKNOWN` when the tenant is not set up.
 */
export async function moveWrappingKey(
  house: {
    readonly store: Store;
    readonly audit: AuditLog;
    readonly keyring: Keyring;
    readonly rewrapper: Keyring;
  },
  tenant: TenantId,
  { toKey, by }: { toKey: string; by: JobActor },
): Promise<void> {
  const { store, audit, keyring, rewrapper } = house;
  const root = await rootKeyOf(store.tenant(tenant), tenant);
  if (root !== null) {
    const moved = await rewrapper.rewrap(root.wrapped, root.context, toKey);
    await keyring.unwrap(moved, root.context);
  }
  const at = ref(tenants, tenant);
  await withDraft(audit, SYSTEM_TENANT, {
    work: (draft) =>
      store.tenant(SYSTEM_TENANT).transact(
        async (tx) => {
          const [clinic] = await tx.get(at);
          if (clinic === null) throw new LifecycleError('TENANT_UNKNOWN', 'There is no such tenant.');
          if (clinic.keyId === toKey) return false;
          tx.put(at, { ...clinic, keyId: toKey });
          const entry = tenantEntry('moveWrappingKey', by);
          draft.write(tx, { ...entry, entity: { resource: 'Organization', id: tenant } });
          return true;
        },
        { proof: draft.proof },
      ),
    wasWritten: (did) => did,
  });
}
