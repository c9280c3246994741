import type { Answer } from './answers.ts';
import { type Arguments, type Host, whose } from './host.ts';
import { button, put, saidFailure, say, start } from './page.ts';
import { type Aim, offer, showOutcome } from './visit-flow.ts';

/** The slot picker: shows what findOpenSlots, scheduleAppointment and rescheduleAppointment answered, and books. */

const LATER_DAYS = 14;
const DAY_MS = 86_400_000;

function show(answer: Answer, host: Host): void {
  if (answer.failed) put('Times', []);
  if (saidFailure(answer)) return;
  const { data } = answer;
  const slots = data.slots ?? data.choices ?? [];
  if (slots.length > 0) {
    offer(slots, aimOf(host), { answer, host });
  } else if (data.slots === undefined) {
    showOutcome(answer, host);
  } else {
    put(`Nothing is open: ${data.title ?? ''}`, laterButton(host));
    say('No time is open on those dates.', 'quiet');
  }
}

/** A visit that was to be moved is moved; everything else is a new one, for whom the times were looked up. */
function aimOf(host: Host): Aim {
  const { tool, input } = host.opened;
  const { appointmentId } = input;
  return tool === 'rescheduleAppointment' || (tool === undefined && appointmentId !== undefined)
    ? { tool: 'rescheduleAppointment', args: { ...whose(host), appointmentId } }
    : { tool: 'scheduleAppointment', args: whose(host) };
}

function laterButton(host: Host): HTMLElement[] {
  const { input } = host.opened;
  const last = String(input['to'] ?? input['from'] ?? '');
  const from = dayAfter(last, 1);
  if (!host.callsTools || from === null) return [];
  const to = dayAfter(last, LATER_DAYS) ?? from;
  return [button('Look at the two weeks after', () => lookLater({ ...input, from, to }, host), 'primary')];
}

async function lookLater(input: Arguments, host: Host): Promise<void> {
  say('Looking…', 'busy');
  const answer = await host.call('findOpenSlots', input);
  show(answer, { ...host, opened: { ...host.opened, input } });
}

function dayAfter(date: string, days: number): string | null {
  const at = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(at) ? null : new Date(at + days * DAY_MS).toISOString().slice(0, 10);
}

start('slot-picker', show);
