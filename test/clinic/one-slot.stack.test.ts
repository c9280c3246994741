import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomId } from '../../src/kernel/ids.ts';
import type { Store } from '../../src/kernel/store.ts';
import { openStore } from '../audit/stores.ts';
import { describeOnBothStores } from '../stack/needs.ts';
import { openClinic } from './house.ts';

const RIVALS = 1_000;
const PATIENTS = 40;

describeOnBothStores(
  (store) => `a thousand for one slot on ${store}`,
  (kind) => {
    let store: Store;
    beforeAll(async () => {
      store = await openStore(kind);
    });
    afterAll(() => store.close());

    test('one is booked, 999 are told that it is taken, and the log and the cells agree', async () => {
      const clinic = await openClinic(store);
      const people = await Promise.all(Array.from({ length: PATIENTS }, () => clinic.newPatient()));
      const slot = clinic.slot('2026-12-01T09:00');
      const results = await Promise.all(
        Array.from({ length: RIVALS }, (_, index) => {
          const of = people[index % PATIENTS];
          if (of === undefined) throw new Error('no patient');
          return clinic.book(of, slot, { slotId: randomId('s') });
        }),
      );
      const count = (outcome: string) => results.filter((result) => result.outcome === outcome).length;
      expect([count('done'), count('taken')]).toEqual([1, RIVALS - 1]);
      const visits = (await Promise.all(people.map((of) => clinic.visits(of)))).flat();
      expect(visits).toHaveLength(1);
      expect(await clinic.busy('dr')).toEqual([
        { resource: 'dr', from: slot.start, to: slot.end, booking: visits[0]?.appointment.booking },
      ]);
    }, 60_000);
  },
);
