import { z } from 'zod';
import { CELL_MS } from '../kernel/store.ts';

/**
 * What published schedules are made of, FHIR R4: Practitioner, PractitionerRole, Location, Schedule, Slot. They come one a
 * line (NDJSON, as SMART Scheduling Links publishes them) or as the entries of a Bundle. Whatever else a resource holds is
 * left alone.
 */

const id = z.string().regex(/^[A-Za-z0-9.-]{1,64}$/);
const reference = z.object({ reference: z.string().max(300).optional() });
const humanName = z.object({
  text: z.string().optional(),
  family: z.string().optional(),
  given: z.array(z.string()).optional(),
});
/** An instant with its offset; a slot without one would be moved by whoever reads it. */
const instant = z.iso.datetime({ offset: true });

const SHAPES = {
  Practitioner: z.object({
    resourceType: z.literal('Practitioner'),
    id,
    name: z.array(humanName).min(1),
  }),
  PractitionerRole: z.object({
    resourceType: z.literal('PractitionerRole'),
    id,
    practitioner: reference,
  }),
  Location: z.object({ resourceType: z.literal('Location'), id, name: z.string().min(1).max(200) }),
  Schedule: z.object({ resourceType: z.literal('Schedule'), id, actor: z.array(reference).min(1) }),
  Slot: z.object({
    resourceType: z.literal('Slot'),
    id,
    schedule: reference,
    status: z.enum(['free', 'busy', 'busy-unavailable', 'busy-tentative', 'entered-in-error']),
    start: instant,
    end: instant,
  }),
} as const;
type Known = keyof typeof SHAPES;
export type Resource = { readonly [Type in Known]: z.infer<(typeof SHAPES)[Type]> }[Known];
export type Published<Type extends Known> = Extract<Resource, { resourceType: Type }>;

/** A resource and where it stands in the file: `line 3` or `entry 3`. */
export interface Placed<T = Resource> {
  readonly at: string;
  readonly resource: T;
}

/** What is wrong, and where. Never a value of the file. */
export interface Fault {
  readonly at: string;
  readonly what: string;
}

const DAY_MS = 86_400_000;

/** One resource of a file. @returns null for a type that schedules are not made of. */
export function readResource(at: string, value: unknown): Placed | Fault | null {
  const type = z.looseObject({ resourceType: z.string() }).safeParse(value);
  if (!type.success) return { at, what: 'not a FHIR resource' };
  const { resourceType } = type.data;
  if (!Object.hasOwn(SHAPES, resourceType)) return null;
  const parsed = SHAPES[resourceType as Known].safeParse(value);
  if (!parsed.success)
    return { at, what: `${resourceType}.${parsed.error.issues[0]?.path.join('.') ?? ''} cannot be read` };
  const resource = parsed.data as Resource;
  const wrong = resource.resourceType === 'Slot' ? wrongTime(resource) : null;
  return wrong === null ? { at, resource } : { at, what: wrong };
}

function wrongTime(slot: Published<'Slot'>): string | null {
  const { from, to } = spanOf(slot);
  if (from >= to) return 'Slot.end is not after Slot.start';
  if (to - from > DAY_MS) return 'Slot is longer than a day';
  return from % CELL_MS === 0 && to % CELL_MS === 0 ? null : 'Slot is not on full five minutes';
}

/** When a slot is, ms since the epoch. */
export const spanOf = ({ start, end }: Pick<Published<'Slot'>, 'start' | 'end'>) => ({
  from: Date.parse(start),
  to: Date.parse(end),
});

/** `Practitioner/x`, relative or absolute → its type and id. */
export function targetOf(reference: string | undefined): { type: string; id: string } | null {
  const [, type, target] = /(?:^|\/)([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})$/.exec(reference ?? '') ?? [];
  return type === undefined || target === undefined ? null : { type, id: target };
}

/** A practitioner's name as people say it. */
export function spokenName({ name }: Published<'Practitioner'>): string {
  const [first] = name;
  return first?.text ?? [...(first?.given ?? []), first?.family ?? ''].join(' ').trim();
}
