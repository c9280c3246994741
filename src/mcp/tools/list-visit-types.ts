import { z } from 'zod';
import { listVisitTypes as visitTypesOf } from '../../clinic/clinic.ts';
import { defineTool } from '../tool.ts';

/** What can be booked at the clinic. No PHI. */
export const listVisitTypes = defineTool({
  name: 'listVisitTypes',
  title: 'Visit types',
  description:
    'Lists what can be booked at the clinic (such as a diabetes checkup): id, title, minutes, preparation. ' +
    'Use the id with findOpenSlots.',
  input: z.object({}),
  output: z.object({
    visitTypes: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        minutes: z.number(),
        preparation: z.string().optional(),
      }),
    ),
  }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  audit: { action: 'R', resource: 'HealthcareService' },
  onError: 'Not available.',
  requirement: { actions: ['see-clinic'] },
  run: async (_input, { principal, services }) => {
    const found = await visitTypesOf(services.store, principal.tenant);
    const visitTypes = found.map(({ id, title, minutes, preparation }) => ({
      id,
      title,
      minutes,
      ...(preparation === null ? {} : { preparation }),
    }));
    return { output: { visitTypes }, text: `${visitTypes.length} visit types can be booked.` };
  },
});
