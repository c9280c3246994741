import { z } from 'zod';
import { notFound } from '../../access/errors.ts';
import type { AuditEvent } from '../../audit/event.ts';
import { recentEvents } from '../../audit/recent.ts';
import { ACTION_WORDS, PURPOSE_WORDS } from '../../audit/reports/access-words.ts';
import { storeSource } from '../../audit/store-source.ts';
import { findClinic } from '../../clinic/clinic.ts';
import { spoken } from '../../clinic/clinic-time.ts';
import { chartOf, defineTool } from '../tool.ts';
import { patientArgument } from './arguments.ts';

const SHOWN = 15;

/** Who opened a chart lately, when and why. */
export const listChartAccess = defineTool({
  name: 'listChartAccess',
  title: 'Who opened my chart',
  description:
    'Lists who opened or changed this chart lately, when and for what, newest first, at most fifteen; roles, not names. ' +
    'The full report, and what to do when something looks wrong, is at the clinic.',
  input: z.object({ patient: patientArgument }),
  output: z.object({
    accesses: z.array(
      z.object({
        date: z.string(),
        time: z.string(),
        who: z.string(),
        what: z.string(),
        why: z.string().optional(),
      }),
    ),
    more: z.number().int(),
    zone: z.string(),
    complete: z.boolean().describe('False when the log goes further back than was looked'),
  }),
  shownBy: 'privacy',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  audit: { action: 'R', resource: 'AuditEvent' },
  onError: 'Not available.',
  requirement: { actions: ['see-access'] },
  run: async (_input, call) => {
    const of = chartOf(call);
    const { store, patients } = call.services;
    const [alias, { zone }, recent] = await Promise.all([
      patients.aliasOf(of),
      findClinic(store, of.tenant),
      recentEvents(storeSource(store.tenant(of.tenant))),
    ]);
    if (alias === null) throw notFound();
    const mine = recent.events.filter(({ patient, outcome }) => patient === alias && outcome === '0');
    const accesses = mine.slice(0, SHOWN).map((event) => lineOf(event, { zone, user: call.principal.user }));
    return {
      output: { accesses, more: mine.length - accesses.length, zone, complete: recent.complete },
      text: `${mine.length === 0 ? 'None recorded' : `${mine.length} recorded`}${recent.complete ? '' : ' lately; older ones are in the full report'}.`,
      patient: alias,
    };
  },
});

function lineOf(event: AuditEvent, { zone, user }: { zone: string; user: string }) {
  const { date, time } = spoken(Date.parse(event.recorded), zone);
  const why = PURPOSE_WORDS[event.purposeOfUse];
  return {
    date,
    time,
    who: event.actor.user === user ? 'you' : event.actor.role,
    what: `${ACTION_WORDS[event.action]} (${event.operation})`,
    ...(why === undefined ? {} : { why }),
  };
}
