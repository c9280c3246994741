import type { AuditEntry } from '../../src/audit/append.ts';
import type { AuditEvent } from '../../src/audit/event.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { anEntry } from './log-house.ts';

let count = 0;

/** An event as the log holds it, with what the test cares about. */
export function anEvent(more: Partial<AuditEntry> & { id?: string; recorded?: string } = {}): AuditEvent {
  count += 1;
  return {
    id: `ev_${String(count).padStart(22, '0')}`,
    tenant: 'riverside' as TenantId,
    recorded: '2026-11-24T14:00:00.000Z',
    writer: { boot: 'wr_1', count, confirmed: [], abandoned: [] },
    ...anEntry(more),
    ...more,
  };
}
