import { type Collection, type Row, ref } from '../kernel/collection.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { Reader } from '../kernel/store.ts';
import { indexContext, indexKeys } from './index-keys.ts';
import type { EncryptionContext, WrappedKey } from './keyring.ts';
import { partsOfKeyVersion, patientKeyContext, patientKeys, patientKeyVersions } from './patient-keys.ts';
import { secretContext, tenantSecrets } from './tenant-secrets.ts';
import { type WRAPPED_COLUMNS, wrappedKeyOf } from './wrapped-row.ts';

/** A collection of wrapped keys, and what each of them is bound to: all that a rewrap needs to know. */
export interface WrappedKind {
  readonly of: Collection<typeof WRAPPED_COLUMNS>;
  /** The contexts of the rows with these ids; null for one whose owner is gone. */
  contexts(
    reader: Reader,
    tenant: TenantId,
    ids: readonly string[],
  ): Promise<readonly (EncryptionContext | null)[]>;
}

/** Every wrapped key that a tenant has. What wraps another kind of key adds it here, or a rewrap would miss it. */
export const WRAPPED_KINDS: readonly WrappedKind[] = [
  {
    of: tenantSecrets,
    contexts: async (_, tenant, ids) =>
      ids.map((id) => secretContext(tenant, Number(id.replace('root_', '')))),
  },
  {
    of: indexKeys as unknown as Collection<typeof WRAPPED_COLUMNS>,
    contexts: async (_, tenant, ids) => ids.map((id) => indexContext(tenant, Number(id))),
  },
  { of: patientKeyVersions, contexts: patientContexts },
];

/** A wrapping key, and its generation now. */
export interface WrappingTarget {
  readonly keyId: string;
  /** Null where the keyring tells of none: then the key's id alone counts. */
  readonly material: string | null;
}

/** True when the row is wrapped by another key or another generation than it should be. */
export const isWrappedOtherwise = (
  { keyId, material }: Pick<Row<typeof WRAPPED_COLUMNS>, 'keyId' | 'material'>,
  target: WrappingTarget,
): boolean => keyId !== target.keyId || (target.material !== null && material !== target.material);

/** The tenant's root, by which the generation of its wrapping key is learnt; null before the tenant has one. */
export async function rootKeyOf(
  reader: Reader,
  tenant: TenantId,
): Promise<{ wrapped: WrappedKey; context: EncryptionContext; createdAt: number } | null> {
  const [row] = await reader.get(ref(tenantSecrets, 'root_1'));
  if (row === null) return null;
  return { wrapped: wrappedKeyOf(row), context: secretContext(tenant, 1), createdAt: row.createdAt };
}

async function patientContexts(
  reader: Reader,
  tenant: TenantId,
  ids: readonly string[],
): Promise<(EncryptionContext | null)[]> {
  const parts = ids.map(partsOfKeyVersion);
  const owners = await reader.get(...parts.map(({ patient }) => ref(patientKeys, patient)));
  return parts.map(({ version }, at) => {
    const owner = owners[at] ?? null;
    return owner === null ? null : patientKeyContext(tenant, owner.alias, version);
  });
}
