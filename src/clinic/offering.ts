import type { TenantId } from '../kernel/ids.ts';
import type { Store, Transaction } from '../kernel/store.ts';
import {
  type Clinic,
  findClinic,
  findLocations,
  findOffer,
  findPractitioners,
  type Location,
  type Offer,
  type Practitioner,
} from './clinic.ts';
import { dateAt } from './clinic-time.ts';
import { ClinicError } from './errors.ts';
import { resourcesFor } from './places.ts';
import type { NamedSlot } from './slot-token.ts';
import { offeredSlots } from './slots.ts';

/** What a clinic offers for one visit type and practitioner, as one read saw it. */
export interface Offering extends Offer {
  readonly clinic: Clinic;
  /** Undefined when they have left the clinic. */
  readonly practitioner: Practitioner | undefined;
  /** Where the visit may take place. */
  readonly locations: readonly Location[];
}

/**
 * Reads it before a transaction, so that the transaction can ask for everything at once.
 *
 * @throws ClinicError `CLINIC_MISSING`, `VISIT_TYPE_UNKNOWN`.
 */
export async function findOffering(
  store: Store,
  tenant: TenantId,
  slot: { visitType: string; practitioner: string },
): Promise<Offering> {
  const reader = store.tenant(tenant);
  const [clinic, offer, [practitioner]] = await Promise.all([
    findClinic(store, tenant),
    findOffer(reader, slot.visitType),
    findPractitioners(reader, [slot.practitioner]),
  ]);
  const { location, rooms } = offer.visitType;
  const locations = await findLocations(reader, [...(location === null ? [] : [location]), ...rooms]);
  return { ...offer, clinic, practitioner, locations };
}

/** The same inside a transaction, so that a change of the schedule and a booking under it do not cross. */
export async function rereadOffering(tx: Transaction, planned: Offering, slot: NamedSlot): Promise<Offering> {
  const [offer, [practitioner]] = await Promise.all([
    findOffer(tx, slot.visitType),
    findPractitioners(tx, [slot.practitioner]),
  ]);
  return { ...planned, ...offer, practitioner };
}

/** The resources that a visit may take; none when the practitioner is gone. */
export function resourcesOf({ visitType, practitioner }: Offering, overbook: boolean): string[] {
  return practitioner === undefined ? [] : resourcesFor({ visitType, practitioner, overbook });
}

/**
 * The schedule may have changed, and time has passed, since a slot was shown.
 *
 * @throws ClinicError `SLOT_PAST`, `SLOT_CLOSED`.
 */
export function checkOffered(offering: Offering, slot: NamedSlot, now: number): void {
  checkAhead(slot, now);
  const { clinic, visitType, holidays, practitioner } = offering;
  const on = dateAt(slot.start, clinic.zone);
  const practitioners = practitioner === undefined ? [] : [practitioner];
  const offered = offeredSlots({
    visitType,
    practitioners,
    holidays,
    zone: clinic.zone,
    from: on,
    to: on,
    now,
  });
  if (!offered.some((open) => open.start === slot.start && open.end === slot.end)) {
    throw new ClinicError(
      'SLOT_CLOSED',
      'The clinic does not offer that time. Nothing was booked. Look for open slots again.',
    );
  }
}

/** @throws ClinicError `SLOT_PAST`. */
export function checkAhead(slot: { start: number }, now: number): void {
  if (slot.start > now) return;
  throw new ClinicError(
    'SLOT_PAST',
    'That time has already passed. Nothing was booked. Look for open slots again.',
  );
}
