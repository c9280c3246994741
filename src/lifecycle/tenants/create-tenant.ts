import { members } from '../../access/members.ts';
import type { AuditLog } from '../../audit/append.ts';
import { tenants } from '../../clinic/clinic.ts';
import { requireZone } from '../../clinic/clinic-time.ts';
import { setUpClinic } from '../../clinic/tenants.ts';
import type { IndexKeys } from '../../crypto/index-keys.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import type { KmsTenantKeys } from '../../crypto/kms-tenant-keys.ts';
import type { TenantSecrets } from '../../crypto/tenant-secrets.ts';
import { ref } from '../../kernel/collection.ts';
import { InputError } from '../../kernel/errors.ts';
import { SYSTEM_TENANT, type TenantId, type UserId } from '../../kernel/ids.ts';
import type { Store } from '../../kernel/store.ts';
import { LifecycleError } from '../errors.ts';
import { withDraft } from '../jobs/drafts.ts';
import { tenantEntry } from '../rotation/events.ts';

/** What a new tenant is. No PHI: a clinic's name and telephone are public. */
export interface NewTenant {
  readonly name: string;
  readonly phone: string;
  /** IANA zone of the clinic's wall clock. */
  readonly zone: string;
  /** The Firebase Auth uid of the first administrator. */
  readonly admin: UserId;
  /** A wrapping key of the tenant's own; one is made unless given. */
  readonly keyId?: string;
}

/** What making a tenant stands on. */
export interface TenantHouse {
  readonly store: Store;
  readonly audit: AuditLog;
  readonly keyring: Keyring;
  readonly secrets: TenantSecrets;
  readonly indexKeys: IndexKeys;
  /** Makes and describes KMS keys; null for local keys, which must be named. */
  readonly keys: KmsTenantKeys | null;
  /** Lets a key of this tenant sign its checkpoints; null where none are signed. */
  readonly enlistSigner: ((tenant: TenantId) => Promise<void>) | null;
}

/**
 * Makes a tenant: its wrapping key with alias and policy (or the one that it brings, tried before anything is written),
 * its registry entry, its root, its index key, its first administrator, and the first event of its audit log. Called
 * again after a failure it goes on where it was. Answers the wrapping key.
 *
 * @throws LifecycleError `TENANT_EXISTS` when the tenant is complete, or is there with another key or name;
 *   CryptoError when the key cannot be used; ClinicError `SCHEDULE_INVALID` for a zone that does not exist.
 */
export async function createTenant(house: TenantHouse, tenant: TenantId, asked: NewTenant): Promise<string> {
  if (tenant === SYSTEM_TENANT) throw exists('"system" is Chartseal’s own.');
  requireZone(asked.zone);
  const { store, audit } = house;
  const [before] = await store.tenant(SYSTEM_TENANT).get(ref(tenants, tenant));
  // The first administrator comes last: with one the tenant is complete.
  const [someone] = await store.tenant(tenant).list(members, { limit: 1 });
  if (someone !== undefined || (before !== null && before.name !== asked.name))
    throw exists('Choose another id. Nothing was changed.');
  const keyId = before?.keyId ?? asked.keyId ?? (await newKey(house, tenant));
  if (asked.keyId !== undefined && keyId !== asked.keyId)
    throw exists('It has another key. Run "keys rewrap --key".');
  await tryKey(house, tenant, keyId);
  const { name, phone, zone } = asked;
  await setUpClinic(store, tenant, {
    clinic: { name, phone, zone, keyId, state: 'active' },
    practitioners: [],
    visitTypes: [],
  });
  await house.secrets.ensure(tenant);
  await house.indexKeys.ensure(tenant);
  await house.enlistSigner?.(tenant);
  const by = { user: 'operator', client: 'chartseal' };
  await withDraft(audit, tenant, {
    work: (draft) =>
      store.tenant(tenant).transact(
        async (tx) => {
          tx.create(ref(members, asked.admin), { role: 'admin', patient: null });
          const entry = tenantEntry('createTenant', by);
          draft.write(tx, {
            ...entry,
            entity: {
              resource: 'Organization',
              id: tenant,
              fields: ['key.index', 'key.root', 'member.admin'],
            },
          });
        },
        { proof: draft.proof },
      ),
    wasWritten: () => true,
  });
  return keyId;
}

function newKey({ keys }: TenantHouse, tenant: TenantId): Promise<string> {
  if (keys === null)
    throw new InputError('INPUT', 'Local keys are not made here. Name one: --key local/chartseal/1.');
  return keys.wrappingKey(tenant);
}

/** Makes a data key under it and unwraps it again: what every chart will need. */
async function tryKey({ keyring }: TenantHouse, tenant: TenantId, keyId: string): Promise<void> {
  const context = { app: 'chartseal', tenant, purpose: 'trial' };
  const { wrapped } = await keyring.generate(keyId, context);
  await keyring.unwrap(wrapped, context);
}

const exists = (cure: string): LifecycleError =>
  new LifecycleError('TENANT_EXISTS', `There is such a tenant already. ${cure}`);
