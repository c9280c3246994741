import type { OpenChart } from '../crypto/open-chart.ts';
import type { PatientRef } from '../crypto/patient-keys.ts';
import type { SealedCharts } from '../crypto/sealed-charts.ts';
import type { PatientAlias } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import {
  type Appointment,
  appointmentName,
  isAppointment,
  parseAppointment,
  unknownAppointment,
  type Visit,
  visitOf,
} from './appointment.ts';
import {
  type Clinic,
  findClinic,
  findLocations,
  findPractitioners,
  listVisitTypes,
  type VisitType,
} from './clinic.ts';

/** An appointment in clear and as a person hears of it. */
export interface KnownVisit {
  readonly id: string;
  readonly appointment: Appointment;
  readonly visitType: VisitType;
  readonly visit: Visit;
}

/** The visits of a chart, by start. */
export interface Visits {
  readonly alias: PatientAlias;
  readonly clinic: Clinic;
  readonly visits: readonly KnownVisit[];
}

/** Reads the visits of charts. */
export class VisitReader {
  readonly #store: Store;
  readonly #charts: SealedCharts;

  constructor(options: { store: Store; charts: SealedCharts }) {
    this.#store = options.store;
    this.#charts = options.charts;
  }

  /** Every visit of a chart, by start; null when there is no such chart. */
  all(of: PatientRef): Promise<Visits | null> {
    return this.#read(of, (chart) => chart.documents('appointments').filter(isAppointment));
  }

  /**
   * One visit of a chart.
   *
   * @throws ClinicError `APPOINTMENT_UNKNOWN` when there is no such visit in it.
   */
  async one(of: PatientRef, id: string): Promise<Omit<Visits, 'visits'> & { readonly known: KnownVisit }> {
    const read = await this.#read(of, () => [id]);
    const [known] = read?.visits ?? [];
    if (read === null || known === undefined) throw unknownAppointment();
    return { alias: read.alias, clinic: read.clinic, known };
  }

  async #read(of: PatientRef, wanted: (chart: OpenChart) => string[]): Promise<Visits | null> {
    const [read, clinic, visitTypes] = await Promise.all([
      this.#charts.read(of, (chart) => wanted(chart).map(appointmentName)),
      findClinic(this.#store, of.tenant),
      listVisitTypes(this.#store, of.tenant),
    ]);
    if (read === null) return null;
    const found = wanted(read.chart).map((id, index) => ({
      id,
      appointment: parseAppointment(read.values[index] ?? null),
    }));
    const visits = await spell(found, { store: this.#store, of, clinic, visitTypes });
    return { alias: read.chart.alias, clinic, visits };
  }
}

async function spell(
  found: readonly { id: string; appointment: Appointment }[],
  at: { store: Store; of: PatientRef; clinic: Clinic; visitTypes: readonly VisitType[] },
): Promise<KnownVisit[]> {
  if (found.length === 0) return [];
  const reader = at.store.tenant(at.of.tenant);
  const types = new Map(at.visitTypes.map((visitType) => [visitType.id, visitType]));
  const placeOf = ({ place, visitType }: Appointment) => place.room ?? types.get(visitType)?.location ?? [];
  const [people, locations] = await Promise.all([
    findPractitioners(reader, [...new Set(found.map(({ appointment }) => appointment.practitioner))]),
    findLocations(reader, [...new Set(found.flatMap(({ appointment }) => placeOf(appointment)))]),
  ]);
  return found
    .flatMap(({ id, appointment }) => {
      const visitType = types.get(appointment.visitType);
      if (visitType === undefined) return [];
      const practitioner = people.find((person) => person.id === appointment.practitioner);
      const offer = { clinic: at.clinic, visitType, practitioner, locations };
      return [{ id, appointment, visitType, visit: visitOf(id, appointment, offer) }];
    })
    .sort((a, b) => a.appointment.start - b.appointment.start);
}
