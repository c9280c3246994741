import { z } from 'zod';
import { type Chart, CLINICAL_TYPES, clinicalResource, contact, demographics, identifiers } from './chart.ts';
import { ClinicError } from './errors.ts';

/** What a bundle held: the chart, and how many resources of each type were taken or left. */
export interface ImportedBundle {
  readonly chart: Chart;
  readonly imported: Readonly<Record<string, number>>;
  /** Types that a chart does not keep yet, counted. Nothing is dropped in silence. */
  readonly left: Readonly<Record<string, number>>;
}

/** Limits of one import. */
export const IMPORT_LIMITS = { bytes: 8_388_608, resources: 20_000 } as const;

const resource = z.looseObject({ resourceType: z.string(), id: z.string().optional() });
const bundle = z.object({
  resourceType: z.literal('Bundle'),
  entry: z.array(z.object({ fullUrl: z.string().optional(), resource })).max(IMPORT_LIMITS.resources),
});
type Entry = z.infer<typeof bundle>['entry'][number];

/**
 * Reads a FHIR R4 bundle about one patient, as Synthea writes it.
 *
 * @param text the file's text, at most 8 MiB.
 * @throws ClinicError `IMPORT_FORMAT` naming the resource type and field that is wrong, never a value.
 */
export function readPatientBundle(text: string): ImportedBundle {
  if (Buffer.byteLength(text) > IMPORT_LIMITS.bytes) throw refuse('The file is over 8 MiB.');
  const parsed = bundle.safeParse(parseJson(text));
  if (!parsed.success) throw refuse('The file is not a FHIR R4 Bundle with entries.');
  const { entry } = parsed.data;
  const patients = entry.filter(({ resource: { resourceType } }) => resourceType === 'Patient');
  const [patient] = patients;
  if (patient === undefined || patients.length > 1) throw refuse('The bundle must hold exactly one Patient.');
  const clinical = entry.filter(({ resource: { resourceType } }) => isClinical(resourceType));
  const names = namesOf(patient);
  if (!clinical.every((item) => names.has(subjectOf(item)))) {
    throw refuse('A resource in the bundle is about another patient.');
  }
  const left = entry.filter(
    ({ resource: { resourceType } }) => resourceType !== 'Patient' && !isClinical(resourceType),
  );
  return {
    chart: chartOf(patient, clinical),
    imported: count([patient, ...clinical]),
    left: count(left),
  };
}

function chartOf(patient: Entry, clinical: readonly Entry[]): Chart {
  const { identifier, telecom, address, contact: nextOfKin, text: _narrative, ...rest } = patient.resource;
  return {
    demographics: checked(demographics, rest, 'Patient'),
    contact: checked(
      contact,
      { telecom: telecom ?? [], address: address ?? [], contact: nextOfKin ?? [] },
      'Patient',
    ),
    identifiers: checked(identifiers, { identifier: identifier ?? [] }, 'Patient'),
    clinical: {
      resources: clinical.map((item) => checked(clinicalResource, item.resource, item.resource.resourceType)),
    },
  };
}

function checked<T extends z.ZodType>(shape: T, value: unknown, type: string): z.infer<T> {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  throw refuse(
    `A ${type} in the bundle has a wrong or missing ${parsed.error.issues[0]?.path[0]?.toString() ?? 'field'}.`,
  );
}

function namesOf({ fullUrl, resource: { id } }: Entry): Set<string> {
  const names = [
    fullUrl,
    id === undefined ? undefined : `urn:uuid:${id}`,
    id === undefined ? undefined : `Patient/${id}`,
  ];
  return new Set(names.filter((name) => name !== undefined));
}

function subjectOf({ resource: item }: Entry): string {
  const subject = (item['subject'] ?? item['patient']) as { reference?: unknown } | undefined;
  return typeof subject?.reference === 'string' ? subject.reference : '';
}

function count(entries: readonly Entry[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const {
    resource: { resourceType },
  } of entries)
    counts[resourceType] = (counts[resourceType] ?? 0) + 1;
  return counts;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const isClinical = (type: string): boolean => CLINICAL_TYPES.some((name) => name === type);
const refuse = (message: string): ClinicError =>
  new ClinicError('IMPORT_FORMAT', `${message} Nothing was imported.`);
