import { ref } from '../kernel/collection.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { type AuditLog, auditEvents } from './append.ts';
import { AuditError } from './errors.ts';
import { bundleRef, eventIdsOf } from './tree-store.ts';
import { CUT_OPERATION } from './verify/cuts.ts';
import { readEvent } from './verify/walk.ts';

/** Ten years: ASTM E2147 asks to keep audit data as long as the record, and at least ten. */
export const DEFAULT_YEARS = 10;
/** 45 CFR 164.316(b)(2). */
export const FLOOR_YEARS = 6;

/** A cut of the log's beginning. */
export interface RetentionCut {
  /** Leaves before this one are cut; 0 when nothing is old enough. */
  readonly upTo: number;
  readonly deleted: number;
}

/**
 * Deletes the events of the longest beginning of the tree that is older than `years`. The cut is logged before the
 * first event goes, and leaf hashes stay, so every proof over the rest stays valid. May be stopped and run again. A dry
 * run counts and changes nothing.
 *
 * @throws AuditError `RETENTION` below six years, `AUDIT_UNAVAILABLE` when the cut cannot be logged.
 */
export async function cutOldEvents(
  parts: { store: Store; audit: AuditLog; now: number },
  tenant: TenantId,
  options: { years?: number; by: string; dryRun?: boolean },
): Promise<RetentionCut> {
  const { years = DEFAULT_YEARS, by, dryRun = false } = options;
  if (!(years >= FLOOR_YEARS))
    throw new AuditError('RETENTION', 'Audit events are kept for six years at least. Give 6 or more.');
  const limit = new Date(parts.now);
  limit.setUTCFullYear(limit.getUTCFullYear() - years);
  const { upTo, newest, ids } = await oldBeginning(parts.store, tenant, limit.getTime());
  if (ids.length === 0 || dryRun) return { upTo, deleted: ids.length };
  await parts.audit.append(tenant, {
    action: 'D',
    operation: CUT_OPERATION,
    outcome: '0',
    actor: { user: by, role: 'admin', client: 'chartseal' },
    entity: { resource: 'AuditEvent', id: `leaves-0-${upTo}`, fields: [`newest ${newest}`] },
    purposeOfUse: 'HOPERAT',
    policy: `retention-${years}-years`,
  });
  for (let at = 0; at < ids.length; at += 400)
    await parts.store.tenant(tenant).transact(async (tx) => {
      for (const id of ids.slice(at, at + 400)) tx.delete(ref(auditEvents, id));
    });
  return { upTo, deleted: ids.length };
}

/** Cuts what is over ten years old in every tenant's log. Scheduled each month; one's fault does not stop the others. */
export async function retentionRound(
  parts: { store: Store; audit: AuditLog; now: number },
  tenants: readonly TenantId[],
  onFault: (error: unknown) => void,
): Promise<void> {
  for (const tenant of tenants) await cutOldEvents(parts, tenant, { by: 'scheduler' }).catch(onFault);
}

/** Leaves up to the first that is young, and the ids of those whose events are still there. */
async function oldBeginning(store: Store, tenant: TenantId, limit: number) {
  const rows = store.tenant(tenant);
  const ids: string[] = [];
  let newest = '';
  for (let bundle = 0, upTo = 0; ; bundle += 1) {
    const inBundle = eventIdsOf((await rows.get(bundleRef(bundle)))[0]);
    const events = await rows.get(...inBundle.map((id) => ref(auditEvents, id)));
    for (const [at, row] of events.entries()) {
      const event = row === null ? null : readEvent(row.leaf);
      if (event !== null && !(Date.parse(event.recorded) < limit)) return { upTo, newest, ids };
      if (event !== null) {
        ids.push(inBundle[at] ?? '');
        if (event.recorded > newest) newest = event.recorded;
      }
      upTo += 1;
    }
    if (inBundle.length < 256) return { upTo, newest, ids };
  }
}
