import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { auditPending } from '../../src/audit/append.ts';
import { sequenceAll } from '../../src/audit/sequencer.ts';
import type { People } from '../conversations/people.ts';
import { MONDAY, openPeople } from '../conversations/people.ts';
import { CONVERSATIONS, record } from '../conversations/script.ts';
import { callerOf } from '../conversations/straight.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { openDomain } from '../mcp/house.ts';
import { CountingKeyring, countingStore, type Use } from './counting.ts';
import { costsPage, dollarsOf } from './page.ts';

const PAGE = join(import.meta.dirname, '../../docs/costs.md');
const NAMES: Readonly<Record<string, string>> = {
  schedule: 'a visit booked by conversation (4 calls)',
  move: 'a visit moved (3 calls)',
};

/** Each conversation by a process that starts cold, on one clinic. */
async function countAll(): Promise<Map<string, Use>> {
  const store = createMemoryStore();
  const people = await openPeople(store);
  await sequenceAll(store, people.tenant, { paceMs: 0 });
  const counted = new Map<string, Use>();
  for (const conversation of CONVERSATIONS) {
    const use: Use = { kmsCalls: 0, reads: 0, writes: 0, deletes: 0 };
    const place = { store: countingStore(store, use), tenant: people.tenant, now: () => MONDAY };
    const { services } = await openDomain(place, { keyring: new CountingKeyring(use) });
    Object.assign(use, { kmsCalls: 0, reads: 0, writes: 0, deletes: 0 });
    const cold: People = { ...people, services };
    await record(conversation, callerOf(cold, conversation.who));
    // Each event's twin is listed, read again and deleted; what a batch adds to that is shared by all that are in it.
    const events = (await store.tenant(people.tenant).list(auditPending, { limit: 1_000 })).length;
    use.reads += 2 * events;
    use.deletes += events;
    await sequenceAll(store, people.tenant, { paceMs: 0 });
    const name = NAMES[conversation.title];
    if (name !== undefined) counted.set(name, use);
  }
  return counted;
}

test('the page of costs says what is counted', async () => {
  const counted = await countAll();
  const page = costsPage(counted);
  if (process.env['UPDATE_COSTS'] !== undefined) writeFileSync(PAGE, page);
  expect(readFileSync(PAGE, 'utf8')).toBe(page);
  for (const use of counted.values()) {
    expect(use.kmsCalls).toBeGreaterThan(0);
    expect(use.kmsCalls).toBeLessThanOrEqual(3);
    expect(dollarsOf(use)).toBeLessThan(0.001);
  }
});
