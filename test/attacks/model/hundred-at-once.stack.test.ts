import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Store } from '../../../src/kernel/store.ts';
import { openStore } from '../../audit/stores.ts';
import { mountMcp, newClient } from '../../conversations/mount.ts';
import { openPeople } from '../../conversations/people.ts';
import { eventsIn } from '../../mcp/house.ts';
import { describeOnBothStores } from '../../stack/needs.ts';

const CALLS = 100;
const WISH = { visitType: 'general-visit', from: '2026-12-01' };

describeOnBothStores(
  (store) => `a hundred calls at once on ${store}`,
  (kind) => {
    let store: Store;
    beforeAll(async () => {
      store = await openStore(kind);
    });
    afterAll(() => store.close());

    const open = async () => {
      const people = await openPeople(store);
      const mount = await mountMcp(people);
      const client = await newClient(mount, 'john');
      const slotId = async () => {
        const found = await client.call('findOpenSlots', WISH);
        return ((found.structuredContent?.['slots'] ?? []) as { slotId: string }[])[0]?.slotId ?? '';
      };
      const visits = async () =>
        (await client.call('listAppointments', {})).structuredContent?.['appointments'] as unknown[];
      const bookings = async () =>
        (await eventsIn(people.services, people.tenant)).filter(
          ({ operation }) => operation === 'scheduleAppointment',
        );
      const close = async () => {
        await client.close();
        await mount.close();
      };
      return { call: client.call, slotId, visits, bookings, close };
    };

    test('with one slotId: one visit, a hundred answers that are the same, one booking and 99 reads', async () => {
      const at = await open();
      const slotId = await at.slotId();
      const answers = await Promise.all(
        Array.from({ length: CALLS }, () => at.call('scheduleAppointment', { slotId, reason: 'cough' })),
      );
      expect(new Set(answers.map(({ structuredContent }) => JSON.stringify(structuredContent))).size).toBe(1);
      expect(answers[0]?.structuredContent).toMatchObject({
        outcome: 'booked',
        appointment: { time: '09:00' },
      });
      expect(await at.visits()).toHaveLength(1);
      const actions = (await at.bookings()).map(({ action, outcome }) => `${action}${outcome}`).sort();
      expect(actions).toEqual(['C0', ...Array.from({ length: CALLS - 1 }, () => 'R0')]);
      await at.close();
    });

    test('with a hundred slotIds of one time: one is booked, 99 are offered other times', async () => {
      const at = await open();
      const slotIds = await Promise.all(Array.from({ length: CALLS }, at.slotId));
      expect(new Set(slotIds).size).toBe(CALLS);
      const answers = await Promise.all(slotIds.map((slotId) => at.call('scheduleAppointment', { slotId })));
      const outcomes = answers.map(({ structuredContent }) => structuredContent?.['outcome']).sort();
      expect(outcomes).toEqual(['booked', ...Array.from({ length: CALLS - 1 }, () => 'choose')]);
      for (const { content, structuredContent } of answers) {
        if (structuredContent?.['outcome'] !== 'choose') continue;
        expect(content[0]?.text).toBe(
          'That time has just been taken. Not booked; nothing was changed. Let the person choose one of these times.',
        );
        expect(JSON.stringify(structuredContent)).not.toContain('"09:00"');
      }
      expect(await at.visits()).toHaveLength(1);
      const refused = (await at.bookings()).filter(({ reason }) => reason === 'TIME_TAKEN');
      expect(refused).toHaveLength(CALLS - 1);
      await at.close();
    });
  },
);
