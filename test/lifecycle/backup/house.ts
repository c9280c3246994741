import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { AuditLog } from '../../../src/audit/append.ts';
import type { Outside } from '../../../src/audit/outside.ts';
import { BACKUP_PLAN } from '../../../src/backup-plan.ts';
import { tenants } from '../../../src/clinic/clinic.ts';
import { VisitReader } from '../../../src/clinic/visits.ts';
import { COLLECTIONS } from '../../../src/collections.ts';
import { DEFAULT_KEY_CACHE, KeyCache } from '../../../src/crypto/key-cache.ts';
import type { Keyring } from '../../../src/crypto/keyring.ts';
import { LocalKeyring, localKeyId } from '../../../src/crypto/local-keyring.ts';
import { PatientKeys } from '../../../src/crypto/patient-keys.ts';
import { SealedCharts } from '../../../src/crypto/sealed-charts.ts';
import { TenantSecrets } from '../../../src/crypto/tenant-secrets.ts';
import { ref } from '../../../src/kernel/collection.ts';
import { SYSTEM_TENANT, type TenantId } from '../../../src/kernel/ids.ts';
import type { Store } from '../../../src/kernel/store.ts';
import { type BackupFolders, checkBackup, foldersIn } from '../../../src/lifecycle/backup/check-backup.ts';
import { backupTenant } from '../../../src/lifecycle/backup/make-backup.ts';
import { restoreTenant } from '../../../src/lifecycle/backup/restore.ts';
import { memoryObjects } from '../../doubles/memory-objects.ts';

export const BY = { user: 'operator', client: 'test' };

/** A folder that goes with the test. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'chartseal-backup-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Backs a tenant up into a folder of the test's own; answers the folder. */
export async function backUp(
  store: Store,
  tenant: TenantId,
  { outside = null, to = join(tempFolder(), 'backup') }: { outside?: Outside | null; to?: string } = {},
) {
  const audit = new AuditLog({ store, clock: Date.now, journal: () => undefined });
  const made = await backupTenant({ store, audit, clock: Date.now, outside, plan: BACKUP_PLAN }, tenant, {
    ...{ to, by: BY },
  });
  return { to, ...made };
}

/** A process over a store into which a tenant is restored: it makes nothing by itself. */
export function openRestore(
  store: Store,
  {
    outside = null,
    keyring = new LocalKeyring([{ version: 1, hex: 'ab'.repeat(32), status: 'active' }]),
  }: { outside?: Outside | null; keyring?: Keyring } = {},
) {
  const base = {
    ...{ store, keyring, clock: Date.now, cache: new KeyCache(DEFAULT_KEY_CACHE, Date.now) },
    tenantKeyId: async () => localKeyId(1),
  };
  const keys = new PatientKeys(base);
  const charts = new SealedCharts({ store, keys });
  const secrets = new TenantSecrets(base);
  const audit = new AuditLog({ store, clock: Date.now, journal: () => undefined });
  const forgetAccount = async (): Promise<void> => undefined;
  const house = {
    ...{ store, charts, keys, secrets, audit, clock: Date.now, outside, forgetAccount, plan: BACKUP_PLAN },
    objects: memoryObjects(),
  };
  const visits = new VisitReader({ store, charts });
  const restore = async (tenant: TenantId, from: string, elsewhere: Partial<BackupFolders> = {}) => {
    const checked = await checkBackup(BACKUP_PLAN, tenant, foldersIn(from, elsewhere));
    return restoreTenant(house, tenant, checked, { by: BY });
  };
  return { ...house, visits, restore };
}

/** As if the database were another one: not a row of the tenant is left. `owner` may delete what the server may not. */
export async function destroyTenant(owner: Store, tenant: TenantId): Promise<void> {
  const rows = owner.tenant(tenant);
  for (const of of COLLECTIONS)
    for (;;) {
      const page = await rows.list(of, { limit: 500 });
      if (page.length === 0) break;
      await rows.transact(async (tx) => {
        for (const { id } of page) tx.delete(ref(of, id));
      });
    }
  await owner.tenant(SYSTEM_TENANT).transact(async (tx) => tx.delete(ref(tenants, tenant)));
}
