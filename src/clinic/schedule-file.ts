import type { TimeSpan } from '../kernel/store.ts';
import { ClinicError } from './errors.ts';
import {
  type Fault,
  type Placed,
  type Published,
  type Resource,
  readResource,
  spanOf,
  spokenName,
  targetOf,
} from './schedule-resources.ts';

/** Somebody's published time. `free` and `busy` are merged and in order. */
export interface PublishedSchedule {
  readonly id: string;
  /** From the file; null when the file says no name and the clinic has to know them. */
  readonly name: string | null;
  readonly free: readonly TimeSpan[];
  readonly busy: readonly TimeSpan[];
}

/** What a file of schedules held. */
export interface ScheduleFile {
  readonly schedules: readonly PublishedSchedule[];
  readonly slots: number;
  /** Types that are no part of a schedule, counted. Nothing is dropped in silence. */
  readonly left: Readonly<Record<string, number>>;
}

export const SCHEDULE_LIMITS = { bytes: 16_777_216, resources: 100_000, faults: 20 } as const;
/** Our own ids; two hyphens would name a second place of somebody, or a room. */
const OUR_ID = /^(?!.*--)[A-Za-z0-9-]{1,48}$/;

/** One of the files that belong together: SMART Scheduling Links publishes locations, schedules and slots apart. */
export interface SourceFile {
  /** Begins where a fault is said to be. */
  readonly name: string;
  readonly text: string;
}

/**
 * Reads NDJSON of SMART Scheduling Links, or FHIR Bundles, as one.
 *
 * @throws ClinicError `IMPORT_FORMAT` naming every line that is wrong (the first twenty), never a value.
 */
export function readScheduleFiles(files: readonly SourceFile[]): ScheduleFile {
  const bytes = files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  if (bytes > SCHEDULE_LIMITS.bytes) throw refuse(['That is over 16 MiB']);
  const read = bounded(files.flatMap(entriesOf)).map(({ at, value }) =>
    value === undefined ? { at, what: 'not JSON' } : (readResource(at, value) ?? { at, left: typeOf(value) }),
  );
  const placed = read.flatMap((one) => ('resource' in one ? [one] : []));
  const found = join(placed);
  const faults = [...read.flatMap((one) => ('what' in one ? [one] : [])), ...found.faults];
  if (faults.length > 0) throw refuse(faults.map(({ at, what }) => `${at}: ${what}`));
  if (found.schedules.length === 0) throw refuse(['There is no Schedule with a Slot in it']);
  const left = read.flatMap((one) => ('left' in one ? [one.left] : []));
  return {
    schedules: found.schedules,
    slots: placed.filter(({ resource }) => resource.resourceType === 'Slot').length,
    left: Object.fromEntries([...Map.groupBy(left, (type) => type)].map(([type, all]) => [type, all.length])),
  };
}

/** The values of the file and where they stand; `undefined` for one that is no JSON. */
function entriesOf({ name, text }: SourceFile): { at: string; value: unknown }[] {
  const whole = jsonOf(text) as { resourceType?: unknown; entry?: unknown } | undefined;
  if (whole?.resourceType === 'Bundle') {
    const entries = Array.isArray(whole.entry) ? (whole.entry as { resource?: unknown }[]) : [];
    return entries.map((entry, index) => ({
      at: `${name} entry ${index + 1}`,
      value: entry?.resource ?? null,
    }));
  }
  const lines = text
    .split('\n')
    .map((line, index) => ({ at: `${name} line ${index + 1}`, line: line.trim() }));
  return lines.filter(({ line }) => line !== '').map(({ at, line }) => ({ at, value: jsonOf(line) }));
}

function bounded<T>(entries: T[]): T[] {
  if (entries.length <= SCHEDULE_LIMITS.resources) return entries;
  throw refuse([`That is over ${SCHEDULE_LIMITS.resources} resources`]);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const typeOf = (value: unknown): string => String((value as { resourceType?: unknown }).resourceType);

type Index = ReadonlyMap<string, Resource>;

/** Slots to their schedule, schedules to whose time they say. */
function join(placed: readonly Placed[]): { schedules: PublishedSchedule[]; faults: Fault[] } {
  const index: Index = new Map(
    placed.map(({ resource }) => [`${resource.resourceType}/${resource.id}`, resource]),
  );
  const faults: Fault[] = [];
  const owners = new Map<string, string>();
  for (const { at, resource } of placed) {
    if (resource.resourceType !== 'Schedule') continue;
    const owner = ownerOf(resource, index);
    if (owner === null) faults.push({ at, what: 'Schedule.actor names no practitioner and no location' });
    else if (!OUR_ID.test(owner.id))
      faults.push({ at, what: 'Schedule.actor has an id that cannot be used here' });
    else owners.set(resource.id, `${owner.type}/${owner.id}`);
  }
  const slots = new Map<string, Published<'Slot'>[]>();
  for (const { at, resource } of placed) {
    if (resource.resourceType !== 'Slot') continue;
    const schedule = targetOf(resource.schedule.reference);
    const owner = schedule?.type === 'Schedule' ? owners.get(schedule.id) : undefined;
    if (owner !== undefined) slots.set(owner, [...(slots.get(owner) ?? []), resource]);
    else if (!index.has(`Schedule/${schedule?.id}`))
      faults.push({ at, what: 'Slot.schedule is not in the file' });
  }
  return { schedules: [...slots].map(([owner, all]) => scheduleOf(owner, all, index)), faults };
}

/** The first practitioner that a schedule is for; where it names none, the location, as if it were somebody. */
function ownerOf({ actor }: Published<'Schedule'>, index: Index): { type: string; id: string } | null {
  const targets = actor.flatMap(({ reference }) => targetOf(reference) ?? []);
  const people = targets.flatMap((target) => {
    if (target.type === 'Practitioner') return [target];
    const role = target.type === 'PractitionerRole' ? index.get(`PractitionerRole/${target.id}`) : undefined;
    const person = role?.resourceType === 'PractitionerRole' ? targetOf(role.practitioner.reference) : null;
    return person?.type === 'Practitioner' ? [person] : [];
  });
  return people[0] ?? targets.find(({ type }) => type === 'Location') ?? null;
}

function scheduleOf(owner: string, slots: readonly Published<'Slot'>[], index: Index): PublishedSchedule {
  const known = index.get(owner);
  const name =
    known?.resourceType === 'Practitioner'
      ? spokenName(known)
      : known?.resourceType === 'Location'
        ? known.name
        : null;
  const of = (wanted: (status: string) => boolean): TimeSpan[] =>
    merged(slots.filter(({ status }) => wanted(status)).map(spanOf));
  return {
    id: owner.slice(owner.indexOf('/') + 1),
    name: name === '' ? null : name,
    free: of((status) => status === 'free'),
    busy: of((status) => status.startsWith('busy')),
  };
}

/** Spans in order, those that touch or overlap made one. */
function merged(spans: readonly TimeSpan[]): TimeSpan[] {
  const all: { from: number; to: number }[] = [];
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    const last = all.at(-1);
    if (last === undefined || from > last.to) all.push({ from, to });
    else last.to = Math.max(last.to, to);
  }
  return all;
}

function refuse(faults: readonly string[]): ClinicError {
  const shown = faults.slice(0, SCHEDULE_LIMITS.faults).join('; ');
  const more = faults.length - SCHEDULE_LIMITS.faults;
  return new ClinicError(
    'IMPORT_FORMAT',
    `${shown}${more > 0 ? `; and ${more} more` : ''}. Nothing was imported.`,
  );
}
