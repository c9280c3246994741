import { Temporal } from 'temporal-polyfill';
import type { Assistant, ToolAnswer } from './clients.ts';

/** One step of the demo: what was done, what came back, and whether it is as it should be. */
export interface Step {
  readonly title: string;
  readonly ok: boolean;
  readonly lines: readonly string[];
  readonly data?: unknown;
}

/** Takes each step as it is done, so that a person sees progress. */
export type Tell = (step: Step) => void;

interface Slot {
  readonly slotId: string;
  readonly practitioner: string;
  readonly weekday: string;
  readonly date: string;
  readonly time: string;
}

/** What the conversation left behind, for the look behind the curtain. */
export interface Booked {
  readonly appointmentId: string;
  readonly reason: string;
}

const REASON = 'My sugar readings were high this week';
const WEEKS = 8;

/** "Schedule my diabetes checkup for next Tuesday", as two generations of assistants would go about it. */
export async function converse(older: Assistant, newer: Assistant, tell: Tell): Promise<Booked> {
  const who = await older.call('whoAmI', {});
  const today = (who.structuredContent?.['today'] ?? {}) as { date?: string; weekday?: string };
  tell({ title: 'whoAmI', ok: today.date !== undefined, lines: [textOf(who)] });
  const chart = await newer.call('getPatient', { sections: ['medications'] });
  tell({ title: 'getPatient: medications', ok: chart.isError !== true, lines: [textOf(chart)] });
  const slot = await findSlot(older, nextTuesday(today.date ?? ''), tell);
  const request = { slotId: slot.slotId, reason: REASON };
  const booked = await older.call('scheduleAppointment', request);
  tell({
    title: 'scheduleAppointment',
    ok: booked.structuredContent?.['outcome'] === 'booked',
    lines: [textOf(booked)],
  });
  const again = await older.call('scheduleAppointment', request);
  const same = appointmentOf(again) === appointmentOf(booked);
  tell({
    title: 'the same request again',
    ok: same,
    lines: [textOf(again), same ? 'Same appointment: one effect, one answer.' : 'Another appointment!'],
  });
  const rival = await newer.call('scheduleAppointment', request);
  const choices = (rival.structuredContent?.['choices'] ?? []) as Slot[];
  const refused = rival.structuredContent?.['outcome'] === 'choose' && choices.length > 0;
  tell({
    title: 'another client wants the same time',
    ok: refused,
    lines: [textOf(rival), ...choices.map(lineOf)],
  });
  return { appointmentId: appointmentOf(booked), reason: REASON };
}

/** Books the first open Tuesday, without a word, and returns the appointment's id. */
export async function bookAnyVisit(assistant: Assistant): Promise<string> {
  const who = await assistant.call('whoAmI', {});
  const today = (who.structuredContent?.['today'] ?? {}) as { date?: string };
  const slot = await findSlot(assistant, nextTuesday(today.date ?? ''), () => {});
  const booked = await assistant.call('scheduleAppointment', { slotId: slot.slotId, reason: REASON });
  if (booked.structuredContent?.['outcome'] !== 'booked') throw new Error(textOf(booked));
  return appointmentOf(booked);
}

async function findSlot(assistant: Assistant, first: Temporal.PlainDate, tell: Tell): Promise<Slot> {
  for (let week = 0; week < WEEKS; week += 1) {
    const date = first.add({ weeks: week }).toString();
    const found = await assistant.call('findOpenSlots', { visitType: 'diabetes-checkup', from: date });
    const slots = (found.structuredContent?.['slots'] ?? []) as Slot[];
    const [slot] = slots;
    const lines = [textOf(found), ...slots.slice(0, 4).map(lineOf)];
    tell({
      title: `findOpenSlots on ${date}`,
      ok: found.isError !== true && slots.every(({ weekday }) => weekday === 'Tuesday'),
      lines,
    });
    if (slot !== undefined) return slot;
  }
  throw new Error(
    `No Tuesday of the next ${WEEKS} weeks has an open slot. Start again with an empty .chartseal folder.`,
  );
}

/** The first Tuesday after today. */
function nextTuesday(today: string): Temporal.PlainDate {
  const date = Temporal.PlainDate.from(today);
  return date.add({ days: ((2 - date.dayOfWeek + 6) % 7) + 1 });
}

const textOf = (answer: ToolAnswer): string => answer.content.map(({ text }) => text ?? '').join(' ');
const lineOf = ({ weekday, date, time, practitioner }: Slot): string =>
  `${weekday}, ${date} ${time}  ${practitioner}`;
const appointmentOf = (answer: ToolAnswer): string =>
  String(
    (answer.structuredContent?.['appointment'] as { appointmentId?: string } | undefined)?.appointmentId ??
      '',
  );
