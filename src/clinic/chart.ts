import { z } from 'zod';
import type { Compartment } from '../crypto/context.ts';

/**
 * The plaintext of a chart's compartments is FHIR R4 itself, so that what came in can go out again: the Patient
 * resource is cut into demographics, contact and identifiers, and the clinical resources are kept whole. Only
 * what is read here is checked; everything else is carried along.
 *
 * `CHART_SCHEMA` is bound into each sealed value: raise it with every change that an older reader would misread.
 */
export const CHART_SCHEMA = 1;

const text = z.string().max(100_000);

/** The clinical resources that a chart keeps. */
export const CLINICAL_TYPES = [
  'Condition',
  'MedicationRequest',
  'AllergyIntolerance',
  'Immunization',
  'Observation',
] as const;
export type ClinicalType = (typeof CLINICAL_TYPES)[number];

const coding = z.looseObject({ system: text.optional(), code: text.optional(), display: text.optional() });
const concept = z.looseObject({ coding: z.array(coding).optional(), text: text.optional() });
const humanName = z.looseObject({
  use: text.optional(),
  family: text.optional(),
  given: z.array(text).optional(),
});

/** FHIR Patient without what the other compartments hold. */
export const demographics = z.looseObject({
  resourceType: z.literal('Patient'),
  name: z.array(humanName).min(1),
  birthDate: text,
  gender: text.optional(),
});

/** FHIR Patient.telecom, .address and .contact. */
export const contact = z.object({
  telecom: z.array(z.looseObject({ system: text.optional(), value: text.optional(), use: text.optional() })),
  address: z.array(
    z.looseObject({
      line: z.array(text).optional(),
      city: text.optional(),
      state: text.optional(),
      postalCode: text.optional(),
      country: text.optional(),
    }),
  ),
  contact: z.array(z.looseObject({})),
});

/** FHIR Patient.identifier: MRN, SSN, passport, licence. On no tool's path. */
export const identifiers = z.object({ identifier: z.array(z.looseObject({ value: text.optional() })) });

/** Any of {@link CLINICAL_TYPES}; the fields that are read, and all others carried along. */
export const clinicalResource = z.looseObject({
  resourceType: z.enum(CLINICAL_TYPES),
  status: text.optional(),
  clinicalStatus: concept.optional(),
  code: concept.optional(),
  medicationCodeableConcept: concept.optional(),
  vaccineCode: concept.optional(),
  criticality: text.optional(),
  onsetDateTime: text.optional(),
  recordedDate: text.optional(),
  authoredOn: text.optional(),
  occurrenceDateTime: text.optional(),
  effectiveDateTime: text.optional(),
  dosageInstruction: z.array(z.looseObject({ text: text.optional() })).optional(),
  valueQuantity: z.looseObject({ value: z.number().optional(), unit: text.optional() }).optional(),
  valueCodeableConcept: concept.optional(),
  valueString: text.optional(),
  component: z
    .array(
      z.looseObject({
        code: concept.optional(),
        valueQuantity: z.looseObject({ value: z.number().optional(), unit: text.optional() }).optional(),
      }),
    )
    .optional(),
});
export type ClinicalResource = z.infer<typeof clinicalResource>;

export const clinical = z.object({ resources: z.array(clinicalResource) });

/** Compartment → the shape of its plaintext. */
export const CHART_SHAPES = { demographics, contact, identifiers, clinical } as const satisfies Partial<
  Record<Compartment, z.ZodType>
>;

/** A compartment that a chart is cut into. */
export type ChartCompartment = keyof typeof CHART_SHAPES;
/** A chart in clear, never stored as such. */
export type Chart = { readonly [C in ChartCompartment]: z.infer<(typeof CHART_SHAPES)[C]> };
