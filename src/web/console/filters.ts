import { byId, make } from '../page.ts';
import type { Filter, Names } from './protocol.ts';

/** What may stand in the address: nothing that names a person. */
const IN_ADDRESS = [
  'from',
  'to',
  'role',
  'client',
  'operation',
  'purpose',
  'outcome',
  'policy',
  'emergency',
] as const;
const VIEWS = 'chartseal/views';
const PAUSE_MS = 120;

const form = byId('filter', HTMLFormElement);
const views = byId('views', HTMLSelectElement);
const viewName = byId('view-name', HTMLInputElement);
const note = byId('filters-on', HTMLElement);

type Texts = Record<string, string>;

function readForm(): Texts {
  return Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
}

function fillForm(texts: Texts): void {
  form.reset();
  for (const [name, value] of Object.entries(texts)) {
    const field = form.elements.namedItem(name);
    if (field instanceof HTMLInputElement && field.type === 'checkbox') field.checked = value === 'on';
    else if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = value;
  }
}

/** `datetime-local` has no zone: it is read as UTC. */
function instantOf(text: string | undefined): number | null {
  const at = Date.parse(`${text ?? ''}Z`);
  return Number.isNaN(at) ? null : at;
}

export function currentFilter(): Filter {
  const texts = readForm();
  const text = (name: string): string => texts[name] ?? '';
  return {
    from: instantOf(texts['from']),
    to: instantOf(texts['to']),
    user: text('user'),
    role: text('role'),
    client: text('client'),
    operation: text('operation'),
    patient: text('patient'),
    purpose: text('purpose'),
    outcome: text('outcome'),
    policy: text('policy'),
    emergency: texts['emergency'] === 'on',
  };
}

/** The filter for the address, without a patient or a person. */
function addressOf(texts: Texts): string {
  const kept = IN_ADDRESS.flatMap((name) => (texts[name] ? [[name, texts[name]]] : []));
  return new URLSearchParams(kept).toString();
}

function savedViews(): Record<string, Texts> {
  try {
    return JSON.parse(localStorage.getItem(VIEWS) ?? '{}') as Record<string, Texts>;
  } catch {
    return {};
  }
}

function listViews(): void {
  const names = Object.keys(savedViews()).sort();
  views.replaceChildren(
    make('option', { value: '' }, names.length === 0 ? 'None saved' : 'Choose …'),
    ...names.map((name) => make('option', { value: name }, name)),
  );
}

function saveViews(all: Record<string, Texts>): void {
  localStorage.setItem(VIEWS, JSON.stringify(all));
  listViews();
}

/** Fills the form from the address and calls back, a moment after the last key, when the filter changes. */
export function startFilters(changed: () => void): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const apply = (): void => {
    const texts = readForm();
    const on = Object.values(texts).filter((value) => value !== '').length;
    note.textContent = on === 0 ? '' : `(${on} on)`;
    const query = addressOf(texts);
    if (location.hash.startsWith('#events'))
      history.replaceState(null, '', query === '' ? '#events' : `#events?${query}`);
    changed();
  };
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(apply, PAUSE_MS);
  };
  form.addEventListener('input', (event) => {
    if (event.target !== viewName && event.target !== views) soon();
  });
  form.addEventListener('reset', () => setTimeout(apply));
  form.addEventListener('submit', (event) => event.preventDefault());
  views.addEventListener('change', () => {
    const texts = savedViews()[views.value];
    const chosen = views.value;
    if (texts === undefined) return;
    fillForm(texts);
    views.value = chosen;
    apply();
  });
  byId('save-view', HTMLButtonElement).addEventListener('click', () => {
    const name = viewName.value.trim();
    if (name === '') return viewName.focus();
    saveViews({ ...savedViews(), [name]: readForm() });
    views.value = name;
    viewName.value = '';
  });
  byId('delete-view', HTMLButtonElement).addEventListener('click', () => {
    const { [views.value]: _gone, ...rest } = savedViews();
    saveViews(rest);
  });
  listViews();
  fillForm(Object.fromEntries(new URLSearchParams(location.hash.split('?')[1] ?? '')));
  apply();
}

/** What the log names, as suggestions. */
export function suggest(names: Names): void {
  for (const [id, list] of Object.entries(names) as [string, readonly string[]][])
    byId(id, HTMLElement).replaceChildren(...list.map((value) => make('option', { value })));
}
