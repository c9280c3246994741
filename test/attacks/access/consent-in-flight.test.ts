import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { endRelationship } from '../../../src/access/relationships.ts';
import { newPatientId, type UserId } from '../../../src/kernel/ids.ts';
import { TENANT } from '../../mcp/house.ts';
import { type Answer, expectRefused, type House, openHouse } from './house.ts';

const LIMITS = { person: { slowAfter: 1, stopAfter: 50 }, client: { slowAfter: 60, stopAfter: 90 } };

describe('consent withdrawn in flight', () => {
  let at: House;
  let whileWaiting: () => Promise<void>;
  beforeEach(async () => {
    whileWaiting = async () => {};
    at = await openHouse({ limits: LIMITS, wait: () => whileWaiting() });
    await at.relate('usr_clinician', at.john, 'care-team');
    await at.relate('usr_proxy', at.child, 'proxy');
  });
  afterEach(() => at.close());
  const read = (user = 'usr_clinician', patient: string = at.john) =>
    at.call(user, 'getPatient', { sections: ['conditions'], patient });
  const isOpen = ({ json }: Answer) => json.result?.structuredContent !== undefined;
  const end = (user: string) =>
    at.store
      .tenant(TENANT)
      .transact(async (tx) => endRelationship(tx, { user: user as UserId, patient: at.john }));

  test.each(['refused', 'withdrawn'] as const)(
    'a treatment consent that is %s holds on the very next call',
    async (state) => {
      expect(isOpen(await read())).toBe(true);
      await at.say(at.john, 'treatment', 'granted');
      await at.say(at.john, 'treatment', state);
      expectRefused(await at.watch(() => read()));
    },
  );

  test('a proxy consent that is withdrawn closes booking too', async () => {
    await at.say(at.child, 'proxy', 'granted');
    const slots = () =>
      at.call('usr_proxy', 'findOpenSlots', {
        visitType: 'general-visit',
        from: '2026-12-01',
        patient: at.child,
      });
    const [slot] = ((await slots()).json.result?.structuredContent?.['slots'] ?? []) as { slotId: string }[];
    expect(slot).toBeDefined();
    await at.say(at.child, 'proxy', 'withdrawn');
    expectRefused(
      await at.watch(() =>
        at.call('usr_proxy', 'scheduleAppointment', { slotId: slot?.slotId, patient: at.child }),
      ),
    );
  });

  test('of many calls at once, none that began after the withdrawal is answered', async () => {
    await read();
    const early = Array.from({ length: 10 }, () => read());
    await at.say(at.john, 'treatment', 'refused');
    const late = await Promise.all(Array.from({ length: 10 }, () => read()));
    await Promise.all(early);
    expect(late.filter(isOpen)).toEqual([]);
  });

  test('a call that was held back is decided again after its wait', async () => {
    await at.call('usr_clinician', 'whoAmI', {});
    await at.services.guard.admit({
      tenant: TENANT,
      patient: newPatientId(),
      actor: { user: 'usr_clinician' as UserId, role: 'clinician', client: 'client-1' },
      rows: { person: null, client: null },
    });
    let waits = 0;
    whileWaiting = async () => {
      waits += 1;
      await at.say(at.john, 'treatment', 'refused');
    };
    const answer = await read();
    expect(waits).toBe(1);
    expect(isOpen(answer)).toBe(false);
  });

  test('a relationship that ends closes the chart at once, to that person alone', async () => {
    await at.join('usr_second', 'clinician');
    await at.relate('usr_second', at.john, 'care-team');
    expect(isOpen(await read())).toBe(true);
    await end('usr_clinician');
    expectRefused(await at.watch(() => read()));
    expect(isOpen(await read('usr_second'))).toBe(true);
  });

  test('a member who is moved to another role, or away, loses what the role gave at once', async () => {
    expect(isOpen(await read())).toBe(true);
    await at.join('usr_clinician', 'admin');
    expectRefused(await at.watch(() => read()));
  });
});
