import { locations, practitioners } from '../../clinic/clinic.ts';
import { resourcesOf } from '../../clinic/places.ts';
import type { Collection, Columns } from '../../kernel/collection.ts';
import { CELL_MS, type Listed, MAX_RESOURCES, type Reader, type TimeClaim } from '../../kernel/store.ts';

const DAY_MS = 86_400_000;
/** What a store answers at once. */
const WINDOW_MS = 31 * DAY_MS;
/** A clinic books at most a year ahead. */
const WINDOWS = 13;
const PAGE = 200;

/**
 * The times that are taken from a day before `now` on, by resource. They are in no collection: the store is asked for
 * what the clinic's practitioners and rooms may have taken.
 */
export async function* takenTimes(reader: Reader, now: number): AsyncGenerator<TimeClaim[]> {
  const people = await all(reader, practitioners);
  const rooms = await all(reader, locations);
  const resources = resourcesOf(
    people.map(({ id, row: { capacity, overbook } }) => ({ id, capacity, overbook })),
    rooms.map(({ id }) => id),
  );
  const start = Math.floor((now - DAY_MS) / CELL_MS) * CELL_MS;
  for (let first = 0; first < resources.length; first += MAX_RESOURCES) {
    const some = resources.slice(first, first + MAX_RESOURCES);
    const found: TimeClaim[] = [];
    for (let window = 0; window < WINDOWS; window += 1) {
      const from = start + window * WINDOW_MS;
      found.push(...(await reader.busy(some, { from, to: from + WINDOW_MS })));
    }
    yield whole(found);
  }
}

/** One claim of what the windows' edges cut in two. */
function whole(parts: readonly TimeClaim[]): TimeClaim[] {
  const claims = new Map<string, TimeClaim>();
  for (const part of parts) {
    const id = `${part.resource}/${part.booking}`;
    const known = claims.get(id) ?? part;
    const [from, to] = [Math.min(known.from, part.from), Math.max(known.to, part.to)];
    claims.set(id, { ...part, from, to });
  }
  return [...claims.values()];
}

async function all<C extends Columns>(reader: Reader, of: Collection<C>): Promise<Listed<C>[]> {
  const found: Listed<C>[] = [];
  for (let after: string | undefined; ; ) {
    const page = await reader.list(of, { limit: PAGE, ...(after !== undefined && { after }) });
    found.push(...page);
    after = page.at(-1)?.id;
    if (page.length < PAGE) return found;
  }
}
