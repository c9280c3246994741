import type { Slot } from './answers.ts';
import { button, make, say } from './page.ts';
import { dateWords, timeWords, zoneWords } from './words.ts';

/** What a picker is made of. */
export interface PickerOptions {
  readonly slots: readonly Slot[];
  readonly zone: string | undefined;
  readonly locale: string | undefined;
  /** `Book`, `Move`: begins the button. */
  readonly verb: string;
  /** Null where the host lets widgets call nothing: then the person tells the assistant. */
  readonly choose: ((slot: Slot) => Promise<void>) | null;
}

/** Times to choose one of, by day: radio buttons, so that arrow keys, screen readers and fingers know them. */
export function pickerOf(options: PickerOptions): Node[] {
  const { slots, zone, locale, verb, choose } = options;
  const days = [...Map.groupBy(slots, ({ date }) => date)];
  if (choose === null)
    return [...days.map((day) => plainDay(day, locale)), zoneNote(zone, locale), tellNote()];
  let chosen: Slot | null = null;
  const act = button(
    `${verb} a time`,
    async () => {
      if (chosen === null) say('Choose a time first.', 'error');
      else await choose(chosen);
    },
    'primary',
  );
  const pick = (slot: Slot) => {
    chosen = slot;
    act.textContent = `${verb} ${dateWords(slot.date, locale)}, ${timeWords(slot, locale)}`;
  };
  return [...days.map((day) => radioDay(day, locale, pick)), zoneNote(zone, locale), act];
}

type Day = readonly [date: string, slots: readonly Slot[]];

function radioDay([date, slots]: Day, locale: string | undefined, pick: (slot: Slot) => void): HTMLElement {
  const times = slots.map((slot) => {
    const radio = make('input', { type: 'radio', name: 'slot' });
    radio.addEventListener('change', () => pick(slot));
    return make('label', { class: 'time' }, radio, ...timeLines(slot, locale));
  });
  const legend = make('legend', {}, dateWords(date, locale));
  return make('fieldset', {}, legend, make('div', { class: 'times' }, ...times));
}

function plainDay([date, slots]: Day, locale: string | undefined): HTMLElement {
  const items = slots.map((slot) => make('li', { class: 'time' }, ...timeLines(slot, locale)));
  return make(
    'section',
    {},
    make('h2', {}, dateWords(date, locale)),
    make('ul', { class: 'times' }, ...items),
  );
}

const timeLines = (slot: Slot, locale: string | undefined): HTMLElement[] => [
  make('span', {}, make('strong', {}, timeWords(slot, locale)), ' ', make('small', {}, slot.practitioner)),
];
const zoneNote = (zone: string | undefined, locale: string | undefined): HTMLElement =>
  make('p', { class: 'note' }, zone === undefined ? '' : `Times at the clinic (${zoneWords(zone, locale)}).`);
const tellNote = (): HTMLElement => make('p', { class: 'note' }, 'Tell the assistant which time you want.');
