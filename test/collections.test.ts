import { describe, expect, test } from 'vitest';
import { auditEvents } from '../src/audit/append.ts';
import { idempotency } from '../src/clinic/idempotency.ts';
import { expiryRound } from '../src/collections.ts';
import { ref } from '../src/kernel/collection.ts';
import { SYSTEM_TENANT, type TenantId } from '../src/kernel/ids.ts';
import { oauthState } from '../src/oauth/adapter.ts';
import { logOf } from './doubles/audit-log.ts';
import { createMemoryStore } from './doubles/memory-store.ts';

const clinic = 'riverside' as TenantId;
const NOW = 1_800_000_000_000;
const answer = (expiresAt: number) => ({
  patient: 'pat_x',
  body: new Uint8Array(1),
  sealed: new Uint8Array(1),
  expiresAt,
});

describe('the hourly sweep', () => {
  test('deletes kept answers whose time has come, to the millisecond, and goes on after a fault', async () => {
    const store = createMemoryStore();
    await store.tenant(clinic).transact(async (tx) => {
      tx.create(ref(idempotency, 'over'), answer(NOW));
      tx.create(ref(idempotency, 'kept'), answer(NOW + 1));
    });
    const audit = logOf(store);
    const faults: unknown[] = [];
    const broken = {
      ...store,
      tenant: (id: TenantId) => {
        if (id === SYSTEM_TENANT) throw new Error('down');
        return store.tenant(id);
      },
    };
    const options = { now: NOW, onFault: (error: unknown) => faults.push(error) };
    const deleted = await expiryRound({ store: broken, audit }, [SYSTEM_TENANT, clinic], options);
    expect([deleted, faults.length > 0]).toEqual([1, true]);
    const left = await store.tenant(clinic).list(idempotency, { limit: 10 });
    expect(left.map(({ id }) => id)).toEqual(['kept']);
    const events = await store.tenant(clinic).list(auditEvents, { limit: 10 });
    expect(events.map(({ row }) => JSON.parse(Buffer.from(row.leaf).toString('utf8')))).toMatchObject([
      { action: 'D', operation: 'expiry-sweep', entity: { resource: 'Expired', fields: ['idempotency'] } },
    ]);
    await expiryRound({ store, audit }, [clinic], options);
    expect(await store.tenant(clinic).list(auditEvents, { limit: 10 })).toHaveLength(1);
    expect(await store.tenant(SYSTEM_TENANT).list(oauthState, { limit: 1 })).toEqual([]);
  });
});
