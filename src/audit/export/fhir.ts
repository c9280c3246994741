import { toBase64, toUtf8 } from '../bytes.ts';
import type { AuditEvent } from '../event.ts';

/** FHIR R4 AuditEvent, as far as it is written here. */
export interface FhirAuditEvent {
  readonly resourceType: 'AuditEvent';
  readonly id: string;
  readonly meta?: { readonly profile: readonly string[] };
  readonly extension: readonly { readonly url: string; readonly valueUnsignedInt: number }[];
  readonly type: Coding;
  readonly subtype: readonly Coding[];
  readonly action: AuditEvent['action'];
  readonly recorded: string;
  readonly outcome: AuditEvent['outcome'];
  readonly outcomeDesc?: string;
  readonly purposeOfEvent?: readonly Concept[];
  readonly agent: readonly Agent[];
  readonly source: { readonly observer: Reference; readonly site: string; readonly type: readonly Coding[] };
  readonly entity: readonly Entity[];
}

interface Coding {
  readonly system: string;
  readonly code: string;
  readonly display?: string;
}
interface Concept {
  readonly coding: readonly Coding[];
}
interface Reference {
  readonly type?: string;
  readonly identifier: { readonly system?: string; readonly value: string };
}
interface Agent {
  readonly type: Concept;
  readonly who: Reference;
  readonly requestor: boolean;
  readonly role?: readonly Concept[];
  readonly network?: { readonly address: string; readonly type: '5' };
  readonly purposeOfUse?: readonly Concept[];
}
interface Entity {
  readonly what?: Reference;
  readonly type: Coding;
  readonly role: Coding;
  readonly query?: string;
  readonly detail?: readonly { readonly type: string; readonly valueString: string }[];
}

/** The IHE BALP 1.1 profile that an event follows, or one of FHIR's own patterns where BALP has none. */
type Kind =
  | 'Read'
  | 'Query'
  | 'Create'
  | 'Update'
  | 'Delete'
  | 'Disclosure'
  | 'Alert'
  | 'Emergency'
  | 'SignIn'
  | 'Act';

const PROFILES = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.';
const DCM = 'http://dicom.nema.org/resources/ontology/DCM';
const INTERACTION = 'http://hl7.org/fhir/restful-interaction';
const PARTICIPATION = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';
const REST: Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/audit-event-type',
  code: 'rest',
  display: 'Restful Operation',
};
const dcm = (code: string, display: string): Coding => ({ system: DCM, code, display });
const interaction = (code: string): Coding => ({ system: INTERACTION, code });

const SHAPES: Readonly<Record<Kind, { type: Coding; subtype: Coding; action?: AuditEvent['action'] }>> = {
  Read: { type: REST, subtype: interaction('read') },
  Query: { type: REST, subtype: interaction('search'), action: 'E' },
  Create: { type: REST, subtype: interaction('create') },
  Update: { type: REST, subtype: interaction('update') },
  Delete: { type: REST, subtype: interaction('delete') },
  Disclosure: {
    type: dcm('110106', 'Export'),
    subtype: { system: 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle', code: 'disclose' },
    action: 'R',
  },
  Alert: { type: dcm('110113', 'Security Alert'), subtype: interaction('operation') },
  Emergency: {
    type: dcm('110113', 'Security Alert'),
    subtype: dcm('110127', 'Emergency Override Started'),
  },
  SignIn: { type: dcm('110114', 'User Authentication'), subtype: dcm('110122', 'Login') },
  Act: { type: REST, subtype: interaction('operation') },
};

/** [client, server] by profile: a query flows from the client to the server, what a read answers flows back. */
const SOURCE = dcm('110153', 'Source Role ID');
const DESTINATION = dcm('110152', 'Destination Role ID');
const APPLICATION = dcm('110150', 'Application');
const CUSTODIAN: Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type',
  code: 'custodian',
};

/**
 * One event as a FHIR R4 AuditEvent that has what its IHE BALP 1.1 profile requires. Network addresses are those of
 * the client's registration and of the log's origin: an IP address is an identifier and is never recorded.
 *
 * @param at `origin` names the log; `index` is the leaf's, null for what is pending.
 */
export function fhirOf(event: AuditEvent, at: { origin: string; index: number | null }): FhirAuditEvent {
  const kind = kindOf(event);
  const { type, subtype, action = event.action } = SHAPES[kind];
  const profile = profileOf(kind, event);
  const purpose = purposeOf(event);
  return {
    resourceType: 'AuditEvent',
    // FHIR's ids have no underscore, and ours no dot.
    id: event.id.replaceAll('_', '.'),
    ...(profile === null ? {} : { meta: { profile: [`${PROFILES}${profile}`] } }),
    extension: at.index === null ? [] : [{ url: 'urn:chartseal:leaf-index', valueUnsignedInt: at.index }],
    type,
    // Which of our tools, pages or jobs it was: the profiles leave room for codes of one's own.
    subtype: [subtype, { system: 'urn:chartseal:operation', code: event.operation }],
    action,
    recorded: event.recorded,
    outcome: event.outcome,
    ...(event.reason === undefined ? {} : { outcomeDesc: event.reason }),
    ...(purpose === null ? {} : { purposeOfEvent: [purpose] }),
    agent: agentsOf(kind, event, { origin: at.origin, purpose }),
    source: {
      observer: { identifier: { value: at.origin } },
      site: event.tenant,
      type: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/security-source-type',
          code: '4',
          display: 'Application Server',
        },
      ],
    },
    entity: entitiesOf(kind, event),
  };
}

