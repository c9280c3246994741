import { consentRef, type consents } from '../../access/consents.ts';
import { relationships } from '../../access/relationships.ts';
import type { AuditEvent } from '../../audit/event.ts';
import { eventsOf } from '../../audit/log-events.ts';
import { storeSource } from '../../audit/store-source.ts';
import { type Appointment, isAppointment, parseAppointment } from '../../clinic/appointment.ts';
import { CHART_SHAPES, type Chart, type ChartCompartment } from '../../clinic/chart.ts';
import { type Clinic, findClinic, findPractitioners, listVisitTypes } from '../../clinic/clinic.ts';
import { type ChartDocument, readDocument, shownDocument } from '../../clinic/documents/document.ts';
import { isWaiting, parseWaiting, type Waiting } from '../../clinic/waitlist.ts';
import { CryptoError } from '../../crypto/errors.ts';
import type { ValueName } from '../../crypto/open-chart.ts';
import type { PatientRef } from '../../crypto/patient-keys.ts';
import type { SealedCharts } from '../../crypto/sealed-charts.ts';
import type { TenantSecrets } from '../../crypto/tenant-secrets.ts';
import type { Row } from '../../kernel/collection.ts';
import type { PatientAlias } from '../../kernel/ids.ts';
import type { Store } from '../../kernel/store.ts';
import { type KeptCard, listCards } from '../../payments/card-vault.ts';
import type { RequestView } from '../requests/request.ts';
import { listRequests } from '../requests/requests.ts';
import { viewOf } from '../requests/rules.ts';

/** What the sealed chart of one patient holds, in clear and of one revision. Never stored as such. */
export interface HeldChart {
  readonly alias: PatientAlias;
  readonly chart: Partial<Chart>;
  readonly visits: readonly HeldVisit[];
  readonly waiting: readonly { readonly id: string; readonly waiting: Waiting }[];
  /** What the documents are; their bytes are opened as they are handed out. */
  readonly documents: readonly ChartDocument[];
  /** What a person wrote to a request, by request. */
  readonly words: ReadonlyMap<string, string>;
  /** Values that no part of this version knows how to read: handed out as they are. */
  readonly others: readonly Value[];
}

/** Everything that is held on one patient, in clear. Never stored as such. */
export interface Held extends HeldChart {
  readonly of: PatientRef;
  readonly clinic: Clinic;
  /** ms since the epoch */
  readonly at: number;
  readonly consent: Row<typeof consents.columns> | null;
  /** Who acts for, or treats, the patient. Opaque ids. */
  readonly related: readonly Row<typeof relationships.columns>[];
  readonly requests: readonly RequestView[];
  /** What may be shown of payment cards; their numbers are opened for a processor alone. */
  readonly cards: readonly KeptCard[];
  /** What was done with the chart, in the log's order. */
  readonly events: readonly AuditEvent[];
}

/** A visit with the names that its ids stand for. */
export interface HeldVisit {
  readonly id: string;
  readonly appointment: Appointment;
  readonly title: string;
  readonly practitioner: string;
}

/** What a chart is read from. */
export interface HeldParts {
  readonly store: Store;
  readonly charts: SealedCharts;
  readonly secrets: TenantSecrets;
}

interface Value {
  readonly name: ValueName;
  readonly plaintext: Buffer;
}

/** Values that one read fetches. */
const PAGE = 400;
const MAX_READS = 3;
const MAX_RELATED = 1_000;

/** Gathers everything that is held on a patient; null when there is no such chart. */
export async function gatherHeld(parts: HeldParts, of: PatientRef, now: number): Promise<Held | null> {
  const { store } = parts;
  const reader = store.tenant(of.tenant);
  const [chart, clinic, related, [consent], requests, cards] = await Promise.all([
    readHeldChart(parts, of),
    findClinic(store, of.tenant),
    reader.list(relationships, { equals: { patient: of.patient }, limit: MAX_RELATED }),
    reader.get(consentRef(of.patient)),
    listRequests(reader, of),
    listCards(parts, of),
  ]);
  if (chart === null) return null;
  return {
    ...chart,
    ...{ of, clinic, consent, cards, at: now },
    related: related.map(({ row }) => row),
    requests: requests.map(({ id, row }) => viewOf(id, row, now)),
    events: await eventsAbout(store, of, chart.alias),
  };
}

