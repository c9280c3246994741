import { hash } from 'node:crypto';
import type { PatientRef } from '../crypto/patient-keys.ts';
import type { TenantSecrets } from '../crypto/tenant-secrets.ts';
import { collection, ref } from '../kernel/collection.ts';
import { randomId } from '../kernel/ids.ts';
import type { Reader, TimeClaim, Transaction } from '../kernel/store.ts';
import { claimsOf, type Place } from './places.ts';

/**
 * A hold keeps a time for one patient for a short while: the time that a cancelled visit just left, so that the
 * cancellation can be undone, and a freed time that is offered to the next on the waiting list. It takes the time
 * like a booking does. Whoever books over an expired hold removes it in the same transaction, so that an expiry
 * needs no clock of its own, and hold and booking have one winner.
 */

/** id = the booking reference of its claims. `holder` is a keyed digest: the row leads to no chart. */
export const holds = collection('holds', { holder: 'bytes', place: 'json', expiresAt: 'instant' });

/** A patient as holds know them. */
export type HolderTag = Buffer;

/** A hold that stands in nobody's way, with what has to be freed before its time is claimed anew. */
export interface Vacant {
  readonly booking: string;
  readonly place: Place;
  readonly own: boolean;
}

/** Claims, less those of holds that are over or are the asker's own. */
export interface Settled {
  readonly blocking: readonly TimeClaim[];
  readonly vacant: readonly Vacant[];
}

const PREFIX = 'hold_';
const HOLDER_BYTES = 16;

/** Call it before a transaction: it may need KMS. */
export function holderTag(secrets: TenantSecrets, of: PatientRef): Promise<HolderTag> {
  return secrets.mac(of.tenant, 'hold', [of.patient]);
}

/** A fresh booking reference for a hold. */
export const newHold = (): string => randomId('hold');

/** Which patient a hold is for, as its row says it; two holds of one patient do not look alike. */
export const holderOf = (tag: HolderTag, booking: string): Buffer =>
  hash('sha256', Buffer.concat([tag, Buffer.from(booking, 'latin1')]), 'buffer').subarray(0, HOLDER_BYTES);

/** Looks through the holds among `claims`: one more read, only when there are any. `tag` null owns none. */
export async function settleHolds(
  reader: Reader,
  claims: readonly TimeClaim[],
  at: { readonly tag: HolderTag | null; readonly now: number },
): Promise<Settled> {
  const bookings = [...new Set(claims.map(({ booking }) => booking).filter((id) => id.startsWith(PREFIX)))];
  if (bookings.length === 0) return { blocking: claims, vacant: [] };
  const rows = await reader.get(...bookings.map((booking) => ref(holds, booking)));
  const vacant = rows.flatMap((row, index): Vacant[] => {
    const booking = bookings[index] ?? '';
    if (row === null) return [];
    const own = at.tag !== null && holderOf(at.tag, booking).equals(row.holder);
    return own || row.expiresAt <= at.now ? [{ booking, own, place: row.place as unknown as Place }] : [];
  });
  const gone = new Set(vacant.map(({ booking }) => booking));
  return { blocking: claims.filter(({ booking }) => !gone.has(booking)), vacant };
}

/** Takes `place` for a holder until `expiresAt`. */
export function hold(
  tx: Transaction,
  held: { booking: string; holder: Uint8Array; place: Place; expiresAt: number },
): void {
  const { booking, holder, place, expiresAt } = held;
  for (const claim of claimsOf(place, booking)) tx.claim(claim);
  tx.put(ref(holds, booking), { holder, place: { ...place, resources: [...place.resources] }, expiresAt });
}

/** Frees a hold's time and forgets it. */
export function endHold(tx: Transaction, { booking, place }: Pick<Vacant, 'booking' | 'place'>): void {
  for (const claim of claimsOf(place, booking)) tx.release(claim);
  tx.delete(ref(holds, booking));
}

/** The holds that a claim of `place` would run into. */
export const overlapping = (vacant: readonly Vacant[], place: Place): Vacant[] =>
  vacant.filter((held) => overlap(held.place, place));

/** Whether two places share a resource at some time. */
export const overlap = (a: Place, b: Place): boolean =>
  a.from < b.to && a.to > b.from && a.resources.some((resource) => b.resources.includes(resource));
