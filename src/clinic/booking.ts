import type { AuditDraft } from '../audit/append.ts';
import type { ChartChange, OpenChart } from '../crypto/open-chart.ts';
import type { PatientRef } from '../crypto/patient-keys.ts';
import type { SealedCharts } from '../crypto/sealed-charts.ts';
import type { TenantSecrets } from '../crypto/tenant-secrets.ts';
import { type PatientAlias, randomId, type UserId } from '../kernel/ids.ts';
import { type Store, StoreError, type Transaction } from '../kernel/store.ts';
import { APPOINTMENT_SCHEMA, type Appointment, appointmentName, type Visit, visit } from './appointment.ts';
import {
  type Clinic,
  findClinic,
  findPractitioners,
  findVisitType,
  type Practitioner,
  type VisitType,
} from './clinic.ts';
import { dateAt, spoken } from './clinic-time.ts';
import { ClinicError } from './errors.ts';
import { earlierAnswer, keepAnswer, markRequest, type RequestMark } from './idempotency.ts';
import type { NamedSlot } from './slot-token.ts';
import { offeredSlots } from './slots.ts';
import { Turns } from './turns.ts';

/** A request to book one slot, already authorised. */
export interface BookingRequest {
  readonly of: PatientRef;
  readonly user: UserId;
  readonly client: string;
  /** The token that was shown; it is the idempotency key. */
  readonly slotId: string;
  readonly slot: NamedSlot;
  readonly reason: string | null;
  readonly now: number;
  /** Called inside the transaction to put the audit event beside the booking. */
  readonly audit: { draft: AuditDraft; write: (tx: Transaction, booked: BookedVisit) => void };
}

/** What a committed booking wrote. */
export interface BookedVisit {
  readonly alias: PatientAlias;
  readonly visit: Visit;
  readonly written: ChartChange;
}

/** `repeated`: the same request was answered before; nothing was written. `taken`: nothing was booked. */
export type BookingResult =
  | { readonly outcome: 'booked' | 'repeated'; readonly alias: PatientAlias; readonly visit: Visit }
  | { readonly outcome: 'taken' };

/** Books visits: one slot, one booking, under any concurrency, retry or crash. */
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
   * One transaction reads the earlier answer, key, manifest, hours and cells, and writes the answer, the claim,
   * the sealed appointment, the manifest and the audit event.
   *
   * @throws ClinicError `SLOT_PAST`, `SLOT_CLOSED`, `REQUEST_CONFLICT`; StoreError when the store is down.
   */
  async book(request: BookingRequest): Promise<BookingResult> {
    const clinic = await findClinic(this.#store, request.of.tenant);
    const mark = await markRequest(this.#secrets, {
      ...request.of,
      user: request.user,
      client: request.client,
      operation: 'scheduleAppointment',
      key: request.slotId,
      body: request.reason ?? '',
    });
    const work = (chart: OpenChart, tx: Transaction) => bookIn(tx, { chart, clinic, mark, request });
    const { practitioner, start } = request.slot;
    try {
      return await this.#turns.take(`${request.of.tenant}/${practitioner}/${start}`, () =>
        this.#charts.transact(request.of, work, { proof: request.audit.draft.proof }),
      );
    } catch (error) {
      if (error instanceof StoreError && error.code === 'TIME_TAKEN') return { outcome: 'taken' };
      throw error;
    }
  }
}

interface BookingWork {
  readonly chart: OpenChart;
  readonly clinic: Clinic;
  readonly mark: RequestMark;
  readonly request: BookingRequest;
}

async function bookIn(tx: Transaction, work: BookingWork): Promise<BookingResult> {
  const { chart, mark, request } = work;
  const { slot } = request;
  const [[earlier], visitType, [practitioner], claims] = await Promise.all([
    tx.get(mark.at),
    findVisitType(tx, slot.visitType),
    findPractitioners(tx, [slot.practitioner]),
    tx.busy([slot.practitioner], { from: slot.start, to: slot.end }),
  ]);
  const answer = await earlierAnswer(chart, mark, earlier);
  if (answer !== null) {
    return {
      outcome: 'repeated',
      alias: chart.alias,
      visit: visit.parse(JSON.parse(answer.toString('utf8'))),
    };
  }
  checkOffered(work, visitType, practitioner);
  if (claims.length > 0) return { outcome: 'taken' };
  const booked = await sealVisit(tx, work, { visitType, practitioner });
  await keepAnswer(tx, chart, { mark, answer: Buffer.from(JSON.stringify(booked.visit)), now: request.now });
  request.audit.write(tx, booked);
  return { outcome: 'booked', alias: booked.alias, visit: booked.visit };
}

/** The hours may have changed, and time has passed, since the slot was shown. */
function checkOffered(
  { clinic, request: { slot, now } }: BookingWork,
  visitType: VisitType,
  practitioner: Practitioner | undefined,
): asserts practitioner is Practitioner {
  if (slot.start <= now) {
    throw new ClinicError(
      'SLOT_PAST',
      'That time has already passed. Nothing was booked. Look for open slots again.',
    );
  }
  const on = dateAt(slot.start, clinic.zone);
  const practitioners = practitioner === undefined ? [] : [practitioner];
  const offered = offeredSlots({ visitType, practitioners, zone: clinic.zone, from: on, to: on, now });
  if (!offered.some((open) => open.start === slot.start && open.end === slot.end)) {
    throw new ClinicError(
      'SLOT_CLOSED',
      'The clinic does not offer that time. Nothing was booked. Look for open slots again.',
    );
  }
}

async function sealVisit(
  tx: Transaction,
  { chart, clinic, request }: BookingWork,
  offer: { visitType: VisitType; practitioner: Practitioner },
): Promise<BookedVisit> {
  const { slot, now, reason } = request;
  const appointmentId = randomId('apt');
  const booking = randomId('bk');
  const { start, end } = slot;
  const sealed: Appointment = {
    status: 'booked',
    visitType: slot.visitType,
    practitioner: slot.practitioner,
    start,
    end,
    reason,
    booking,
    bookedAt: now,
  };
  await chart.seal(appointmentName(appointmentId), Buffer.from(JSON.stringify(sealed)), APPOINTMENT_SCHEMA);
  const written = await chart.save(tx);
  tx.claim({ resource: slot.practitioner, from: start, to: end, booking });
  return { alias: chart.alias, written, visit: visitOf(appointmentId, sealed, { clinic, ...offer }) };
}

function visitOf(
  appointmentId: string,
  booked: Appointment,
  offer: { clinic: Clinic; visitType: VisitType; practitioner: Practitioner },
): Visit {
  return {
    appointmentId,
    visitType: offer.visitType.id,
    title: offer.visitType.title,
    practitioner: offer.practitioner.name,
    minutes: offer.visitType.minutes,
    ...(offer.visitType.preparation === null ? {} : { preparation: offer.visitType.preparation }),
    ...spoken(booked.start, offer.clinic.zone),
  };
}
