import { beforeEach, describe, expect, test } from 'vitest';
import { NO_CONSENT, recordConsent } from '../../src/access/consents.ts';
import { endRelationship, pairId, relationshipAt } from '../../src/access/relationships.ts';
import type { PatientId, UserId } from '../../src/kernel/ids.ts';
import { eventsOf, TENANT } from '../mcp/house.ts';
import { codeOf, NOW, openClinic, outputOf } from './people.ts';

type Clinic = Awaited<ReturnType<typeof openClinic>>;

describe('relationships and consents, on the very next call', () => {
  let clinic: Clinic;
  beforeEach(async () => {
    clinic = await openClinic();
  });
  const read = async (user: string, patient: PatientId, section = 'medications') =>
    codeOf(await clinic.call(user, 'getPatient', { sections: [section], patient }));

  test('a parent reads the child’s chart by its handle, whom whoAmI names, until the end', async () => {
    expect(await read('usr_proxy', clinic.child)).toBe('NOT_FOUND');
    await clinic.relate('usr_proxy', clinic.child, 'proxy', NOW + 1_000);
    const me = await clinic.call('usr_proxy', 'whoAmI', {});
    expect(outputOf(me)['charts']).toEqual([{ patient: clinic.child, relationship: 'proxy' }]);
    expect(await read('usr_proxy', clinic.child)).toBe('released');
    expect(await read('usr_proxy', clinic.john)).toBe('NOT_FOUND');
    expect((await eventsOf(clinic.services)).at(-2)).toMatchObject({
      purposeOfUse: 'FAMRQT',
      policy: 'proxy-acts-for',
      patient: expect.stringMatching(/^pa_/),
    });
    clinic.time.now = NOW + 999;
    expect(await read('usr_proxy', clinic.child)).toBe('released');
    clinic.time.now = NOW + 1_000;
    expect(await read('usr_proxy', clinic.child)).toBe('NOT_FOUND');
    expect(outputOf(await clinic.call('usr_proxy', 'whoAmI', {}))['charts']).toEqual([]);
  });

  test('a patient who is a parent too reads both charts, the own one without a handle', async () => {
    await clinic.relate('usr_john', clinic.child, 'proxy');
    expect(await read('usr_john', clinic.child)).toBe('released');
    expect(codeOf(await clinic.call('usr_john', 'getPatient', { sections: ['demographics'] }))).toBe(
      'released',
    );
  });

  test('a clinician reads whom they treat, and no longer once that ends', async () => {
    expect(await read('usr_clinician', clinic.john)).toBe('NOT_FOUND');
    await clinic.relate('usr_clinician', clinic.john, 'care-team');
    expect(await read('usr_clinician', clinic.john)).toBe('released');
    await clinic.store
      .tenant(TENANT)
      .transact(async (tx) => endRelationship(tx, { user: 'usr_clinician' as UserId, patient: clinic.john }));
    expect(await read('usr_clinician', clinic.john)).toBe('NOT_FOUND');
  });

  test('a patient’s refusal closes the chart to the care team at once, and a grant opens it again', async () => {
    await clinic.relate('usr_clinician', clinic.john, 'care-team');
    await clinic.say(clinic.john, 'treatment', 'refused');
    expect(await read('usr_clinician', clinic.john)).toBe('NOT_FOUND');
    await clinic.say(clinic.john, 'treatment', 'granted');
    expect(await read('usr_clinician', clinic.john)).toBe('released');
    await clinic.say(clinic.john, 'treatment', 'withdrawn');
    expect(await read('usr_clinician', clinic.john)).toBe('NOT_FOUND');
  });

  test('a withdrawn proxy consent closes the chart to the parent alone', async () => {
    await clinic.relate('usr_proxy', clinic.child, 'proxy');
    await clinic.relate('usr_clinician', clinic.child, 'care-team');
    await clinic.say(clinic.child, 'proxy', 'granted');
    await clinic.say(clinic.child, 'proxy', 'withdrawn');
    expect(await read('usr_proxy', clinic.child)).toBe('NOT_FOUND');
    expect(await read('usr_clinician', clinic.child)).toBe('released');
  });

  test('the front desk books and sees who somebody is, and reads no clinical line', async () => {
    expect(await read('usr_frontdesk', clinic.john, 'contact')).toBe('released');
    expect(await read('usr_frontdesk', clinic.john, 'medications')).toBe('NOT_FOUND');
    const args = { visitType: 'diabetes-checkup', from: '2026-12-01', patient: clinic.john };
    const found = await clinic.call('usr_frontdesk', 'findOpenSlots', args);
    const [slot] = (outputOf(found)['slots'] ?? []) as { slotId: string }[];
    const booked = await clinic.call('usr_frontdesk', 'scheduleAppointment', {
      slotId: slot?.slotId,
      patient: clinic.john,
    });
    expect(booked.structuredContent).toMatchObject({ outcome: 'booked' });
    expect((await eventsOf(clinic.services)).at(-1)).toMatchObject({
      policy: 'frontdesk-desk-work',
      purposeOfUse: 'HOPERAT',
      actor: { role: 'frontdesk' },
    });
  });

  test('a failure after a permit names the patient’s alias; a refusal before it does not', async () => {
    const failed = await clinic.call('usr_john', 'scheduleAppointment', { slotId: 'tomorrow' });
    expect(codeOf(failed)).toBe('SLOT_INVALID');
    expect((await eventsOf(clinic.services)).at(-1)).toMatchObject({
      outcome: '4',
      reason: 'SLOT_INVALID',
      patient: expect.stringMatching(/^pa_/),
      purposeOfUse: 'PATRQT',
      policy: 'patient-own-chart',
    });
    await read('usr_clinician', clinic.john);
    const refused = (await eventsOf(clinic.services)).at(-1);
    expect(refused).toMatchObject({ reason: 'NOT_FOUND', policy: 'deny-by-default' });
    expect(refused).not.toHaveProperty('patient');
  });

  test('every refusal of a chart names the one way out, whoever asked', async () => {
    for (const user of ['usr_clinician', 'usr_proxy', 'usr_admin', 'usr_nobody'])
      for (const patient of [clinic.john, 'pat_doesnotexist0000000000', 'no handle ✗']) {
        const refused = await clinic.call(user, 'getPatient', { sections: ['demographics'], patient });
        expect(refused.content).toEqual([
          {
            type: 'text',
            text: expect.stringMatching(
              /\(NOT_FOUND\) Clinicians in an emergency: https:\/\/clinic\.example\/emergency$/,
            ),
          },
        ]);
      }
  });

  test('an own chart that moved is followed at once', async () => {
    await clinic.call('usr_john', 'getPatient', { sections: ['demographics'] });
    await clinic.join('usr_john', 'patient', clinic.child);
    const read_ = await clinic.call('usr_john', 'getPatient', { sections: ['demographics'] });
    expect(JSON.stringify(read_.structuredContent)).toContain('Leo');
    expect(await read('usr_john', clinic.john)).toBe('NOT_FOUND');
    await clinic.join('usr_john', 'frontdesk', null);
    expect(codeOf(await clinic.call('usr_john', 'getPatient', { sections: ['demographics'] }))).toBe(
      'NOT_FOUND',
    );
  });
});

