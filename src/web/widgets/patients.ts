import type { Answer, Data, Extra, Line } from './answers.ts';
import type { Host } from './host.ts';
import { button, make, pairs, put, saidFailure, say, start } from './page.ts';
import { dateWords } from './words.ts';

/** For the clinic's staff: whom a search found, to be chosen; and what a chart says. Persons see their own chart so. */

const SECTIONS = {
  conditions: 'Conditions',
  medications: 'Medications',
  allergies: 'Allergies',
  immunizations: 'Immunizations',
  results: 'Results',
} as const;

function show(answer: Answer, host: Host): void {
  if (answer.failed) put('Patient', []);
  if (saidFailure(answer)) return;
  if (answer.data.patients !== undefined) showFound(answer, host);
  else showChart(answer.data, host);
}

function showFound({ data, extra, text }: Answer, host: Host): void {
  const cards = (data.patients ?? []).map((one) => {
    const rows = [
      ['Born', dateWords(one.birthDate, host.locale)],
      ...tellingApart(extra, one.patient),
    ] as const;
    const choose = async () => {
      await host.tell(`Chosen at the desk: patient ${one.patient}`);
      put('Patient chosen', [personOf(one.name, rows)], { focus: true });
      say('The assistant knows whom you mean.', 'done');
    };
    return make(
      'article',
      { class: 'visit' },
      personOf(one.name, rows),
      make('div', { class: 'actions' }, button('Choose', choose, 'primary')),
    );
  });
  put(cards.length === 0 ? 'Nobody found' : 'Who is it?', cards);
  say(cards.length === 0 ? text : 'Confirm name and birth date before you choose.', 'quiet');
}

function tellingApart({ patients = [] }: Extra, patient: string): [string, string][] {
  const { gender, phoneEnding, city } = patients.find((one) => one.patient === patient) ?? {};
  return [
    ...(gender === undefined ? [] : [['Gender', gender] as [string, string]]),
    ...(phoneEnding === undefined ? [] : [['Telephone ends in', phoneEnding] as [string, string]]),
    ...(city === undefined ? [] : [['Lives in', city] as [string, string]]),
  ];
}

function personOf(name: string, rows: readonly (readonly [string, string])[]): HTMLElement {
  return make('section', {}, make('h2', {}, name), make('dl', {}, ...pairs(rows)));
}

function showChart(data: Data, { locale }: Host): void {
  const who = (data['patient'] ?? data['demographics']) as
    | { name: string; birthDate: string; gender?: string; age?: number }
    | undefined;
  const contact = data['contact'] as
    | { phones: readonly string[]; emails: readonly string[]; addresses: readonly string[] }
    | undefined;
  const person: (readonly [string, string])[] =
    who === undefined
      ? []
      : [
          ['Born', dateWords(who.birthDate, locale)],
          ...(who.age === undefined ? [] : [['Age', String(who.age)] as const]),
          ...(who.gender === undefined ? [] : [['Gender', who.gender] as const]),
        ];
  const reach: (readonly [string, string])[] =
    contact === undefined
      ? []
      : [
          ['Telephone', contact.phones.join(', ') || 'none recorded'],
          ['E-mail', contact.emails.join(', ') || 'none recorded'],
          ['Address', contact.addresses.join('; ') || 'none recorded'],
        ];
  const reason = data['reason'];
  const parts = Object.entries(SECTIONS).flatMap(([name, title]) => sectionOf(title, data[name]));
  put(who?.name ?? 'Chart', [
    ...(person.length + reach.length === 0
      ? []
      : [personOf(who === undefined ? 'Contact' : 'Person', [...person, ...reach])]),
    ...(typeof reason === 'string'
      ? [personOf('Why they come', [['In their words', unfenced(reason)]])]
      : []),
    ...parts,
  ]);
  say('As recorded; what is not listed was not looked at.', 'quiet');
}

function sectionOf(title: string, part: unknown): HTMLElement[] {
  const { items, total } = (part ?? {}) as { items?: readonly Line[]; total?: number };
  if (items === undefined) return [];
  const lines = items.map((line) =>
    make('li', {}, make('strong', {}, unfenced(line.text)), make('small', {}, detailOf(line))),
  );
  const left = (total ?? items.length) - items.length;
  return [
    make(
      'section',
      {},
      make('h2', {}, title),
      items.length === 0 ? make('p', {}, 'None recorded') : make('ul', { class: 'lines' }, ...lines),
      ...(left > 0 ? [make('p', { class: 'note' }, `${left} more are not shown.`)] : []),
    ),
  ];
}

const detailOf = ({ detail, status, date }: Line): string =>
  [detail === undefined ? undefined : unfenced(detail), status, date?.slice(0, 10)]
    .filter((part) => part !== undefined)
    .join(' · ');
/** The marks are for the model, which must not take chart text for words of the person. */
const unfenced = (text: string): string => text.replace(/^«|»$/g, '');

start('patients', show);
