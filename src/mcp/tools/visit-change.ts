import type { Visit } from '../../clinic/appointment.ts';
import { findClinic } from '../../clinic/clinic.ts';
import type { ChangedVisit, VisitRequest, VisitResult } from '../../clinic/visit-work.ts';
import { bookerOf, chartOf, type ToolCall, type ToolResult } from '../tool.ts';
import type { VisitCards } from './visit-widget.ts';

/** What tools share that change a visit: who asks, the event of the change, and how its end is said. */

/** An answer that names a visit. */
export interface VisitAnswer<Outcome extends string> {
  readonly outcome: Outcome;
  readonly appointment: Visit;
}

/** Who asks for a change, with the event that goes into its transaction and names what is about to be released. */
export function visitRequest(
  call: ToolCall,
  { outcome, cards }: { outcome: string; cards: VisitCards },
): VisitRequest {
  const { principal, now } = call;
  const { draft, entry } = call.audit;
  const entryOf = ({ alias, visit: appointment, written }: ChangedVisit) => {
    const { widget } = cards([{ visit: appointment, changedAt: now }]);
    const output = { outcome, appointment };
    return entry({ patient: alias, written, id: appointment.appointmentId, output, widget });
  };
  return {
    ...{ of: chartOf(call), by: bookerOf(call), user: principal.user, client: principal.client, now },
    audit: { draft, write: (tx, changed) => draft.write(tx, entryOf(changed)) },
  };
}

type Done = Extract<VisitResult, { visit: Visit }>;

/** The answer to a change that was made, or had been made before by the same request. */
export function changedAnswer<Outcome extends string>(
  done: Done,
  said: { outcome: Outcome; text: string; cards: VisitCards; now: number },
): ToolResult<VisitAnswer<Outcome>> {
  const { outcome, text, cards, now } = said;
  return {
    output: { outcome, appointment: done.visit },
    text,
    ...cards([{ visit: done.visit, changedAt: now }]),
    patient: done.alias,
    resourceId: done.visit.appointmentId,
    committed: done.outcome === 'done',
  };
}

/** The answer when the clinic does this only by telephone. `before` says what did not happen and why. */
export async function callClinic(
  { principal, services }: ToolCall,
  before: string,
): Promise<ToolResult<{ outcome: 'callClinic'; phone: string }>> {
  const { phone } = await findClinic(services.store, principal.tenant);
  return {
    output: { outcome: 'callClinic', phone },
    text: `${before}: call the clinic at ${phone}.`,
    refused: 'CALL_CLINIC',
  };
}
