import type { AuditEntry, AuditLog } from '../audit/append.ts';
import type { Clock } from '../kernel/clock.ts';
import { type Row, ref } from '../kernel/collection.ts';
import { SYSTEM_TENANT, type TenantId } from '../kernel/ids.ts';
import type { Store, Transaction } from '../kernel/store.ts';
import { type Clinic, findClinic, findOffer, findPractitioners } from './clinic.ts';
import { dateAt } from './clinic-time.ts';
import { endHold, hold, holds } from './holds.ts';
import { type Place, spanFor } from './places.ts';
import { type OpenSlot, offeredSlots } from './slots.ts';
import { waitlist } from './waitlist.ts';

/** How long a freed time is kept for the one it is offered to, in ms. */
export const OFFER_MS = 3_600_000;

/** What a sweep did. */
export interface SweptHolds {
  readonly freed: number;
  readonly offered: number;
}

const MAX_HOLDS = 1_000;
const MAX_WAITING = 200;

interface Queued extends Row<typeof waitlist.columns> {
  readonly id: string;
}

/** What a sweep stands on. */
export interface SweepOptions {
  readonly store: Store;
  readonly audit: AuditLog;
  readonly now: number;
  /** Stops between two holds. */
  readonly signal?: AbortSignal;
}

/**
 * Frees the times whose hold is over and offers each to the first on the waiting list whom it suits; who let an
 * offer pass goes to the end of the queue. Safe to run twice at once and to be killed anywhere: each hold is one
 * transaction, with its audit event.
 */
export async function sweepHolds(tenant: TenantId, options: SweepOptions): Promise<SweptHolds> {
  const { store, audit, now } = options;
  const clinic = await findClinic(store, tenant);
  const all = await store.tenant(tenant).list(holds, { limit: MAX_HOLDS });
  let [freed, offered] = [0, 0];
  for (const { id, row } of all) {
    if (row.expiresAt > now || options.signal?.aborted === true) continue;
    const draft = audit.draft(tenant);
    try {
      const at = { clinic, now };
      const ended = await store.tenant(tenant).transact(
        async (tx) => {
          const passed = await passOn(tx, id, at);
          if (passed !== 'gone') draft.write(tx, entryOf(passed));
          return passed;
        },
        { proof: draft.proof },
      );
      if (ended === 'gone') {
        draft.abandon();
        continue;
      }
      draft.confirm();
      freed += 1;
      if (ended === 'offered') offered += 1;
    } catch (error) {
      draft.abandon();
      throw error;
    }
  }
  return { freed, offered };
}

/** Every tenant's sweep, one after another; a clinic that fails does not keep the others waiting. */
export async function sweepRound(
  tenants: readonly TenantId[],
  options: Omit<SweepOptions, 'now'> & { readonly clock: Clock; readonly onFault: (error: unknown) => void },
): Promise<void> {
  for (const tenant of tenants) {
    if (tenant === SYSTEM_TENANT || options.signal?.aborted === true) continue;
    await sweepHolds(tenant, { ...options, now: options.clock() }).catch(options.onFault);
  }
}

const entryOf = (passed: 'freed' | 'offered'): AuditEntry => ({
  action: 'U',
  operation: passed === 'offered' ? 'offerFreedTime' : 'freeHeldTime',
  outcome: '0',
  actor: { user: 'system', role: 'job', client: 'scheduler' },
  entity: { resource: 'Slot' },
  purposeOfUse: 'HOPERAT',
  policy: 'scheduled-job',
});

async function passOn(
  tx: Transaction,
  booking: string,
  at: { clinic: Clinic; now: number },
): Promise<'gone' | 'freed' | 'offered'> {
  const [row] = await tx.get(ref(holds, booking));
  if (row === null || row.expiresAt > at.now) return 'gone';
  const place = row.place as unknown as Place;
  const [waitingRows, passedRows] = await Promise.all([
    tx.list(waitlist, { equals: { state: 'waiting' }, limit: MAX_WAITING }),
    tx.list(waitlist, { equals: { booking }, limit: 1 }),
  ]);
  const queue = waitingRows
    .map(({ id, row: entry }) => ({ id, ...entry }))
    .sort((a, b) => a.joinedAt - b.joinedAt);
  const next = await firstSuited(tx, queue, { place, ...at });
  endHold(tx, { booking, place });
  const [passed] = passedRows;
  if (passed !== undefined) tx.put(ref(waitlist, passed.id), { ...passed.row, ...WAITING, joinedAt: at.now });
  if (next === null) return 'freed';
  const { id, ...entry } = next.entry;
  const offeredUntil = Math.min(at.now + OFFER_MS, next.slot.start);
  tx.put(ref(waitlist, id), { ...entry, state: 'offered', offer: { ...next.slot }, offeredUntil });
  hold(tx, { booking: entry.booking, holder: entry.holder, place: next.place, expiresAt: offeredUntil });
  return 'offered';
}

const WAITING = { state: 'waiting', offer: null, offeredUntil: null } as const;

/** The first of the queue for whom a slot fits into the freed time. */
async function firstSuited(
  tx: Transaction,
  queue: readonly Queued[],
  freed: { place: Place; clinic: Clinic; now: number },
): Promise<{ entry: Queued; slot: OpenSlot; place: Place } | null> {
  const { place, clinic, now } = freed;
  const on = dateAt(place.from, clinic.zone);
  for (const entry of queue) {
    if (entry.to <= now) continue;
    const { visitType, holidays } = await findOffer(tx, entry.visitType);
    if (visitType.rooms.length > 0 !== (place.room !== null)) continue;
    const wanted = entry.practitioner === null ? visitType.practitioners : [entry.practitioner];
    const practitioners = (await findPractitioners(tx, wanted)).filter(({ id }) => isPlaceOf(place, id));
    const open = offeredSlots({
      visitType,
      practitioners,
      zone: clinic.zone,
      holidays,
      from: on,
      to: on,
      now,
    });
    const slot = open.find((candidate) => {
      const span = spanFor(candidate, visitType);
      const inside = span.from >= place.from && span.to <= place.to;
      return inside && candidate.start >= entry.from && candidate.start < entry.to;
    });
    if (slot !== undefined)
      return {
        entry,
        slot,
        place: { ...spanFor(slot, visitType), resources: place.resources, room: place.room },
      };
  }
  return null;
}

const isPlaceOf = (place: Place, practitioner: string): boolean =>
  place.resources.some((resource) => resource === practitioner || resource.startsWith(`${practitioner}--`));