/** Names of operations tell searches and sign-ins, which share the action `E` with other acts. */
function kindOf({ outcome, operation, action, entity, purposeOfUse }: AuditEvent): Kind {
  if (outcome === '4') return 'Alert';
  if (/^emergency/i.test(operation) && purposeOfUse === 'ETREAT' && action !== 'R') return 'Emergency';
  if (entity?.recipient !== undefined) return 'Disclosure';
  if (/^(?:find|list|search)/i.test(operation) && (action === 'E' || action === 'R')) return 'Query';
  if (/sign.?ed?.?in/i.test(operation)) return 'SignIn';
  return ({ C: 'Create', R: 'Read', U: 'Update', D: 'Delete', E: 'Act' } as const)[action];
}

/** Profiles speak of what succeeded, and a patient's are their own. */
function profileOf(kind: Kind, { outcome, patient }: AuditEvent): string | null {
  if (outcome !== '0') return null;
  if (kind === 'Disclosure') return patient === undefined ? null : 'PrivacyDisclosure.Source';
  if (kind === 'Alert' || kind === 'Emergency' || kind === 'SignIn' || kind === 'Act') return null;
  return `${patient === undefined ? '' : 'Patient'}${kind}`;
}

function purposeOf({ purposeOfUse }: AuditEvent): Concept | null {
  if (purposeOfUse === 'UNKNOWN') return null;
  const system = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
  return { coding: [{ system, code: purposeOfUse }] };
}

function agentsOf(
  kind: Kind,
  { actor, entity }: AuditEvent,
  { origin, purpose }: { origin: string; purpose: Concept | null },
): Agent[] {
  const [client, server, user] = rolesOf(kind);
  const ends: Agent[] =
    kind === 'Disclosure'
      ? [machine(SOURCE, origin), machine(DESTINATION, entity?.recipient ?? '', entity?.recipientAddress)]
      : [machine(client, actor.client), machine(server, origin)];
  const person: Agent = {
    type: { coding: [{ system: PARTICIPATION, code: user }] },
    who: { identifier: { system: 'urn:chartseal:user', value: actor.user } },
    requestor: true,
    role: [{ coding: [{ system: 'urn:chartseal:role', code: actor.role }] }],
    ...(purpose === null ? {} : { purposeOfUse: [purpose] }),
  };
  return [...ends, person];
}

function rolesOf(kind: Kind): readonly [client: Coding, server: Coding, user: 'IRCP' | 'AUT'] {
  switch (kind) {
    case 'Read':
      return [DESTINATION, SOURCE, 'IRCP'];
    case 'Create':
    case 'Update':
      return [SOURCE, DESTINATION, 'AUT'];
    case 'Delete':
      return [APPLICATION, CUSTODIAN, 'AUT'];
    default:
      return [SOURCE, DESTINATION, 'IRCP'];
  }
}

const machine = (type: Coding, name: string, address = name): Agent => ({
  type: { coding: [type] },
  who: { identifier: { value: name } },
  requestor: false,
  network: { address, type: '5' },
});

function entitiesOf(kind: Kind, event: AuditEvent): Entity[] {
  const { patient, entity, operation } = event;
  const fields = entity?.fields ?? [];
  const system = 'http://terminology.hl7.org/CodeSystem/audit-entity-type';
  const role = (code: string): Coding => ({
    system: 'http://terminology.hl7.org/CodeSystem/object-role',
    code,
  });
  const person: Entity[] =
    patient === undefined
      ? []
      : [
          {
            what: { type: 'Patient', identifier: { system: 'urn:chartseal:patient-alias', value: patient } },
            type: { system, code: '1', display: 'Person' },
            role: role('1'),
          },
        ];
  const object: Coding = { system, code: '2', display: 'System Object' };
  // What was asked is a value; the names of what was answered are not.
  if (kind === 'Query')
    return [
      ...person,
      {
        type: object,
        role: role('24'),
        query: toBase64(toUtf8(`${operation}?_elements=${fields.join(',')}`)),
      },
    ];
  const value = entity?.id ?? entity?.resource ?? operation;
  const detail = [
    ...fields.map((name) => ({ type: 'field', valueString: name })),
    ...Object.entries(entity?.counts ?? {}).map(([name, n]) => ({ type: name, valueString: String(n) })),
  ];
  return [
    ...person,
    {
      what: { ...(entity === undefined ? {} : { type: entity.resource }), identifier: { value } },
      type: object,
      role: role('4'),
      ...(detail.length === 0 ? {} : { detail }),
    },
  ];
}
