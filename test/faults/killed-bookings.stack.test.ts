import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditEvents } from '../../src/audit/append.ts';
import { randomId } from '../../src/kernel/ids.ts';
import type { Store } from '../../src/kernel/store.ts';
import { openStore } from '../audit/stores.ts';
import { at, openClinic } from '../clinic/house.ts';
import { addressOf } from '../stack/addresses.ts';
import { describeOnBothStores } from '../stack/needs.ts';
import type { BookingWork } from './booking-process.ts';

const SCRIPT = join(import.meta.dirname, 'booking-process.ts');
const CLIENTS = 200;
const TRIES = 5;
const SLOTS_A_DAY = 6;
const MAX_LIFE_MS = 4_000;

describeOnBothStores(
  (store) => `servers killed while they book, on ${store}`,
  (kind) => {
    let store: Store;
    beforeAll(async () => {
      store = await openStore(kind);
    });
    afterAll(() => store.close());

    /** One server's life; null lets it finish. Says which signal ended it. */
    async function serve(work: BookingWork, killAfterDone: number | null): Promise<NodeJS.Signals | null> {
      const child = spawn(process.execPath, [SCRIPT], {
        env: { ...process.env, BOOKING: JSON.stringify(work) },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let done = 0;
      child.stdout.on('data', (chunk: Buffer) => {
        done += chunk.toString().split('\n').length - 1;
        if (killAfterDone !== null && done >= killAfterDone) child.kill('SIGKILL');
      });
      // A killed server's transactions may hold rows for a while: then the next is killed by the clock.
      const clock = killAfterDone === null ? undefined : setTimeout(() => child.kill('SIGKILL'), MAX_LIFE_MS);
      const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
      clearTimeout(clock);
      if (signal === null) expect(code).toBe(0);
      return signal;
    }

    test('200 clients that each ask five times have one visit each, one event each, and exactly their time', async () => {
      const clinic = await openClinic(store);
      const people = [];
      for (let made = 0; made < CLIENTS; made += 20)
        people.push(...(await Promise.all(Array.from({ length: 20 }, () => clinic.newPatient()))));
      const requests = people.map(({ patient }, index) => {
        const day = new Date(at('2026-12-01T12:00') + Math.floor(index / SLOTS_A_DAY) * 86_400_000);
        const half = index % SLOTS_A_DAY;
        const hour = String(9 + Math.floor(half / 2)).padStart(2, '0');
        const start = `${day.toISOString().slice(0, 10)}T${hour}:${half % 2 === 0 ? '00' : '30'}`;
        return { patient, slotId: randomId('s'), start };
      });
      const work = { tenant: clinic.tenant, store: { kind, address: addressOf(kind) }, requests };
      const signals = [];
      for (let round = 1; round <= TRIES; round += 1)
        signals.push(await serve(work, round === TRIES ? null : round * 30 + 7));
      expect(signals).toEqual(['SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGKILL', null]);
      const visits = await Promise.all(people.map((of) => clinic.visits(of)));
      expect(visits.every((mine) => mine.length === 1)).toBe(true);
      const reader = store.tenant(clinic.tenant);
      const [first, last] = [at('2026-12-01T00:00'), at('2027-01-05T00:00')];
      const month = 30 * 86_400_000;
      const claims = [
        ...(await reader.busy(['dr'], { from: first, to: first + month })),
        ...(await reader.busy(['dr'], { from: first + month, to: last })),
      ];
      expect(new Set(claims.map(({ booking }) => booking)).size).toBe(CLIENTS);
      expect(await reader.list(auditEvents, { limit: 1_000 })).toHaveLength(CLIENTS);
    }, 300_000);
  },
);