/** The chart's manifest says what there is, so that nothing can be forgotten. Null when there is no such chart. */
export async function readHeldChart(
  { store, charts }: Pick<HeldParts, 'store' | 'charts'>,
  of: PatientRef,
): Promise<HeldChart | null> {
  const opened = await valuesOf(charts, of);
  if (opened === null) return null;
  const { alias, values } = opened;
  const words = [...byDocument(values, 'requests')].map(
    ([id, plaintext]) => [id, plaintext.toString('utf8')] as const,
  );
  return {
    alias,
    chart: chartIn(values, of),
    visits: await visitsIn(values, store, of),
    waiting: values
      .filter(({ name }) => name.collection === 'appointments' && isWaiting(name.document))
      .map(({ name, plaintext }) => ({ id: name.document, waiting: parseWaiting(plaintext) })),
    documents: [...byDocument(values, 'documents')].map(([id, plaintext]) =>
      shownDocument(id, readDocument(plaintext)),
    ),
    words: new Map(words),
    others: values.filter(({ name }) => !isKnown(name, of)),
  };
}

/** A chart that is written while it is read is read again. */
async function valuesOf(
  charts: SealedCharts,
  of: PatientRef,
): Promise<{ alias: PatientAlias; values: Value[] } | null> {
  for (let turn = 1; ; turn += 1) {
    try {
      const read = await charts.read(of, []);
      if (read === null) return null;
      const names = read.chart.names();
      const values: Value[] = [];
      for (let from = 0; from < names.length; from += PAGE) {
        const part = names.slice(from, from + PAGE);
        const plaintexts = await read.chart.read(part);
        values.push(...part.flatMap((name, index) => heldValue(name, plaintexts[index] ?? null)));
      }
      return { alias: read.chart.alias, values };
    } catch (error) {
      const moved = error instanceof CryptoError && error.code === 'ROLLBACK';
      if (!moved || turn === MAX_READS) throw error;
    }
  }
}

const heldValue = (name: ValueName, plaintext: Buffer | null): Value[] =>
  plaintext === null ? [] : [{ name, plaintext }];

const byDocument = (values: readonly Value[], collection: ValueName['collection']): Map<string, Buffer> =>
  new Map(
    values
      .filter(({ name }) => name.collection === collection)
      .map(({ name, plaintext }) => [name.document, plaintext]),
  );

const isChartPart = ({ collection, document, compartment }: ValueName, { patient }: PatientRef): boolean =>
  collection === 'charts' && document === patient && compartment in CHART_SHAPES;

function isKnown(name: ValueName, of: PatientRef): boolean {
  if (name.collection === 'appointments') return isAppointment(name.document) || isWaiting(name.document);
  if (name.collection === 'documents') return name.compartment === 'file';
  return name.collection === 'requests' || isChartPart(name, of);
}

function chartIn(values: readonly Value[], of: PatientRef): Partial<Chart> {
  const parts = values
    .filter(({ name }) => isChartPart(name, of))
    .map(({ name, plaintext }) => {
      const compartment = name.compartment as ChartCompartment;
      return [compartment, CHART_SHAPES[compartment].parse(JSON.parse(plaintext.toString('utf8')))];
    });
  return Object.fromEntries(parts) as Partial<Chart>;
}

async function visitsIn(values: readonly Value[], store: Store, of: PatientRef): Promise<HeldVisit[]> {
  const found = [...byDocument(values, 'appointments')]
    .filter(([id]) => isAppointment(id))
    .map(([id, plaintext]) => ({ id, appointment: parseAppointment(plaintext) }))
    .sort((a, b) => a.appointment.start - b.appointment.start);
  const ids = [...new Set(found.map(({ appointment }) => appointment.practitioner))];
  const [types, people] = await Promise.all([
    listVisitTypes(store, of.tenant),
    ids.length === 0 ? [] : findPractitioners(store.tenant(of.tenant), ids),
  ]);
  return found.map(({ id, appointment }) => ({
    ...{ id, appointment },
    title: types.find((type) => type.id === appointment.visitType)?.title ?? appointment.visitType,
    practitioner: people.find((one) => one.id === appointment.practitioner)?.name ?? appointment.practitioner,
  }));
}

async function eventsAbout(store: Store, of: PatientRef, alias: PatientAlias): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  for await (const event of eventsOf(storeSource(store.tenant(of.tenant))))
    if (event.patient === alias) events.push(event);
  return events;
}
