import type { OpenChart } from '../crypto/open-chart.ts';
import type { SealedCharts } from '../crypto/sealed-charts.ts';
import type { TenantSecrets } from '../crypto/tenant-secrets.ts';
import { randomId } from '../kernel/ids.ts';
import { type Store, StoreError, type Transaction } from '../kernel/store.ts';
import type { Appointment, Visit } from './appointment.ts';
import { type CancelRequest, cancelIn } from './cancel.ts';
import { ClinicError } from './errors.ts';
import { endHold, holderTag } from './holds.ts';
import { markRequest } from './idempotency.ts';
import { type MoveRequest, moveIn } from './move.ts';
import { checkAhead, checkOffered, findOffering } from './offering.ts';
import { claimsOf } from './places.ts';
import { mayBook } from './rules.ts';
import { type StatusRequest, setStatusIn } from './set-status.ts';
import type { NamedSlot } from './slot-token.ts';
import { Turns } from './turns.ts';
import {
  findPlace,
  type KnownRequest,
  looksTaken,
  readAppointment,
  readSlot,
  type VisitRequest,
  type VisitResult,
  type VisitWork,
  writeVisit,
} from './visit-work.ts';
import { closeOffer } from './waitlist.ts';

/** A request to book one slot. */
export interface BookingRequest extends VisitRequest {
  /** The token that was shown; it is the idempotency key. */
  readonly slotId: string;
  readonly slot: NamedSlot;
  readonly reason: string | null;
  /** Staff only: takes a place beyond the practitioner's capacity, as far as their overbooking rule allows. */
  readonly overbook?: boolean;
}

/** Books, moves and cancels visits: one place, one booking, under any concurrency, retry or crash. */
export class Bookings {
  readonly #store: Store;
  readonly #charts: SealedCharts;
  readonly #secrets: TenantSecrets;
  readonly #turns = new Turns();

  constructor(options: { store: Store; charts: SealedCharts; secrets: TenantSecrets }) {
    this.#store = options.store;
    this.#charts = options.charts;
    this.#secrets = options.secrets;
  }

  /**
   * One transaction reads the earlier answer, key, manifest, schedule and cells, and writes the answer, the claims,
   * the sealed appointment, the manifest and the audit event.
   *
   * @throws ClinicError `SLOT_PAST`, `SLOT_CLOSED`, `REQUEST_CONFLICT`; StoreError when the store is down.
   */
  book(request: BookingRequest): Promise<VisitResult> {
    const { slotId: key, reason, slot } = request;
    const asked = { operation: 'scheduleAppointment', key, body: reason ?? '' };
    const gone = (known: KnownRequest) =>
      looksTaken(this.#store.tenant(request.of.tenant), slot, { ...request, ...known });
    return this.#run(request, { asked, slot, work: bookIn, gone });
  }

  /**
   * Takes the new time and frees the old one in one transaction. The old one is held for the patient for a minute.
   *
   * @throws ClinicError as {@link book}, and `APPOINTMENT_UNKNOWN`, `APPOINTMENT_STATE`.
   */
  move(request: MoveRequest): Promise<VisitResult> {
    const { slotId: key, appointmentId: body, slot } = request;
    return this.#run(request, {
      asked: { operation: 'rescheduleAppointment', key, body },
      slot,
      work: moveIn,
    });
  }

  /**
   * Cancels, frees the time and holds it for the patient for a minute.
   *
   * @throws ClinicError `APPOINTMENT_UNKNOWN`, `APPOINTMENT_STATE`, `REQUEST_CONFLICT`.
   */
  cancel(request: CancelRequest): Promise<VisitResult> {
    const { confirm: key, appointmentId, reason, appointment: slot } = request;
    const asked = { operation: 'cancelAppointment', key, body: `${appointmentId}\n${reason ?? ''}` };
    return this.#run(request, { asked, slot, work: cancelIn });
  }

  /** @throws ClinicError `APPOINTMENT_UNKNOWN`, `APPOINTMENT_STATE` when the status cannot follow the present one. */
  setStatus(request: StatusRequest): Promise<VisitResult> {
    const { appointmentId, status, appointment: slot } = request;
    const key = `${appointmentId}/${slot.changedAt}/${status}`;
    return this.#run(request, {
      asked: { operation: 'setAppointmentStatus', key, body: '' },
      slot,
      work: setStatusIn,
    });
  }

  async #run<R extends VisitRequest>(
    request: R,
    {
      asked,
      slot,
      work,
      gone = async () => false,
    }: {
      asked: { operation: string; key: string; body: string };
      slot: Pick<NamedSlot, 'visitType' | 'practitioner' | 'start'>;
      work: (work: VisitWork<R>) => Promise<VisitResult>;
      gone?: (known: KnownRequest) => Promise<boolean>;
    },
  ): Promise<VisitResult> {
    const { of, user, client } = request;
    const [planned, mark, tag] = await Promise.all([
      findOffering(this.#store, of.tenant, slot),
      markRequest(this.#secrets, { ...of, user, client, ...asked }),
      holderTag(this.#secrets, of),
    ]);
    const inside = (chart: OpenChart, tx: Transaction) => work({ request, chart, tx, mark, tag, planned });
    try {
      return await this.#turns.take(`${of.tenant}/${slot.practitioner}/${slot.start}`, async (waited) => {
        if (waited && (await gone({ planned, mark, tag }))) return { outcome: 'taken' };
        return this.#charts.transact(of, inside, { proof: request.audit.draft.proof });
      });
    } catch (error) {
      if (error instanceof StoreError && error.code === 'TIME_TAKEN') return { outcome: 'taken' };
      throw error;
    }
  }
}

async function bookIn(work: VisitWork<BookingRequest>): Promise<VisitResult> {
  const { chart, tx, request } = work;
  const { slot, now, by, overbook = false } = request;
  const { repeated, offering, claims } = await readSlot(work, slot, overbook);
  if (repeated !== null) {
    await checkStands(work, repeated);
    return { outcome: 'repeated', alias: chart.alias, visit: repeated };
  }
  if (!mayBook(offering.visitType, by)) return { outcome: 'callClinic' };
  const found = await findPlace(work, slot, { offering, claims, overbook });
  if (found?.held === true) checkAhead(slot, now);
  else checkOffered(offering, slot, now);
  if (found === null) return { outcome: 'taken' };
  const closed = found.held ? await closeOffer(work, found) : null;
  const booking = randomId('bk');
  const appointment: Appointment = {
    status: 'booked',
    visitType: slot.visitType,
    practitioner: slot.practitioner,
    start: slot.start,
    end: slot.end,
    reason: request.reason,
    booking,
    place: { ...found.place, resources: [...found.place.resources] },
    bookedAt: now,
    changedAt: now,
  };
  const done = await writeVisit(work, randomId('apt'), { appointment, offering });
  for (const held of found.giveWay) endHold(tx, held);
  for (const claim of claimsOf(found.place, booking)) tx.claim(claim);
  closed?.(tx);
  return { outcome: 'done', alias: done.alias, visit: done.visit };
}

/** An old answer is given again only while it is true: not for a visit that was moved or cancelled since. */
async function checkStands({ chart, request }: VisitWork<BookingRequest>, answered: Visit): Promise<void> {
  const { status, start } = await readAppointment(chart, answered.appointmentId);
  if (status === 'booked' && start === request.slot.start) return;
  throw new ClinicError(
    'REQUEST_CONFLICT',
    'What was booked with this slotId has been changed since. See listAppointments, or look for open slots again.',
  );
}
