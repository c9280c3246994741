import { hash } from 'node:crypto';
import { collection, ref } from '../kernel/collection.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import type { AuditLog } from './append.ts';

/** What governed a tenant when it was last looked at; one row, id `current`: name → digest. */
export const auditConfiguration = collection('auditConfiguration', { parts: 'json' });

const CURRENT = ref(auditConfiguration, 'current');

/** What governs a tenant: policies, settings, registries. Name → any text that changes when the thing does. */
export type Configuration = ReadonlyMap<string, string>;

/**
 * Leaves an event when something that governs a tenant is not what it was when this was last called: by a deployment,
 * by an administrator, or behind everybody's back. The event names what changed, never to what; its entity's id is a
 * digest of the whole.
 *
 * @returns the names of what changed, was added or is gone; none when nothing did.
 * @throws AuditError `AUDIT_EVENT`; StoreError.
 */
export async function recordConfiguration(
  parts: { readonly store: Store; readonly audit: AuditLog },
  tenant: TenantId,
  configuration: Configuration,
): Promise<readonly string[]> {
  const now = Object.fromEntries([...configuration].sort().map(([name, text]) => [name, digestOf(text)]));
  const rows = parts.store.tenant(tenant);
  const [seen] = await rows.get(CURRENT);
  if (changes(seen?.parts, now).length === 0) return [];
  let changed: readonly string[] = [];
  await parts.audit.commit(tenant, async (tx) => {
    const [before] = await tx.get(CURRENT);
    changed = changes(before?.parts, now);
    if (changed.length === 0) return null;
    tx.put(CURRENT, { parts: now });
    return {
      action: before === null ? 'C' : 'U',
      operation: 'configuration-changed',
      outcome: '0',
      actor: { user: 'system', role: 'job', client: 'scheduler' },
      entity: { resource: 'Configuration', id: digestOf(JSON.stringify(now)), fields: changed },
      purposeOfUse: 'HOPERAT',
      policy: 'scheduled-job',
    };
  });
  return changed;
}

function changes(before: unknown, now: Readonly<Record<string, string>>): string[] {
  const then = (before ?? {}) as Readonly<Record<string, string>>;
  const names = new Set([...Object.keys(then), ...Object.keys(now)]);
  return [...names].filter((name) => then[name] !== now[name]).sort();
}

const digestOf = (text: string): string => hash('sha256', text, 'base64url');
