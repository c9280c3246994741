import { z } from 'zod';
import { findClinic } from '../../clinic/clinic.ts';
import { spoken } from '../../clinic/clinic-time.ts';
import { defineTool } from '../tool.ts';

/** Who is signed in, where, and what day it is there. No PHI. */
export const whoAmI = defineTool({
  name: 'whoAmI',
  title: 'Who am I',
  description:
    'Tells who is signed in: their role, their clinic with its telephone number, and today’s date and weekday there. ' +
    'Call it first when you need to turn "next Tuesday" into a date.',
  input: z.object({}),
  output: z.object({
    role: z.string(),
    hasOwnChart: z.boolean(),
    clinic: z.object({ name: z.string(), phone: z.string(), zone: z.string() }),
    today: z.object({ weekday: z.string(), date: z.string(), time: z.string() }),
    scopes: z.array(z.string()),
  }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  audit: { action: 'R', resource: 'Person' },
  onError: 'Not available.',
  requirement: { scopes: [], about: 'clinic' },
  run: async (_input, { principal, member, services, now }) => {
    const clinic = await findClinic(services.store, principal.tenant);
    const { weekday, date, time } = spoken(now, clinic.zone);
    const role = member?.role ?? 'none';
    return {
      output: {
        role,
        hasOwnChart: member?.ownChart != null,
        clinic: { name: clinic.name, phone: clinic.phone, zone: clinic.zone },
        today: { weekday, date, time },
        scopes: [...principal.scopes],
      },
      text: `Signed in as ${role} at ${clinic.name}. Today there is ${weekday}, ${date}.`,
    };
  },
});
