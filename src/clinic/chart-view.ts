import type { Chart, ClinicalResource, ClinicalType } from './chart.ts';

/** One line of a chart as a person reads it. Dates as FHIR has them, at their own precision and offset. */
export interface ChartLine {
  readonly text: string;
  readonly date?: string;
  readonly status?: string;
  readonly detail?: string;
}

/** The name in use: the official one, or else the first. */
export function displayName(demographics: Chart['demographics']): string {
  const name = demographics.name.find(({ use }) => use === 'official') ?? demographics.name[0];
  return [...(name?.given ?? []), name?.family ?? ''].join(' ').trim();
}

/** The lines of one kind of resource, newest first. */
export function chartLines(clinical: Chart['clinical'] | null, type: ClinicalType): ChartLine[] {
  const resources = (clinical?.resources ?? []).filter(({ resourceType }) => resourceType === type);
  return resources.map(lineOf).sort((a, b) => compareDates(b.date, a.date));
}

function lineOf(resource: ClinicalResource): ChartLine {
  const line = {
    text: words(resource.code ?? resource.medicationCodeableConcept ?? resource.vaccineCode),
    date: dateOf(resource),
    status: resource.clinicalStatus?.coding?.[0]?.code ?? resource.status,
    detail: detailOf(resource),
  };
  return Object.fromEntries(
    Object.entries(line).filter(([, value]) => value !== undefined),
  ) as unknown as ChartLine;
}

function dateOf(resource: ClinicalResource): string | undefined {
  return (
    resource.effectiveDateTime ??
    resource.occurrenceDateTime ??
    resource.authoredOn ??
    resource.onsetDateTime ??
    resource.recordedDate
  );
}

function detailOf(resource: ClinicalResource): string | undefined {
  const parts = [
    quantity(resource.valueQuantity),
    resource.valueCodeableConcept === undefined ? undefined : words(resource.valueCodeableConcept),
    resource.valueString,
    ...(resource.component ?? []).map((part) =>
      `${words(part.code)} ${quantity(part.valueQuantity) ?? ''}`.trim(),
    ),
    ...(resource.dosageInstruction ?? []).map(({ text }) => text),
    resource.criticality === undefined ? undefined : `criticality ${resource.criticality}`,
  ];
  const found = parts.filter((part) => part !== undefined && part !== '');
  return found.length === 0 ? undefined : found.join('; ');
}

function quantity(value: ClinicalResource['valueQuantity']): string | undefined {
  if (value?.value === undefined) return undefined;
  return `${Math.round(value.value * 100) / 100}${value.unit === undefined ? '' : ` ${value.unit}`}`;
}

function words(concept: ClinicalResource['code']): string {
  return concept?.text ?? concept?.coding?.[0]?.display ?? concept?.coding?.[0]?.code ?? 'not named';
}

function compareDates(a = '', b = ''): number {
  const [first, second] = [Date.parse(a), Date.parse(b)];
  if (Number.isNaN(first) || Number.isNaN(second)) return a < b ? -1 : a > b ? 1 : 0;
  return first - second;
}
