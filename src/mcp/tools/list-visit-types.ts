import { z } from 'zod';
import { listVisitTypes as visitTypesOf } from '../../clinic/clinic.ts';
import { mayBook } from '../../clinic/rules.ts';
import { bookerOf, defineTool } from '../tool.ts';

/** What can be booked at the clinic. No PHI. */
export const listVisitTypes = defineTool({
  name: 'listVisitTypes',
  title: 'Visit types',
  description:
    'Lists what can be booked at the clinic (such as a diabetes checkup): id, title, minutes, preparation, and which only the clinic books. ' +
    'Use the id with findOpenSlots.',
  input: z.object({}),
  output: z.object({
    visitTypes: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        minutes: z.number(),
        preparation: z.string().optional(),
        telehealth: z.boolean().optional(),
        callClinic: z.boolean().optional().describe('Only the clinic books it'),
      }),
    ),
  }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  audit: { action: 'R', resource: 'HealthcareService' },
  onError: 'Not available.',
  requirement: { actions: ['see-clinic'] },
  run: async (_input, call) => {
    const found = await visitTypesOf(call.services.store, call.principal.tenant);
    const by = bookerOf(call);
    const visitTypes = found
      .filter(({ bookableBy }) => bookableBy.length > 0)
      .map((visitType) => ({
        id: visitType.id,
        title: visitType.title,
        minutes: visitType.minutes,
        ...(visitType.preparation === null ? {} : { preparation: visitType.preparation }),
        ...(visitType.telehealth ? { telehealth: true } : {}),
        ...(mayBook(visitType, by) ? {} : { callClinic: true }),
      }));
    return { output: { visitTypes }, text: `${visitTypes.length} visit types can be booked.` };
  },
});
