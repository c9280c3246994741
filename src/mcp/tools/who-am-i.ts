import { z } from 'zod';
import { relationshipsOf } from '../../access/relationships.ts';
import { findClinic } from '../../clinic/clinic.ts';
import { spoken } from '../../clinic/clinic-time.ts';
import { defineTool } from '../tool.ts';

/** Who is signed in, where, and what day it is there. No PHI. */
export const whoAmI = defineTool({
  name: 'whoAmI',
  title: 'Who am I',
  description:
    'Tells who is signed in: their role, their clinic with its telephone number, today’s date and weekday there, ' +
    'and the handles of charts of others whom they act for or treat. Call it first when you need to turn "next Tuesday" into a date.',
  input: z.object({}),
  output: z.object({
    role: z.string(),
    hasOwnChart: z.boolean(),
    clinic: z.object({ name: z.string(), phone: z.string(), zone: z.string() }),
    today: z.object({ weekday: z.string(), date: z.string(), time: z.string() }),
    charts: z.array(z.object({ patient: z.string(), relationship: z.string() })),
  }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  audit: { action: 'R', resource: 'Person' },
  onError: 'Not available.',
  requirement: { actions: ['see-clinic'] },
  run: async (_input, { principal, member, services, now }) => {
    const [clinic, related] = await Promise.all([
      findClinic(services.store, principal.tenant),
      relationshipsOf(services.store, principal, now),
    ]);
    const { weekday, date, time } = spoken(now, clinic.zone);
    const role = member?.role ?? 'none';
    return {
      output: {
        role,
        hasOwnChart: member?.ownChart != null,
        clinic: { name: clinic.name, phone: clinic.phone, zone: clinic.zone },
        today: { weekday, date, time },
        charts: related.map(({ patient, kind }) => ({ patient, relationship: kind })),
      },
      text: `Signed in as ${role} at ${clinic.name}. Today there is ${weekday}, ${date}.`,
    };
  },
});
