import { z } from 'zod';
import type { Compartment } from '../crypto/context.ts';

/**
 * The plaintext shapes of a chart's compartments. `CHART_SCHEMA` is bound into each sealed value: raise it with
 * every change that an older reader would misread.
 */
export const CHART_SCHEMA = 1;

const text = z.string().max(2_000);
const date = z.string().max(40);
const coded = z.object({ text, code: text.optional(), system: text.optional() });

export const demographics = z.object({
  family: text,
  given: z.array(text),
  birthDate: date,
  gender: text.optional(),
  language: text.optional(),
  maritalStatus: text.optional(),
  birthPlace: text.optional(),
  mothersMaidenName: text.optional(),
  race: text.optional(),
  ethnicity: text.optional(),
  deceased: date.optional(),
});

export const contact = z.object({
  phones: z.array(text),
  emails: z.array(text),
  addresses: z.array(
    z.object({
      lines: z.array(text),
      city: text.optional(),
      state: text.optional(),
      postalCode: text.optional(),
      country: text.optional(),
    }),
  ),
});

export const identifiers = z.object({
  identifiers: z.array(z.object({ type: text, system: text.optional(), value: text })),
});

export const condition = coded.extend({
  status: text.optional(),
  since: date.optional(),
  until: date.optional(),
});
export const medication = coded.extend({
  status: text.optional(),
  since: date.optional(),
  dosage: text.optional(),
});
export const allergy = coded.extend({
  status: text.optional(),
  criticality: text.optional(),
  since: date.optional(),
});
export const immunization = coded.extend({ status: text.optional(), given: date.optional() });
export const observation = coded.extend({
  status: text.optional(),
  at: date.optional(),
  value: text.optional(),
  unit: text.optional(),
});

export const clinical = z.object({
  conditions: z.array(condition),
  medications: z.array(medication),
  allergies: z.array(allergy),
  immunizations: z.array(immunization),
  observations: z.array(observation),
});

/** Compartment → the shape of its plaintext. */
export const CHART_SHAPES = { demographics, contact, identifiers, clinical } as const satisfies Partial<
  Record<Compartment, z.ZodType>
>;

/** A compartment that a chart is cut into. */
export type ChartCompartment = keyof typeof CHART_SHAPES;
/** A chart in clear, never stored as such. */
export type Chart = { readonly [C in ChartCompartment]: z.infer<(typeof CHART_SHAPES)[C]> };
