import { CELL_MS, type TimeClaim, type TimeSpan } from '../kernel/store.ts';
import type { Practitioner, VisitType } from './clinic.ts';

/**
 * Where a visit takes place in time: a practitioner's place and, if the visit needs one, a room. Each is a resource
 * of the store's time claims, which it lets one booking take at a time; a practitioner who sees several at once has
 * several places. Claims name nothing but a random booking reference.
 */

/** The resources that one visit takes, all for the same span. */
export interface Place extends TimeSpan {
  readonly resources: readonly string[];
  /** Id of the room, null when the visit needs none. */
  readonly room: string | null;
}

/** What a visit needs. */
export interface VisitNeeds {
  readonly visitType: VisitType;
  readonly practitioner: Practitioner;
  /** True takes the places that only an explicit overbooking may take. */
  readonly overbook?: boolean;
}

const MINUTE_MS = 60_000;

/** Every resource that could serve the visit. */
export function resourcesFor({ visitType, practitioner, overbook = false }: VisitNeeds): string[] {
  return [...placesOf(practitioner, overbook), ...visitType.rooms.map(roomId)];
}

/** Every resource that any booking of a clinic may have taken. */
export const resourcesOf = (practitioners: readonly PlaceCount[], locations: readonly string[]): string[] => [
  ...practitioners.flatMap((one) => placesOf(one, true)),
  ...locations.map(roomId),
];

type PlaceCount = Pick<Practitioner, 'id' | 'capacity' | 'overbook'>;

function placesOf({ id, capacity, overbook }: PlaceCount, withOverbooked: boolean): string[] {
  const count = capacity + (withOverbooked ? overbook : 0);
  return Array.from({ length: count }, (_, index) => placeId(id, index));
}

/** The span that a visit takes: its own time and the buffers. */
export function spanFor(slot: { start: number; end: number }, visitType: VisitType): TimeSpan {
  return {
    from: slot.start - visitType.bufferBefore * MINUTE_MS,
    to: Math.ceil((slot.end + visitType.bufferAfter * MINUTE_MS) / CELL_MS) * CELL_MS,
  };
}

/** The first free place for a visit at `slot`, or null. `taken` are the claims by resource. */
export function placeFor(
  slot: { start: number; end: number },
  needs: VisitNeeds,
  taken: ReadonlyMap<string, readonly TimeClaim[]>,
): Place | null {
  const span = spanFor(slot, needs.visitType);
  const free = (resource: string): boolean =>
    !(taken.get(resource) ?? []).some((claim) => claim.from < span.to && claim.to > span.from);
  const rooms = needs.visitType.rooms;
  const own = resourcesFor(needs)
    .slice(0, -rooms.length || undefined)
    .find(free);
  if (own === undefined) return null;
  if (rooms.length === 0) return { ...span, resources: [own], room: null };
  const room = rooms.find((id) => free(roomId(id)));
  return room === undefined ? null : { ...span, resources: [own, roomId(room)], room };
}

/** The claims by which `booking` takes a place. */
export const claimsOf = ({ resources, from, to }: Place, booking: string): TimeClaim[] =>
  resources.map((resource) => ({ resource, from, to, booking }));

const placeId = (practitioner: string, index: number): string =>
  index === 0 ? practitioner : `${practitioner}--${index + 1}`;
const roomId = (location: string): string => `room--${location}`;
