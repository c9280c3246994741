import { CONSENT_TOPICS } from '../../access/consents.ts';
import { pairId } from '../../access/relationships.ts';
import type { Chart } from '../../clinic/chart.ts';
import type { PatientId, UserId } from '../../kernel/ids.ts';
import type { RequestState } from '../requests/request.ts';
import { referenceOf } from './document-files.ts';
import type { Held, HeldVisit } from './held.ts';

/** A FHIR R4 resource as it is written here. */
export type Resource = { readonly resourceType: string; readonly id?: string } & Readonly<
  Record<string, unknown>
>;

/** A FHIR R4 Bundle of type `collection`. */
export interface ExportBundle {
  readonly resourceType: 'Bundle';
  readonly type: 'collection';
  readonly timestamp: string;
  readonly entry: readonly { readonly fullUrl?: string; readonly resource: Resource }[];
}

/** FHIR's ids have no underscore, and ours no dot. */
const fhirId = (id: string): string => id.replaceAll('_', '.');
const iso = (ms: number): string => new Date(ms).toISOString();
const SYSTEM = 'urn:chartseal';

/**
 * Everything that is held on a patient as FHIR R4. The chart's own resources go out as they came in, so that another
 * instance imports the same chart; what Chartseal keeps beside them follows as resources of their kind.
 */
export function bundleOf(held: Held): ExportBundle {
  const { patient, fullUrl } = patientOf(held);
  const subject = { reference: fullUrl };
  const resources: Resource[] = [
    ...(held.chart.clinical?.resources ?? []),
    ...held.documents.map((document) => referenceOf(document, subject)),
    ...held.visits.map((visit) => visitOf(visit, subject)),
    ...held.waiting.map(({ id, waiting }) => ({
      resourceType: 'Appointment',
      id: fhirId(id),
      status: 'waitlist',
      serviceType: [{ text: waiting.visitType }],
      created: iso(waiting.joinedAt),
      requestedPeriod: [{ start: iso(waiting.from), end: iso(waiting.to) }],
      participant: [{ actor: subject, status: 'needs-action' }],
    })),
    ...consentsOf(held, subject),
    ...held.related.map((row) => ({
      resourceType: row.kind === 'proxy' ? 'RelatedPerson' : 'CareTeam',
      id: pairId({ user: row.user as UserId, patient: row.patient as PatientId }).replaceAll('_', '.'),
      ...(row.kind === 'proxy'
        ? { patient: subject, identifier: [{ system: `${SYSTEM}:user`, value: row.user }] }
        : {
            subject,
            participant: [{ member: { identifier: { system: `${SYSTEM}:user`, value: row.user } } }],
          }),
      period: { end: iso(row.expiresAt) },
    })),
    ...held.requests.map((view) => ({
      resourceType: 'Task',
      id: fhirId(view.id),
      status: TASK_STATUS[view.state],
      ...(view.reason === null ? {} : { statusReason: { text: view.reason } }),
      intent: 'order',
      code: { coding: [{ system: `${SYSTEM}:request`, code: view.kind }] },
      ...some('description', held.words.get(view.id)),
      for: subject,
      authoredOn: iso(view.askedAt),
      lastModified: iso(view.changedAt),
    })),
    ...held.cards.map(({ id, brand, lastFour, expires }) => ({
      resourceType: 'Basic',
      id: fhirId(id),
      code: {
        coding: [{ system: `${SYSTEM}:held`, code: 'payment-card' }],
        text: `${brand} ending in ${lastFour}, expires ${expires}`,
      },
      subject,
    })),
    // What this version cannot read is handed out all the same.
    ...held.others.map(({ name, plaintext }) => ({
      resourceType: 'Binary',
      id: fhirId(`${name.collection}-${name.document}-${name.compartment}`).slice(0, 64),
      contentType: 'application/octet-stream',
      data: plaintext.toString('base64'),
    })),
  ];
  const entry = [{ fullUrl, resource: patient }, ...resources.map((resource) => ({ resource }))];
  return { resourceType: 'Bundle', type: 'collection', timestamp: iso(held.at), entry };
}

/** The Patient as it was imported, and the address by which the chart's other resources name it. */
function patientOf({ chart, alias }: Held): { patient: Resource; fullUrl: string } {
  const { demographics, contact, identifiers } = chart;
  const id = typeof demographics?.['id'] === 'string' ? demographics['id'] : fhirId(alias);
  const patient: Resource = {
    ...(demographics ?? { resourceType: 'Patient' }),
    id,
    ...some('identifier', identifiers?.identifier),
    ...some('telecom', contact?.telecom),
    ...some('address', contact?.address),
    ...some('contact', contact?.contact),
  };
  return { patient, fullUrl: subjectIn(chart) ?? `urn:uuid:${id}` };
}

const some = (name: string, value: readonly unknown[] | string | undefined) =>
  value === undefined || value.length === 0 ? {} : { [name]: value };

/** How the imported resources call their patient. */
function subjectIn({ clinical }: Partial<Chart>): string | null {
  const [first] = clinical?.resources ?? [];
  const subject = (first?.['subject'] ?? first?.['patient']) as { reference?: unknown } | undefined;
  return typeof subject?.reference === 'string' ? subject.reference : null;
}

function visitOf({ id, appointment, title, practitioner }: HeldVisit, subject: object): Resource {
  const { status, start, end, reason, bookedAt, cancelledFor } = appointment;
  return {
    resourceType: 'Appointment',
    id: fhirId(id),
    status,
    ...(cancelledFor === undefined ? {} : { cancelationReason: { text: cancelledFor } }),
    serviceType: [{ text: title }],
    ...(reason === null ? {} : { description: reason }),
    start: iso(start),
    end: iso(end),
    minutesDuration: (end - start) / 60_000,
    created: iso(bookedAt),
    participant: [
      { actor: subject, status: 'accepted' },
      { actor: { display: practitioner }, status: 'accepted' },
    ],
  };
}

const CONSENT_STATUS = { granted: 'active', refused: 'rejected', withdrawn: 'inactive' } as const;
const TASK_STATUS: Readonly<Record<RequestState, string>> = {
  asked: 'requested',
  confirmed: 'accepted',
  review: 'received',
  cooling: 'accepted',
  erasing: 'in-progress',
  ready: 'completed',
  done: 'completed',
  refused: 'rejected',
  withdrawn: 'cancelled',
  expired: 'cancelled',
};

function consentsOf({ consent }: Held, subject: object): Resource[] {
  if (consent === null) return [];
  return CONSENT_TOPICS.flatMap((topic): Resource[] => {
    const status = CONSENT_STATUS[consent[topic] as keyof typeof CONSENT_STATUS];
    if (status === undefined) return [];
    return [
      {
        resourceType: 'Consent',
        id: `consent-${topic}`,
        status,
        scope: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }],
        },
        category: [{ coding: [{ system: `${SYSTEM}:consent`, code: topic }] }],
        patient: subject,
        dateTime: iso(consent.changedAt),
        policyRule: { text: `Chartseal consent: ${topic}` },
        provision: { type: consent[topic] === 'granted' ? 'permit' : 'deny' },
      },
    ];
  });
}