describe('what is stored', () => {
  test('no two pairs share a row, wherever the border between the ids lies', () => {
    const pair = (user: string, patient: string) =>
      pairId({ user: user as UserId, patient: patient as PatientId });
    expect(pair('a_b', 'c')).not.toBe(pair('a', 'b_c'));
    expect(pair('u', 'p')).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  test('a row of another pair, of an unknown kind or past its end is no relationship', () => {
    const pair = { user: 'u' as UserId, patient: 'p' as PatientId };
    const row = { ...pair, kind: 'proxy', expiresAt: NOW + 1 };
    expect(relationshipAt(row, pair, NOW)).toBe('proxy');
    expect(relationshipAt({ ...row, user: 'x' }, pair, NOW)).toBe('none');
    expect(relationshipAt({ ...row, kind: 'self' }, pair, NOW)).toBe('none');
    expect(relationshipAt(row, pair, NOW + 1)).toBe('none');
    expect(relationshipAt(null, pair, NOW)).toBe('none');
  });

  test('withdrawing what was never granted is a refusal, and other topics stay as they are', async () => {
    const { store, john } = await openClinic();
    const say = (topic: 'proxy' | 'treatment', state: 'granted' | 'withdrawn') =>
      store.tenant(TENANT).transact((tx) => recordConsent(tx, { patient: john, topic, state, now: NOW }));
    expect(await say('proxy', 'withdrawn')).toBe('refused');
    expect(await say('treatment', 'granted')).toBe('granted');
    expect(await say('treatment', 'withdrawn')).toBe('withdrawn');
    const { consentOf, consentRef } = await import('../../src/access/consents.ts');
    const [row] = await store.tenant(TENANT).get(consentRef(john));
    expect(consentOf(row)).toEqual({ ...NO_CONSENT, proxy: 'refused', treatment: 'withdrawn' });
    expect(consentOf({ proxy: 'perhaps', sensitive: 'none', treatment: '', changedAt: 0 })).toEqual({
      proxy: 'refused',
      sensitive: 'none',
      treatment: 'refused',
    });
  });
});
