import type { Answer, Slot } from './answers.ts';
import { cardOf } from './card.ts';
import type { Arguments, Host } from './host.ts';
import { make, put, saidFailure, say } from './page.ts';
import { pickerOf } from './picker.ts';

/** Choosing a time and what comes of it; shared by the slot picker and the visits. */

/** What choosing a slot does. */
export interface Aim {
  readonly tool: 'scheduleAppointment' | 'rescheduleAppointment';
  /** What goes with the slotId: whose visit, and which one is moved. */
  readonly args: Arguments;
}

const VERBS = { scheduleAppointment: 'Book', rescheduleAppointment: 'Move to' } as const;
const NOT_YET = { scheduleAppointment: 'booked', rescheduleAppointment: 'moved' } as const;

/** Offers times for an aim. `notice` is said first. */
export function offer(
  slots: readonly Slot[],
  aim: Aim,
  { answer, host, notice, focus = false }: { answer: Answer; host: Host; notice?: string; focus?: boolean },
): void {
  const { zone, title } = answer.data;
  const choose = host.callsTools ? (slot: Slot) => take(slot, aim, host) : null;
  const { locale } = host;
  const content = pickerOf({ slots, zone, locale, verb: VERBS[aim.tool], choose });
  put(title === undefined ? 'Choose a time' : `Choose a time: ${title}`, content, { focus });
  say(notice ?? `Nothing is ${NOT_YET[aim.tool]} yet.`, notice === undefined ? 'quiet' : 'error');
}

async function take(slot: Slot, aim: Aim, host: Host): Promise<void> {
  say('One moment…', 'busy');
  const answer = await host.call(aim.tool, { ...aim.args, slotId: slot.slotId });
  if (saidFailure(answer)) return;
  if (answer.data.outcome === 'choose') {
    const notice = 'That time has just been taken. Nothing was changed. These are open:';
    offer(answer.data.choices ?? [], aim, { answer, host, notice, focus: true });
    return;
  }
  showOutcome(answer, host, { focus: true });
  await host.tell(answer.text);
}

const HEADINGS: Readonly<Record<string, string>> = {
  booked: 'Your visit is booked',
  rescheduled: 'Your visit was moved',
  cancelled: 'Your visit was cancelled',
  changed: 'The visit',
};

/** An answer that ends the matter: a visit, nothing open, or the clinic's telephone number. */
export function showOutcome(answer: Answer, host: Host, { focus = false } = {}): void {
  const { outcome = '', appointment, phone } = answer.data;
  if (appointment !== undefined) {
    put(HEADINGS[outcome] ?? 'The visit', [cardOf(appointment, { extra: answer.extra, host })], { focus });
    say(answer.text, 'done');
    return;
  }
  if (outcome === 'callClinic') {
    put('Please call the clinic', [make('p', { class: 'phone' }, phone ?? '')], { focus });
    say('The clinic arranges this itself. Nothing was changed.', 'quiet');
    return;
  }
  put('Nothing is open', [], { focus });
  say(answer.text, 'quiet');
}
