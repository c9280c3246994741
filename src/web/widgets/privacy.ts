import type { Answer, Data } from './answers.ts';
import { type Arguments, type Host, whose } from './host.ts';
import { button, make, put, saidFailure, say, start } from './page.ts';
import { CONSENT_WORDS, KIND_WORDS } from './privacy-words.ts';
import { dateWords, timeWords } from './words.ts';

/** Privacy and access: who opened the chart, and how requests about it stand. Requests start here and end on our own pages. */

interface Access {
  readonly date: string;
  readonly time: string;
  readonly who: string;
  readonly what: string;
  readonly why?: string;
}
interface PrivacyRequest {
  readonly requestId: string;
  readonly kind: string;
  readonly about?: string;
  readonly asked: string;
  readonly until?: string;
  readonly answerBy?: string;
  readonly next: string;
}

function show(answer: Answer, host: Host): void {
  if (answer.failed) put('Privacy and access', []);
  if (saidFailure(answer)) return;
  const { data } = answer;
  const parts = [...accessesOf(data, host), ...requestsOf(data, host), ...pageOf(data, host)];
  put('Privacy and access', [...parts, ...startersFor(host)]);
  say(answer.text, 'quiet');
}

function accessesOf({ accesses }: Data, { locale }: Host): HTMLElement[] {
  if (accesses === undefined) return [];
  const items = (accesses as readonly Access[]).map(({ date, time, who, what, why }) => {
    const when = `${dateWords(date, locale)}, ${timeWords({ time }, locale)}`;
    return itemOf(`${who}: ${what}`, [when, why]);
  });
  return [sectionOf('Who opened your chart', items)];
}

function requestsOf(data: Data, { locale }: Host): HTMLElement[] {
  const requests = (data['requests'] ?? (data['request'] === undefined ? undefined : [data['request']])) as
    | readonly PrivacyRequest[]
    | undefined;
  if (requests === undefined) return [];
  const dated = (before: string, date: string | undefined) =>
    date === undefined ? undefined : `${before} ${dateWords(date, locale)}`;
  const items = requests.map(({ kind, about, asked, until, answerBy, next }) =>
    itemOf(CONSENT_WORDS[about ?? ''] ?? KIND_WORDS[kind] ?? kind, [
      next,
      dated('Asked on', asked),
      dated('Until', until),
      dated('Answer by', answerBy),
    ]),
  );
  return [sectionOf('Your requests', items)];
}

const itemOf = (title: string, details: readonly (string | undefined)[]): HTMLElement => {
  const small = details.filter((one) => one !== undefined).join(' · ');
  return make('li', {}, make('strong', {}, title), make('small', {}, small));
};

const sectionOf = (title: string, items: readonly HTMLElement[]): HTMLElement =>
  make(
    'section',
    {},
    make('h2', {}, title),
    items.length === 0 ? make('p', {}, 'None recorded') : make('ul', { class: 'lines' }, ...items),
  );

/** The way to our own page: opened by the host where it can, else an address to type. */
function pageOf({ page }: Data, host: Host): HTMLElement[] {
  if (typeof page !== 'string') return [];
  const note = make(
    'p',
    { class: 'note' },
    'You go on there, signed in afresh. What was said in this chat stays with the assistant.',
  );
  const way = host.opensLinks
    ? button('Go on at the clinic’s page', () => host.open(page), 'primary')
    : make('p', {}, page);
  return [make('section', {}, make('h2', {}, 'At the clinic’s own page'), note, way)];
}

/** Two steps, because the first is easily a slip of the finger. */
function startersFor(host: Host): HTMLElement[] {
  if (!host.callsTools) return [];
  const buttons = Object.entries(KIND_WORDS).map(([kind, title]) =>
    button(title, () => prepare(kind, title, host)),
  );
  return [
    make('section', {}, make('h2', {}, 'Start a request'), make('div', { class: 'actions' }, ...buttons)),
  ];
}

/** What a kind needs beside the wish: its field, and what is in it; null while it is not filled in. */
interface Need {
  readonly fields: readonly HTMLElement[];
  readonly given: () => Arguments | null;
}

function needOf(kind: string): Need {
  if (kind === 'correction') {
    const words = make('textarea', { id: 'words', rows: '4', maxlength: '2000' });
    const label = make('label', { for: 'words' }, 'What is wrong, in your own words');
    const given = () => (words.value.trim().length < 3 ? null : { words: words.value.trim() });
    return { fields: [label, words], given };
  }
  if (kind !== 'consent') return { fields: [], given: () => ({}) };
  let about: string | null = null;
  const choices = Object.entries(CONSENT_WORDS).map(([value, text]) => {
    const radio = make('input', { type: 'radio', name: 'about' });
    radio.addEventListener('change', () => {
      about = value;
    });
    return make('label', { class: 'time' }, radio, make('span', {}, text));
  });
  const fields = [make('fieldset', {}, make('legend', {}, 'What do you want to change?'), ...choices)];
  return { fields, given: () => (about === null ? null : { about }) };
}

function prepare(kind: string, title: string, host: Host): void {
  const { fields, given } = needOf(kind);
  const begin = async () => {
    const more = given();
    if (more === null) {
      say('Fill this in first. Nothing has started yet.', 'error');
      return;
    }
    say('One moment…', 'busy');
    const answer = await host.call('requestPrivacyAction', { ...whose(host), kind, ...more });
    if (saidFailure(answer)) return;
    const parts = [...requestsOf(answer.data, host), ...pageOf(answer.data, host)];
    put('Your request has started', parts, { focus: true });
    say(answer.text, 'done');
    await host.tell(answer.text);
  };
  const note = make(
    'p',
    {},
    'It is only started here. You finish it on the clinic’s own pages, signed in afresh.',
  );
  const actions = make('div', { class: 'actions' }, button('Start it', begin, 'primary'));
  put(title, [note, ...fields, actions], { focus: true });
  say('Nothing has started yet.', 'quiet');
}

start('privacy', show);
