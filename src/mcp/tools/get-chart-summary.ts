import { Temporal } from 'temporal-polyfill';
import { z } from 'zod';
import { notFound } from '../../access/errors.ts';
import { visit } from '../../clinic/appointment.ts';
import type { Chart, ClinicalType } from '../../clinic/chart.ts';
import { chartLines, displayName } from '../../clinic/chart-view.ts';
import { dateAt } from '../../clinic/clinic-time.ts';
import { CHART_TEXT_NOTICE, chartLinesPart, fenced, fencedLine } from '../chart-text.ts';
import { chartOf, defineTool } from '../tool.ts';
import { appointmentArgument } from './arguments.ts';

/** How much of each kind a clinician needs before a visit; the total says what was left out. */
const PARTS = {
  conditions: { type: 'Condition', shown: 8, only: ['active', 'recurrence', 'relapse'] },
  medications: { type: 'MedicationRequest', shown: 8, only: ['active', 'on-hold'] },
  allergies: { type: 'AllergyIntolerance', shown: 8, only: null },
  results: { type: 'Observation', shown: 6, only: null },
} as const satisfies Record<string, { type: ClinicalType; shown: number; only: readonly string[] | null }>;

/** What a clinician reads before one visit. */
export const getChartSummary = defineTool({
  name: 'getChartSummary',
  title: 'Chart summary for a visit',
  description:
    'For clinicians, before one visit: who comes and why, active conditions and medications, allergies, latest results, ' +
    'each with the total. What is not listed was not looked at; an empty list means "none recorded". Not a diagnosis.',
  input: z.object({
    appointmentId: appointmentArgument,
    patient: z.string().max(64).describe('Handle of the patient'),
  }),
  output: z.object({
    patient: z.object({ name: z.string(), birthDate: z.string(), age: z.number().int().optional() }),
    visit,
    reason: z.string().optional(),
    conditions: chartLinesPart,
    medications: chartLinesPart,
    allergies: chartLinesPart,
    results: chartLinesPart,
    /** How many there are; they are opened on our own page. */
    documents: z.object({ total: z.number().int(), openAt: z.string() }).optional(),
    note: z.string(),
  }),
  shownBy: 'patients',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  audit: { action: 'R', resource: 'Patient' },
  onError: 'Nothing was read.',
  requirement: { actions: ['summarise-chart', 'read-demographics', 'read-clinical', 'see-schedule'] },
  staffOnly: true,
  run: async ({ appointmentId }, call) => {
    const of = chartOf(call);
    const [{ known, clinic }, chart] = await Promise.all([
      call.services.visits.one(of, appointmentId),
      call.services.patients.read(of, ['demographics', 'clinical']),
    ]);
    if (chart === null || chart.parts.demographics === null) throw notFound();
    const { demographics, clinical } = chart.parts;
    const { reason } = known.appointment;
    return {
      output: {
        patient: who(demographics, dateAt(call.now, clinic.zone)),
        visit: known.visit,
        ...(reason === null ? {} : { reason: fenced(reason) }),
        ...partsOf(clinical),
        ...(chart.documents === 0
          ? {}
          : { documents: { total: chart.documents, openAt: call.services.documentsUrl } }),
        note: CHART_TEXT_NOTICE,
      },
      text: `Summary for ${known.visit.title} on ${known.visit.date} at ${known.visit.time}.`,
      patient: chart.alias,
      resourceId: appointmentId,
    };
  },
});

function who(demographics: Chart['demographics'], today: Temporal.PlainDate) {
  const { birthDate } = demographics;
  const name = displayName(demographics);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(birthDate)) return { name, birthDate };
  return {
    name,
    birthDate,
    age: Temporal.PlainDate.from(birthDate).until(today, { largestUnit: 'years' }).years,
  };
}

type Part = z.infer<typeof chartLinesPart>;

function partsOf(clinical: Chart['clinical'] | null): Record<keyof typeof PARTS, Part> {
  const of = ({ type, shown, only }: (typeof PARTS)[keyof typeof PARTS]): Part => {
    const all = chartLines(clinical, type);
    const wanted =
      only === null ? all : all.filter(({ status = '' }) => (only as readonly string[]).includes(status));
    return { items: wanted.slice(0, shown).map(fencedLine), total: wanted.length };
  };
  return {
    conditions: of(PARTS.conditions),
    medications: of(PARTS.medications),
    allergies: of(PARTS.allergies),
    results: of(PARTS.results),
  };
}
