import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emergencyGrants, emergencyRecords } from '../../src/access/emergency.ts';
import { REVIEW_MS } from '../../src/audit/reports/emergency.ts';
import { patientKeys } from '../../src/crypto/patient-keys.ts';
import { ref } from '../../src/kernel/collection.ts';
import { codeOf, NOW } from '../access/people.ts';
import { eventsOf, TENANT } from '../mcp/house.ts';
import { handleOf, headingOf, JOHN_TYPED, startEmergency } from './server.ts';

describe('emergency access', () => {
  let at: Awaited<ReturnType<typeof startEmergency>>;
  beforeEach(async () => {
    at = await startEmergency();
  });
  afterEach(() => at.close());
  const read = (sections: readonly string[], patient: string = at.john) =>
    at.call('usr_clinician', 'getPatient', { sections, patient });
  const openJohn = async (change: Partial<typeof JOHN_TYPED> = {}) => {
    const visitor = at.visitor();
    const form = await visitor.signIn('usr_clinician');
    return visitor.submit(form, '/emergency/open', { ...JOHN_TYPED, ...change });
  };
  const lastEvent = async () => (await eventsOf(at.services)).at(-1);

  test('a clinician signs in, opens one chart, and reads it through the assistant, marked as an emergency', async () => {
    expect(codeOf(await read(['conditions']))).toBe('NOT_FOUND');
    const opened = await openJohn();
    expect([opened.status, headingOf(opened)]).toEqual([200, 'The chart is open']);
    expect(handleOf(opened)).toBe(at.john);
    expect(opened.html).toContain('Tuesday, 2026-11-24 at 08:30 (America/New_York)');
    const event = await lastEvent();
    expect(at.alerts).toEqual([
      { kind: 'emergency-opened', tenant: TENANT, user: 'usr_clinician', about: event?.entity?.id },
    ]);
    expect(event).toMatchObject({
      action: 'E',
      operation: 'emergency-opened',
      outcome: '0',
      purposeOfUse: 'ETREAT',
      policy: 'clinician-opens-emergency',
      patient: expect.stringMatching(/^pa_/),
      entity: { resource: 'Patient', fields: ['minutes.30', 'reason.danger-to-life'] },
    });
    expect(codeOf(await read(['demographics', 'conditions']))).toBe('released');
    expect(await lastEvent()).toMatchObject({
      operation: 'getPatient',
      purposeOfUse: 'ETREAT',
      policy: 'clinician-emergency',
      patient: event?.patient,
    });
  });

  test('it ends to the millisecond, opens no other chart, and never books', async () => {
    await openJohn({ minutes: '15' });
    expect(codeOf(await read(['conditions'], at.child))).toBe('NOT_FOUND');
    const slots = { visitType: 'general-visit', from: '2026-12-01', patient: at.john };
    const found = await at.call('usr_clinician', 'findOpenSlots', slots);
    expect(codeOf(found)).toBe('released');
    const [slot] = (found.structuredContent as { slots: { slotId: string }[] }).slots;
    const booked = await at.call('usr_clinician', 'scheduleAppointment', {
      slotId: slot?.slotId,
      patient: at.john,
    });
    expect(codeOf(booked)).toBe('NOT_FOUND');
    at.time.now = NOW + 15 * 60_000 - 1;
    expect(codeOf(await read(['conditions']))).toBe('released');
    at.time.now = NOW + 15 * 60_000;
    expect(codeOf(await read(['conditions']))).toBe('NOT_FOUND');
  });

  test('it overrides a refused treatment consent, and only for who opened it', async () => {
    await at.relate('usr_clinician', at.john, 'care-team');
    await at.say(at.john, 'treatment', 'withdrawn');
    await at.join('usr_other', 'clinician');
    await at.relate('usr_other', at.john, 'care-team');
    await openJohn();
    expect(codeOf(await read(['conditions']))).toBe('released');
    const other = await at.call('usr_other', 'getPatient', { sections: ['conditions'], patient: at.john });
    expect(codeOf(other)).toBe('NOT_FOUND');
  });

  test('the patient is found by record number or by handle too', async () => {
    const byNumber = await openJohn({ family: '', given: '', mrn: 'RV-4471902' });
    expect(handleOf(byNumber)).toBe(at.john);
    const byHandle = await openJohn({ family: '', given: '', birthDate: '', handle: at.child });
    expect(handleOf(byHandle)).toBe(at.child);
  });

  test('the reason in words is sealed, and neither it nor the name is in an event or a row', async () => {
    await openJohn();
    const rows = await at.store.tenant(TENANT).list(emergencyRecords, { limit: 10 });
    expect(rows).toHaveLength(1);
    const everything =
      JSON.stringify([...(at.store.rows.get(TENANT) ?? [])]) + JSON.stringify(await eventsOf(at.services));
    expect(everything).not.toMatch(/unconscious|reception|1968-04-12|"Doe"/);
    const bytes = Buffer.from(rows[0]?.row.sealedReason ?? []);
    expect(bytes[0]).toBe(0xc5);
    expect(bytes.includes('unconscious')).toBe(false);
  });

  test.each([
    ['a name that nobody has', { family: 'Nobody' }, 'No such patient can be opened'],
    ['a handle of no chart', { handle: 'pat_doesnotexist0000000000' }, 'No such patient can be opened'],
    ['a handle of another form', { handle: '<script>' }, 'No such patient can be opened'],
    ['a birth date alone', { family: '', given: '' }, 'Give the patient’s handle'],
    ['too few words', { words: 'urgent' }, 'Say in your own words why'],
    ['only blanks', { words: ' '.repeat(40) }, 'Say in your own words why'],
    ['no reason', { reason: '' }, 'Choose a reason'],
    ['a reason of one’s own', { reason: 'curiosity' }, 'Choose a reason'],
    ['a day', { minutes: '1440' }, 'Choose a reason'],
  ])('%s opens nothing, and the page repeats nothing', async (_name, change, words) => {
    const page = await openJohn(change);
    expect(page.status).toBe(400);
    expect(page.html).toContain(words);
    expect(page.html).not.toMatch(/Nobody|curiosity|script&gt;|doesnotexist|John|1968/);
    expect(await at.store.tenant(TENANT).list(emergencyGrants, { limit: 10 })).toEqual([]);
  });

  test('a refused opening is an event', async () => {
    await openJohn({ family: 'Nobody' });
    expect(await lastEvent()).toMatchObject({
      operation: 'emergency-opened',
      outcome: '4',
      reason: 'NOT_FOUND',
      policy: 'deny-by-default',
    });
  });

  test('when its event cannot be kept, nothing opens', async () => {
    at.store.refuseWrites('auditEvents');
    const visitor = at.visitor();
    await expect(visitor.signIn('usr_clinician')).resolves.toMatchObject({ status: 503 });
    at.store.refuseWrites(null);
    const form = await visitor.signIn('usr_clinician');
    at.store.refuseWrites('auditEvents');
    const page = await visitor.submit(form, '/emergency/open', JOHN_TYPED);
    expect(page.status).toBe(503);
    at.store.refuseWrites(null);
    expect(codeOf(await read(['conditions']))).toBe('NOT_FOUND');
    expect(at.faults.length).toBeGreaterThan(0);
  });

  test.each([
    ['a patient', 'usr_john', 403],
    ['a front desk', 'usr_frontdesk', 403],
    ['somebody of no clinic', 'usr_nobody', 403],
    ['a clinician without a second factor', 'usr_nofactor', 403],
    ['nobody', '', 400],
  ])('%s does not come in, and the refusal is an event', async (_name, user, status) => {
    await at.join('usr_nofactor', 'clinician');
    const visitor = at.visitor();
    const page = await visitor.signIn(user);
    expect([page.status, headingOf(page)]).toEqual([status, 'Emergency access']);
    expect(headingOf(await visitor.open())).toBe('Emergency access');
  });

  test('a reviewer sees what waits, reads the words, and judges; each step is an event', async () => {
    await openJohn();
    const visitor = at.visitor();
    const queue = await visitor.signIn('usr_auditor');
    expect(headingOf(queue)).toBe('Emergency access to review');
    expect(queue.html).toContain('Danger to life or limb');
    expect(queue.html).not.toMatch(/unconscious|Overdue/);
    expect(await lastEvent()).toMatchObject({
      operation: 'emergency-queue-read',
      actor: { role: 'auditor' },
    });
    const address = /href="(\/emergency\/review\/[^"]+)"/.exec(queue.html)?.[1] ?? '';
    const one = await visitor.open(address);
    expect(one.html).toContain('Found unconscious at the reception.');
    expect(await lastEvent()).toMatchObject({
      operation: 'emergency-reason-read',
      patient: expect.stringMatching(/^pa_/),
      entity: { fields: ['words'] },
    });
    const after = await visitor.submit(one, address, { verdict: 'justified' });
    expect(after.html).toContain('Nothing waits for a review.');
    const events = await eventsOf(at.services);
    expect(events.find(({ operation }) => operation === 'emergency-reviewed')).toMatchObject({
      outcome: '0',
      entity: { fields: ['verdict.justified'] },
      policy: 'oversight-reviews-emergencies',
    });
    expect(codeOf(await read(['conditions']))).toBe('released');
  });

  test('the alias of the patient is in no record: it dies with the patient’s keys, and the review goes on', async () => {
    await openJohn();
    const alias = (await lastEvent())?.patient ?? '';
    const records = await at.store.tenant(TENANT).list(emergencyRecords, { limit: 10 });
    expect(JSON.stringify(records)).not.toContain(alias);
    expect((await at.visitor().signIn('usr_auditor')).html).toContain(alias);
    await at.store.tenant(TENANT).transact(async (tx) => tx.delete(ref(patientKeys, at.john)));
    const visitor = at.visitor();
    const queue = await visitor.signIn('usr_auditor');
    expect(queue.html).toContain('who was erased since');
    const address = /href="(\/emergency\/review\/[^"]+)"/.exec(queue.html)?.[1] ?? '';
    const after = await visitor.submit(queue, address, { verdict: 'justified' });
    expect(after.html).toContain('Nothing waits for a review.');
  });

  test('a verdict of not justified ends the access at once', async () => {
    await openJohn();
    const visitor = at.visitor();
    const queue = await visitor.signIn('usr_admin');
    const address = /href="(\/emergency\/review\/[^"]+)"/.exec(queue.html)?.[1] ?? '';
    await visitor.submit(await visitor.open(address), address, { verdict: 'unjustified' });
    expect(codeOf(await read(['conditions']))).toBe('NOT_FOUND');
  });

  test('what nobody reviewed in 72 hours is overdue', async () => {
    await openJohn();
    at.time.now = NOW + REVIEW_MS;
    expect((await at.visitor().signIn('usr_auditor')).html).toContain('Overdue');
  });

  test('with more open than a page shows, the longest overdue are on it', async () => {
    const row = (minute: number) => ({
      user: 'usr_clinician',
      patient: at.john,
      reason: 'danger-to-life',
      sealedReason: new Uint8Array(1),
      openedAt: NOW,
      expiresAt: NOW,
      dueAt: NOW + minute * 60_000,
      state: 'open',
      reviewer: null,
      reviewedAt: null,
    });
    await at.store.tenant(TENANT).transact(async (tx) => {
      // The ids are in the opposite order of the due times.
      for (let one = 0; one < 250; one += 1)
        tx.create(ref(emergencyRecords, `eg_${String(999 - one).padStart(22, '0')}`), row(one));
    });
    const queue = (await at.visitor().signIn('usr_auditor')).html;
    const shown = [...queue.matchAll(/review\/eg_(\d+)"/g)].map(([, id]) => 999 - Number(id));
    expect(shown).toEqual(Array.from({ length: 200 }, (_, one) => one));
  });

  test('every page keeps others out: strict policy, no frame, no store, no referrer to others', async () => {
    const visitor = at.visitor();
    for (const page of [await visitor.open(), await visitor.signIn('usr_clinician'), await openJohn()]) {
      const policy = page.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).toContain("form-action 'self'");
      expect(policy).not.toContain('unsafe');
      expect(page.headers.get('x-frame-options')).toBe('DENY');
      expect(page.headers.get('cache-control')).toBe('private, no-store');
    }
  });
});
