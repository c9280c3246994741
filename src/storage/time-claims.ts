import { CELL_MS, MAX_RESOURCES, type TimeClaim, type TimeSpan } from '../kernel/store.ts';
import { storeUse } from './errors.ts';
import { checkKey } from './rows.ts';

/** The rules of time claims that do not depend on the database. */

/** No visit is longer. It keeps a claim within one transaction's writes. */
export const MAX_CLAIM_MS = 12 * 3_600_000;
const MAX_BUSY_MS = 31 * 24 * 3_600_000;

/** @throws StoreError `STORE_USE` unless the claim is aligned, forward and at most 12 hours. */
export function checkClaim(claim: TimeClaim): TimeClaim {
  checkSpan(claim);
  checkKey(claim.resource, 'resource');
  checkKey(claim.booking, 'booking');
  if (claim.to - claim.from > MAX_CLAIM_MS) throw storeUse('A time claim is at most 12 hours long.');
  return { resource: claim.resource, booking: claim.booking, from: claim.from, to: claim.to };
}

/** @throws StoreError `STORE_USE` when more is asked than one read may answer. */
export function checkBusy(resources: readonly string[], within: TimeSpan): readonly string[] {
  checkSpan(within);
  for (const resource of resources) checkKey(resource, 'resource');
  if (resources.length > MAX_RESOURCES) throw storeUse(`Ask for at most ${MAX_RESOURCES} resources at once.`);
  if (within.to - within.from > MAX_BUSY_MS) throw storeUse('Ask for at most 31 days at once.');
  return [...new Set(resources)];
}

function checkSpan({ from, to }: TimeSpan): void {
  const aligned = [from, to].every((at) => Number.isSafeInteger(at) && at >= 0 && at % CELL_MS === 0);
  if (!aligned || from >= to)
    throw storeUse('A time span runs forwards, from and to multiples of five minutes since the Unix epoch.');
}

/** The start of each cell of a span. */
export function cellsOf({ from, to }: TimeSpan): number[] {
  return Array.from({ length: (to - from) / CELL_MS }, (_, index) => from + index * CELL_MS);
}

/** Sorts by resource and time, and joins adjacent parts of one booking. */
export function mergeClaims(claims: readonly TimeClaim[]): TimeClaim[] {
  const sorted = [...claims].sort((a, b) => compare(a.resource, b.resource) || a.from - b.from);
  const merged: TimeClaim[] = [];
  for (const claim of sorted) {
    const last = merged.at(-1);
    if (last?.resource === claim.resource && last.booking === claim.booking && last.to === claim.from)
      merged[merged.length - 1] = { ...last, to: claim.to };
    else merged.push(claim);
  }
  return merged;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
