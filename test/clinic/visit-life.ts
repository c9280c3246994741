import { beforeAll, describe, expect, test } from 'vitest';
import type { Store } from '../../src/kernel/store.ts';
import { at, NOON, openClinic, type TestClinic } from './house.ts';

const NINE = '2026-12-01T09:00';
const TEN = '2026-12-01T10:00';
const DAY = 86_400_000;
const MINUTE = 60_000;

/** What a visit goes through, on any store. */
export function describeVisitLife(open: () => Promise<Store>): void {
  let store: Store;
  let clinic: TestClinic;
  let people: Awaited<ReturnType<TestClinic['newPatient']>>[];

  beforeAll(async () => {
    store = await open();
    return () => store.close();
  });

  /** A clinic and patients of a test's own. */
  async function start(count = 2): Promise<void> {
    clinic = await openClinic(store);
    people = await Promise.all(Array.from({ length: count }, () => clinic.newPatient()));
  }
  const [first, second] = [() => person(0), () => person(1)];
  function person(index: number) {
    const found = people[index];
    if (found === undefined) throw new Error('no such person');
    return found;
  }

  describe('booking', () => {
    test('takes the time for one, and the next is told that it is taken', async () => {
      await start();
      expect(await clinic.book(first(), clinic.slot(NINE))).toMatchObject({
        outcome: 'done',
        visit: { status: 'booked', title: 'Checkup', date: '2026-12-01', time: '09:00', minutes: 30 },
      });
      expect(await clinic.book(second(), clinic.slot(NINE))).toEqual({ outcome: 'taken' });
      expect(await clinic.visits(second())).toEqual([]);
    });

    test('a practitioner with two places takes two, and not a third', async () => {
      await start(3);
      const results = [];
      for (const of of people) results.push(await clinic.book(of, clinic.slot(NINE, 'group', 'nurse')));
      expect(results.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'taken']);
    });

    test('a visit that needs a room finds it taken by another practitioner’s visit', async () => {
      await start();
      expect((await clinic.book(first(), clinic.slot(NINE, 'jab', 'dr'))).outcome).toBe('done');
      expect((await clinic.book(second(), clinic.slot(NINE, 'jab', 'nurse'))).outcome).toBe('taken');
      expect((await clinic.book(second(), clinic.slot(NINE, 'group', 'nurse'))).outcome).toBe('done');
    });

    test('only an explicit overbooking goes beyond the capacity, and only as far as the rule', async () => {
      await start(3);
      await clinic.book(first(), clinic.slot(NINE));
      expect((await clinic.book(second(), clinic.slot(NINE), { by: 'staff' })).outcome).toBe('taken');
      const over = { by: 'staff', overbook: true } as const;
      expect((await clinic.book(second(), clinic.slot(NINE), over)).outcome).toBe('done');
      expect((await clinic.book(person(2), clinic.slot(NINE), over)).outcome).toBe('taken');
    });

    test('a visit that only staff may book is a call to the clinic for a patient', async () => {
      await start();
      expect(await clinic.book(first(), clinic.slot(NINE, 'surgery'))).toEqual({ outcome: 'callClinic' });
      expect((await clinic.book(first(), clinic.slot(NINE, 'surgery'), { by: 'staff' })).outcome).toBe(
        'done',
      );
    });

    test('the same request again is the same answer; with other words it is a conflict', async () => {
      await start();
      const once = await clinic.book(first(), clinic.slot(NINE), { slotId: 'k', reason: 'a' });
      const again = await clinic.book(first(), clinic.slot(NINE), { slotId: 'k', reason: 'a' });
      expect(again).toEqual({ ...once, outcome: 'repeated' });
      await expect(
        clinic.book(first(), clinic.slot(NINE), { slotId: 'k', reason: 'b' }),
      ).rejects.toMatchObject({ code: 'REQUEST_CONFLICT' });
      expect(await clinic.visits(first())).toHaveLength(1);
    });

    test.each([
      ['a time outside the hours', '2026-12-01T08:00', 'SLOT_CLOSED'],
      ['a time off the grid', '2026-12-01T09:10', 'SLOT_CLOSED'],
      ['a time in the past', '2026-11-30T09:00', 'SLOT_PAST'],
    ])('%s is refused', async (_, time, code) => {
      await start();
      await expect(clinic.book(first(), clinic.slot(time))).rejects.toMatchObject({ code });
      expect(await clinic.visits(first())).toEqual([]);
    });
  });

  describe('moving', () => {
    test('takes the new time and frees the old in one step; the old is held for a minute', async () => {
      await start();
      await clinic.book(first(), clinic.slot(NINE));
      const { id } = await clinic.only(first());
      expect(await clinic.move(first(), id, clinic.slot(TEN))).toMatchObject({
        outcome: 'done',
        visit: { appointmentId: id, time: '10:00' },
      });
      expect((await clinic.book(second(), clinic.slot(NINE))).outcome).toBe('taken');
      clinic.clock.now += 2 * MINUTE;
      expect((await clinic.book(second(), clinic.slot(NINE))).outcome).toBe('done');
      expect(await clinic.visits(first())).toHaveLength(1);
    });

    test('can be undone within the minute by moving back', async () => {
      await start();
      await clinic.book(first(), clinic.slot(NINE));
      const { id } = await clinic.only(first());
      await clinic.move(first(), id, clinic.slot(TEN));
      expect((await clinic.move(first(), id, clinic.slot(NINE))).outcome).toBe('done');
      expect((await clinic.only(first())).visit.time).toBe('09:00');
    });

    test('onto a taken time changes nothing', async () => {
      await start();
      await clinic.book(first(), clinic.slot(NINE));
      await clinic.book(second(), clinic.slot(TEN));
      const { id } = await clinic.only(first());
      expect(await clinic.move(first(), id, clinic.slot(TEN))).toEqual({ outcome: 'taken' });
      expect((await clinic.only(first())).visit.time).toBe('09:00');
      expect((await clinic.busy('dr')).map(({ from }) => from)).toEqual([at(NINE), at(TEN)]);
    });

    test('another visit type’s slot, and another patient’s visit, are refused', async () => {
      await start();
      await clinic.book(first(), clinic.slot(NINE));
      const { id } = await clinic.only(first());
      const jab = clinic.slot(TEN, 'jab', 'dr');
      await expect(clinic.move(first(), id, jab)).rejects.toMatchObject({ code: 'SLOT_INVALID' });
      await expect(clinic.move(second(), id, clinic.slot(TEN))).rejects.toMatchObject({
        code: 'APPOINTMENT_UNKNOWN',
      });
      expect((await clinic.only(first())).visit.time).toBe('09:00');
    });

    test('shorter before the visit than the clinic’s notice is a call, unless staff does it', async () => {
      await start();
      await clinic.book(first(), clinic.slot(NINE));
      const { id } = await clinic.only(first());
      clinic.clock.now = at(NINE) - 3_600_000;
      expect(await clinic.move(first(), id, clinic.slot('2026-12-03T09:00'))).toEqual({
        outcome: 'callClinic',
      });
      expect((await clinic.move(first(), id, clinic.slot('2026-12-03T09:00'), 'staff')).outcome).toBe('done');
    });
  });

  describe('cancelling', () => {
    test('frees the time after the minute in which it can be undone', async () => {
      await start();
      await clinic.book(first(), clinic.slot('2026-12-03T09:00'));
      expect(await clinic.cancel(first(), { reason: 'away' })).toMatchObject({
        outcome: 'done',
        visit: { status: 'cancelled' },
      });
      expect((await clinic.book(second(), clinic.slot('2026-12-03T09:00'))).outcome).toBe('taken');
      clinic.clock.now += 2 * MINUTE;
      expect((await clinic.book(second(), clinic.slot('2026-12-03T09:00'))).outcome).toBe('done');
    });

    test('a hold that ends while it is confirmed has one winner, whoever else sweeps', async () => {
      for (let round = 0; round < 2; round += 1) {
        await start();
        await clinic.book(first(), clinic.slot('2026-12-03T09:00'));
        await clinic.cancel(first());
        clinic.clock.now += MINUTE;
        const again = clinic.slot('2026-12-03T09:00');
        const [back, rival] = await Promise.all([
          clinic.book(first(), again),
          clinic.book(second(), again),
          clinic.sweep(),
        ]);
        expect([back.outcome, rival.outcome].sort()).toEqual(['done', 'taken']);
        const booked = [...(await clinic.visits(first())), ...(await clinic.visits(second()))]
          .map(({ appointment }) => appointment)
          .filter(({ status }) => status === 'booked');
        expect(booked).toHaveLength(1);
        const dayAfter = { from: at('2026-12-03T00:00'), to: at('2026-12-04T00:00') };
        expect(await store.tenant(clinic.tenant).busy(['dr'], dayAfter)).toEqual([
          { resource: 'dr', from: again.start, to: again.end, booking: booked[0]?.booking },
        ]);
      }
    });

    test('is undone by booking the held time again', async () => {
      await start();
      await clinic.book(first(), clinic.slot('2026-12-03T09:00'));
      await clinic.cancel(first());
      expect((await clinic.book(first(), clinic.slot('2026-12-03T09:00'))).outcome).toBe('done');
      const statuses = (await clinic.visits(first())).map(({ appointment }) => appointment.status);
      expect(statuses.sort()).toEqual(['booked', 'cancelled']);
    });

    test('twice is one cancellation and one answer; a stale second one frees nothing', async () => {
      await start();
      await clinic.book(first(), clinic.slot('2026-12-03T09:00'));
      const confirm = 'confirm-1';
      const once = await clinic.cancel(first(), { confirm });
      expect(await clinic.cancel(first(), { confirm })).toEqual({ ...once, outcome: 'repeated' });
      clinic.clock.now += 2 * MINUTE;
      await clinic.book(second(), clinic.slot('2026-12-03T09:00'));
      await expect(clinic.cancel(first())).rejects.toMatchObject({ code: 'APPOINTMENT_STATE' });
      expect((await clinic.only(second())).appointment.status).toBe('booked');
      expect((await clinic.book(first(), clinic.slot('2026-12-03T09:00'))).outcome).toBe('taken');
    });

    test('inside the clinic’s notice is a call, except within a minute of booking', async () => {
      await start();
      await clinic.book(first(), clinic.slot(NINE));
      expect((await clinic.cancel(first())).outcome).toBe('done');
      await clinic.book(first(), clinic.slot(TEN));
      clinic.clock.now += 2 * MINUTE;
      const { id, appointment } = (await clinic.visits(first())).find(
        (known) => known.appointment.status === 'booked',
      ) ?? { id: '', appointment: undefined };
      if (appointment === undefined) throw new Error('no visit');
      const request = { appointmentId: id, appointment, confirm: 'c2', reason: null };
      expect(await clinic.bookings.cancel({ ...clinic.asked(first()), ...request })).toEqual({
        outcome: 'callClinic',
      });
    });
  });

  describe('a status', () => {
    test('goes from booked through checked-in to fulfilled, and no other way', async () => {
      await start();
      await clinic.book(first(), clinic.slot(NINE));
      const set = async (status: 'checked-in' | 'fulfilled' | 'booked') => {
        const { id: appointmentId, appointment } = await clinic.only(first());
        return clinic.bookings.setStatus({
          ...clinic.asked(first(), 'staff'),
          appointmentId,
          appointment,
          status,
        });
      };
      await expect(set('fulfilled')).rejects.toMatchObject({ code: 'APPOINTMENT_STATE' });
      expect(await set('checked-in')).toMatchObject({ visit: { status: 'checked-in' } });
      expect(await set('fulfilled')).toMatchObject({ visit: { status: 'fulfilled' } });
      await expect(set('booked')).rejects.toMatchObject({ code: 'APPOINTMENT_STATE' });
    });
  });

  describe('the waiting list', () => {
    const wish = { visitType: 'checkup', practitioner: null, from: NOON, to: NOON + 30 * DAY };
    const join = async (of: ReturnType<typeof first>) => {
      const asked = clinic.asked(of);
      const { draft } = asked.audit;
      const write = () => undefined;
      return clinic.waitlist.join({ ...asked, wish, audit: { draft, write } });
    };
    const sweep = () => clinic.sweep();

    test('offers a freed time to the first who waits, who books it; nobody else can meanwhile', async () => {
      await start(3);
      await clinic.book(first(), clinic.slot('2026-12-03T09:00'));
      await join(second());
      clinic.clock.now += MINUTE;
      await join(person(2));
      await clinic.cancel(first());
      expect(await sweep()).toEqual({ freed: 0, offered: 0 });
      clinic.clock.now += 2 * MINUTE;
      expect(await sweep()).toEqual({ freed: 1, offered: 1 });
      const [place] = await clinic.waitlist.places(second());
      expect(place).toMatchObject({ offer: { practitioner: 'dr', start: at('2026-12-03T09:00') } });
      expect((await clinic.book(person(2), clinic.slot('2026-12-03T09:00'))).outcome).toBe('taken');
      expect((await clinic.book(second(), clinic.slot('2026-12-03T09:00'))).outcome).toBe('done');
      expect(await clinic.waitlist.places(second())).toEqual([]);
      expect(await clinic.waitlist.places(person(2))).toHaveLength(1);
    });

    test('passes an offer that was let go to the next, and then it is free for all', async () => {
      await start(3);
      await clinic.book(first(), clinic.slot('2026-12-03T09:00'));
      await join(second());
      clinic.clock.now += MINUTE;
      await join(person(2));
      await clinic.cancel(first());
      clinic.clock.now += 2 * MINUTE;
      await sweep();
      clinic.clock.now += 2 * 3_600_000;
      expect(await sweep()).toEqual({ freed: 1, offered: 1 });
      expect((await clinic.waitlist.places(second()))[0]?.offer).toBeNull();
      expect((await clinic.waitlist.places(person(2)))[0]?.offer).not.toBeNull();
    });

    test('is left, once', async () => {
      await start();
      const { id } = await join(second());
      const asked = clinic.asked(second());
      const request = { ...asked, id, audit: { draft: asked.audit.draft, write: () => undefined } };
      await clinic.waitlist.leave(request);
      expect(await clinic.waitlist.places(second())).toEqual([]);
      await expect(clinic.waitlist.leave(request)).rejects.toMatchObject({ code: 'APPOINTMENT_UNKNOWN' });
    });

    test('has ten places for one patient', async () => {
      await start();
      for (let place = 0; place < 10; place += 1) await join(first());
      await expect(join(first())).rejects.toMatchObject({ code: 'WAITLIST_FULL' });
    });
  });
}
