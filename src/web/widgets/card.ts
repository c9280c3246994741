import type { Extra, Visit } from './answers.ts';
import type { Host } from './host.ts';
import { button, make, pairs, say } from './page.ts';
import { dateWords, timeWords, zoneWords } from './words.ts';

const CALENDAR_TYPE = 'text/calendar';
const FILE = 'visit.ics';

const STATUS_WORDS: Readonly<Record<string, string>> = {
  booked: 'Booked',
  arrived: 'Arrived',
  'checked-in': 'Checked in',
  fulfilled: 'Done',
  cancelled: 'Cancelled',
  noshow: 'Missed',
  'entered-in-error': 'Entered in error',
};

/** One visit: when, where, with whom, what to bring, and its calendar file. `actions` come last. */
export function cardOf(
  visit: Visit,
  { extra, host, actions = [] }: { extra: Extra; host: Host; actions?: readonly Node[] },
): HTMLElement {
  const { locale } = host;
  const rows: (readonly [string, string | undefined])[] = [
    ['Status', STATUS_WORDS[visit.status] ?? visit.status],
    [
      'When',
      `${dateWords(visit.date, locale)}, ${timeWords(visit, locale)} (${zoneWords(visit.zone, locale)})`,
    ],
    ['How long', `${visit.minutes} minutes`],
    ['With', visit.practitioner],
    ['Where', visit.telehealth === true ? 'By video' : visit.location],
    ['Before you come', visit.preparation],
    ['Why', reasonOf(visit, extra)],
    ['Clinic', extra.clinic === undefined ? undefined : `${extra.clinic.name}, ${extra.clinic.phone}`],
  ];
  const known = rows.flatMap(([term, text]) => (text === undefined ? [] : [[term, text] as const]));
  return make(
    'article',
    { class: 'visit' },
    make('h2', {}, visit.title),
    make('dl', {}, ...pairs(known)),
    make('div', { class: 'actions' }, ...calendarOf(visit, extra, host), ...actions),
  );
}

const reasonOf = ({ appointmentId }: Visit, { reasons = [] }: Extra): string | undefined =>
  reasons.find((one) => one.appointmentId === appointmentId)?.reason;

/** Saved by the host where it can; else a link, which works where the host's sandbox allows downloads, and the text. */
function calendarOf({ appointmentId }: Visit, { calendars = [] }: Extra, host: Host): Node[] {
  const file = calendars.find((one) => one.appointmentId === appointmentId)?.file;
  if (file === undefined) return [];
  if (!host.savesFiles) return [calendarLink(file), calendarText(file)];
  const save = async () => {
    const saved = await host.save({ name: FILE, type: CALENDAR_TYPE, text: file });
    say(saved ? 'The calendar file was handed to you.' : 'The calendar file was not saved.', 'quiet');
  };
  return [button('Add to calendar', save)];
}

/** The file names no person and no complaint, so that it may be an address. */
const calendarLink = (file: string): HTMLElement =>
  make(
    'a',
    {
      class: 'button',
      download: FILE,
      href: `data:${CALENDAR_TYPE};charset=utf-8,${encodeURIComponent(file)}`,
    },
    'Calendar file',
  );

const calendarText = (file: string): HTMLElement =>
  make(
    'details',
    {},
    make('summary', {}, 'The link does nothing?'),
    make('p', { class: 'note' }, `Copy this into a file named ${FILE} and open it.`),
    make('pre', { tabindex: '0' }, file),
  );
