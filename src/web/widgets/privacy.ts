import type { Answer, Data } from './answers.ts';
import type { Host } from './host.ts';
import { button, make, put, saidFailure, say, start } from './page.ts';
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
  readonly status: string;
  readonly date?: string;
}

const KINDS = {
  export: 'Send me what you have on me',
  correction: 'Ask for a correction',
  consent: 'Change what I allow',
  erasure: 'Delete my data',
} as const;

function show(answer: Answer, host: Host): void {
  if (answer.failed) put('Privacy and access', []);
  if (saidFailure(answer)) return;
  const { data } = answer;
  const parts = [...accessesOf(data, host), ...requestsOf(data, host)];
  put('Privacy and access', [...parts, ...startersFor(host)]);
  say(answer.text, 'quiet');
}

function accessesOf({ accesses }: Data, { locale }: Host): HTMLElement[] {
  if (accesses === undefined) return [];
  const items = (accesses as readonly Access[]).map(({ date, time, who, what, why }) =>
    make(
      'li',
      {},
      make('strong', {}, `${who}: ${what}`),
      make(
        'small',
        {},
        `${dateWords(date, locale)}, ${timeWords({ time }, locale)}${why === undefined ? '' : ` · ${why}`}`,
      ),
    ),
  );
  return [sectionOf('Who opened your chart', items)];
}

function requestsOf(data: Data, { locale }: Host): HTMLElement[] {
  const requests = (data['requests'] ?? (data['request'] === undefined ? undefined : [data['request']])) as
    | readonly PrivacyRequest[]
    | undefined;
  if (requests === undefined) return [];
  const items = requests.map(({ kind, status, date }) =>
    make(
      'li',
      {},
      make('strong', {}, KINDS[kind as keyof typeof KINDS] ?? kind),
      make('small', {}, date === undefined ? status : `${status} · ${dateWords(date, locale)}`),
    ),
  );
  return [sectionOf('Your requests', items)];
}

const sectionOf = (title: string, items: readonly HTMLElement[]): HTMLElement =>
  make(
    'section',
    {},
    make('h2', {}, title),
    items.length === 0 ? make('p', {}, 'None recorded') : make('ul', { class: 'lines' }, ...items),
  );

/** Two steps, because the first is easily a slip of the finger. */
function startersFor(host: Host): HTMLElement[] {
  if (!host.callsTools) return [];
  const buttons = Object.entries(KINDS).map(([kind, title]) =>
    button(title, () => confirm(kind, title, host)),
  );
  return [
    make('section', {}, make('h2', {}, 'Start a request'), make('div', { class: 'actions' }, ...buttons)),
  ];
}

function confirm(kind: string, title: string, host: Host): void {
  const begin = async () => {
    say('One moment…', 'busy');
    const answer = await host.call('requestPrivacyAction', { kind });
    if (saidFailure(answer)) return;
    put('Your request has started', requestsOf(answer.data, host), { focus: true });
    say(answer.text, 'done');
    await host.tell(answer.text);
  };
  const actions = make('div', { class: 'actions' }, button('Start it', begin, 'primary'));
  put(
    title,
    [
      make('p', {}, 'It is only started here. You finish it on the clinic’s own pages, signed in afresh.'),
      actions,
    ],
    {
      focus: true,
    },
  );
  say('Nothing has started yet.', 'quiet');
}

start('privacy', show);
