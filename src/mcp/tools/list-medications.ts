import { z } from 'zod';
import { notFound } from '../../access/errors.ts';
import { chartLines } from '../../clinic/chart-view.ts';
import { CHART_TEXT_NOTICE, chartLine, fencedLine } from '../chart-text.ts';
import { chartOf, defineTool } from '../tool.ts';
import { patientArgument } from './arguments.ts';

const SHOWN = 20;
const IN_USE: readonly (string | undefined)[] = ['active', 'on-hold', undefined];

/** The medications that the chart records. */
export const listMedications = defineTool({
  name: 'listMedications',
  title: 'Medications',
  description:
    'Lists the medications that the chart records, newest first: those in use, or all with stopped and completed ones. ' +
    'None means "none recorded", never "you take none". Give no advice on doses or on stopping; for that the clinic ' +
    'or a pharmacist is there.',
  input: z.object({ which: z.enum(['inUse', 'all']).optional(), patient: patientArgument }),
  output: z.object({ medications: z.array(chartLine), total: z.number().int(), note: z.string() }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  audit: { action: 'R', resource: 'MedicationRequest' },
  onError: 'Nothing was read.',
  requirement: { actions: ['read-clinical'] },
  run: async ({ which = 'inUse' }, call) => {
    const chart = await call.services.patients.read(chartOf(call), ['clinical']);
    if (chart === null) throw notFound();
    const all = chartLines(chart.parts.clinical, 'MedicationRequest');
    const wanted = which === 'all' ? all : all.filter(({ status }) => IN_USE.includes(status));
    const medications = wanted.slice(0, SHOWN).map(fencedLine);
    return {
      output: { medications, total: wanted.length, note: CHART_TEXT_NOTICE },
      text: wanted.length === 0 ? 'None recorded in this chart.' : `${wanted.length} recorded.`,
      patient: chart.alias,
    };
  },
});
