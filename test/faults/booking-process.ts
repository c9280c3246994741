import { setTimeout as sleep } from 'node:timers/promises';
import type { PatientId, TenantId } from '../../src/kernel/ids.ts';
import { type Store, StoreError } from '../../src/kernel/store.ts';
import { openFirestoreStore } from '../../src/storage/firestore/open-store.ts';
import { openPostgresStore } from '../../src/storage/postgres/open-store.ts';
import { openClinic } from '../clinic/house.ts';

/** A server of its own that answers booking requests until it is done or killed. */

/** What the test tells it, as JSON in BOOKING. */
export interface BookingWork {
  readonly tenant: string;
  readonly store: { readonly kind: Store['kind']; readonly address: string };
  readonly requests: readonly { readonly patient: string; readonly slotId: string; readonly start: string }[];
}

const CONCURRENCY = 4;
const MAX_TRIES = 10;
/** A killed server's transactions hold their rows until the database gives them up. */
const PATIENCE_MS = 15_000;
const { tenant, store: at, requests } = JSON.parse(process.env['BOOKING'] ?? '{}') as BookingWork;
const store =
  at.kind === 'postgres'
    ? openPostgresStore({ connectionString: at.address })
    : openFirestoreStore({ projectId: 'demo-chartseal', emulatorHost: at.address });
const clinic = await openClinic(store, tenant as TenantId);
const queue = [...requests];

async function serve(): Promise<void> {
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    process.stdout.write(`${next.patient} ${await answer(next)}\n`);
  }
}

/** As a client does: what is retryable is tried again, later. */
async function answer({ patient, start, slotId }: BookingWork['requests'][number]): Promise<string> {
  const of = { tenant: tenant as TenantId, patient: patient as PatientId };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return (await clinic.book(of, clinic.slot(start), { slotId })).outcome;
    } catch (error) {
      if (!(error instanceof StoreError && error.retryable) || attempt === MAX_TRIES) throw error;
      await sleep(PATIENCE_MS);
    }
  }
}

await Promise.all(Array.from({ length: CONCURRENCY }, serve));
await store.close();
