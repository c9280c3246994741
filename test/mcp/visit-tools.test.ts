import { beforeEach, describe, expect, test } from 'vitest';
import { sweepHolds } from '../../src/clinic/sweep-holds.ts';
import { codeOf, NOW, openClinic, outputOf } from '../access/people.ts';
import { eventsOf, TENANT } from './house.ts';

type Clinic = Awaited<ReturnType<typeof openClinic>>;
const DAY = 86_400_000;
const textOf = (result: { content: unknown }) => JSON.stringify(result.content);

describe('tools about visits', () => {
  let clinic: Clinic;
  beforeEach(async () => {
    clinic = await openClinic();
    await clinic.relate('usr_clinician', clinic.john, 'care-team', NOW + 30 * DAY);
  });
  const john = (name: string, args: object = {}) => clinic.call('usr_john', name, args);
  const desk = (name: string, args: object = {}) =>
    clinic.call('usr_frontdesk', name, { patient: clinic.john, ...args });
  const slotsOn = async (date: string, visitType = 'diabetes-checkup') => {
    const found = outputOf(await john('findOpenSlots', { visitType, from: date }));
    return (found['slots'] as { slotId: string; time: string; practitioner: string }[]) ?? [];
  };
  /** Books John's first open time on a date. */
  const book = async (date: string) => {
    const [slot] = await slotsOn(date);
    const booked = outputOf(await john('scheduleAppointment', { slotId: slot?.slotId, reason: 'thirsty' }));
    return booked['appointment'] as { appointmentId: string; time: string };
  };
  const visits = async (when?: 'past') =>
    outputOf(await john('listAppointments', when === undefined ? {} : { when }))['appointments'] as {
      appointmentId: string;
      status: string;
      time: string;
    }[];

  test('a visit that was booked is listed, moved to the afternoon, and moved back within the minute', async () => {
    const { appointmentId } = await book('2026-12-01');
    const offered = await john('rescheduleAppointment', { appointmentId, partOfDay: 'afternoon' });
    expect(outputOf(offered)).toMatchObject({ outcome: 'choose' });
    const [choice] = outputOf(offered)['choices'] as { slotId: string; time: string }[];
    expect(choice?.time).toBe('12:00');
    const moved = await john('rescheduleAppointment', { appointmentId, slotId: choice?.slotId });
    expect(textOf(moved)).toContain(
      'Moved: Diabetes checkup is now on Tuesday, 2026-12-01 at 12:00 (America/New_York).',
    );
    expect(await visits()).toMatchObject([{ appointmentId, time: '12:00', status: 'booked' }]);
    const undo = outputOf(moved)['undoSlotId'];
    await john('rescheduleAppointment', { appointmentId, slotId: undo });
    expect(await visits()).toMatchObject([{ appointmentId, time: '09:00' }]);
  });

  test('a move leaves one update event with the digests of what it wrote', async () => {
    const { appointmentId } = await book('2026-12-01');
    const [slot] = await slotsOn('2026-12-02');
    const before = (await eventsOf(clinic.services)).length;
    await john('rescheduleAppointment', { appointmentId, slotId: slot?.slotId });
    const events = (await eventsOf(clinic.services)).slice(before);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      action: 'U',
      operation: 'rescheduleAppointment',
      outcome: '0',
      entity: { resource: 'Appointment', id: appointmentId },
      written: { digests: expect.objectContaining({ manifest: expect.any(String) }) },
    });
    expect(JSON.stringify(events)).not.toContain('thirsty');
  });

  test('cancelling shows what would be cancelled, then cancels just that, and can be undone', async () => {
    const { appointmentId } = await book('2026-12-03');
    const preview = await john('cancelAppointment', { appointmentId });
    expect(outputOf(preview)).toMatchObject({ outcome: 'preview', appointment: { appointmentId } });
    expect(await visits()).toHaveLength(1);
    const confirm = outputOf(preview)['confirm'];
    const cancelled = await john('cancelAppointment', { appointmentId, confirm });
    expect(outputOf(cancelled)).toMatchObject({ outcome: 'cancelled' });
    expect(await visits()).toEqual([]);
    expect(await visits('past')).toMatchObject([{ appointmentId, status: 'cancelled' }]);
    const undone = await john('scheduleAppointment', { slotId: outputOf(cancelled)['undoSlotId'] });
    expect(outputOf(undone)).toMatchObject({ outcome: 'booked' });
  });

  test('a booking that was cancelled is not said to be booked when its old request comes again', async () => {
    const [slot] = await slotsOn('2026-12-03');
    const asked = { slotId: slot?.slotId };
    const booked = outputOf(await john('scheduleAppointment', asked))['appointment'] as {
      appointmentId: string;
    };
    expect(outputOf(await john('scheduleAppointment', asked))).toMatchObject({ appointment: booked });
    const { confirm } = outputOf(
      await john('cancelAppointment', { appointmentId: booked.appointmentId }),
    ) as { confirm: string };
    await john('cancelAppointment', { appointmentId: booked.appointmentId, confirm });
    expect(codeOf(await john('scheduleAppointment', asked))).toBe('REQUEST_CONFLICT');
  });

  test('the confirmation of one preview cancels nothing else, and nothing after a change', async () => {
    const [one, two] = [await book('2026-12-03'), await book('2026-12-04')];
    const preview = await john('cancelAppointment', { appointmentId: one.appointmentId });
    const confirm = outputOf(preview)['confirm'];
    const other = await john('cancelAppointment', { appointmentId: two.appointmentId, confirm });
    expect(codeOf(other)).toBe('CONFIRM_INVALID');
    expect(textOf(other)).toContain('Not cancelled. Nothing was changed.');
    const [slot] = await slotsOn('2026-12-07');
    clinic.time.now += 1_000;
    await john('rescheduleAppointment', { appointmentId: one.appointmentId, slotId: slot?.slotId });
    expect(codeOf(await john('cancelAppointment', { appointmentId: one.appointmentId, confirm }))).toBe(
      'CONFIRM_INVALID',
    );
    expect(await visits()).toHaveLength(2);
  });

  test('twice cancelled is once cancelled, with the same words', async () => {
    const { appointmentId } = await book('2026-12-03');
    const { confirm } = outputOf(await john('cancelAppointment', { appointmentId })) as { confirm: string };
    const once = await john('cancelAppointment', { appointmentId, confirm });
    const twice = await john('cancelAppointment', { appointmentId, confirm });
    expect(outputOf(twice)['appointment']).toEqual(outputOf(once)['appointment']);
    expect(codeOf(await john('cancelAppointment', { appointmentId }))).toBe('APPOINTMENT_STATE');
  });

  test('inside the clinic’s notice the answer is a telephone number and nothing changes', async () => {
    const { appointmentId } = await book('2026-12-01');
    clinic.time.now = Date.parse('2026-12-01T08:00:00-05:00');
    const preview = await john('cancelAppointment', { appointmentId });
    expect(outputOf(preview)).toEqual({ outcome: 'callClinic', phone: '+1-617-555-0100' });
    const [slot] = await slotsOn('2026-12-02');
    const moved = await john('rescheduleAppointment', { appointmentId, slotId: slot?.slotId });
    expect(outputOf(moved)).toEqual({ outcome: 'callClinic', phone: '+1-617-555-0100' });
    expect(textOf(moved)).toContain('the visit stays as it was');
    expect(await visits()).toMatchObject([{ status: 'booked', time: '09:00' }]);
  });

  test('a visit that only the clinic books says so in the list and when it is asked for', async () => {
    const types = outputOf(await john('listVisitTypes'))['visitTypes'] as { id: string; callClinic?: true }[];
    expect(types.find(({ id }) => id === 'minor-surgery')).toMatchObject({ callClinic: true });
    const [slot] = await slotsOn('2026-12-01', 'minor-surgery');
    const asked = await john('scheduleAppointment', { slotId: slot?.slotId });
    expect(outputOf(asked)).toEqual({ outcome: 'callClinic', phone: '+1-617-555-0100' });
    expect(codeOf(await john('joinWaitlist', { visitType: 'minor-surgery' }))).toBe('released');
    expect(outputOf(await john('joinWaitlist', { visitType: 'minor-surgery' }))).toMatchObject({
      outcome: 'callClinic',
    });
  });

  test('who waits is offered the time that another gives back, and books it', async () => {
    const wanted = { visitType: 'diabetes-checkup', from: '2026-12-03', to: '2026-12-03' };
    const { appointmentId } = await book('2026-12-03');
    await clinic.join('usr_parent', 'proxy');
    await clinic.relate('usr_parent', clinic.child, 'proxy', NOW + 30 * DAY);
    const parent = (name: string, args: object) =>
      clinic.call('usr_parent', name, { patient: clinic.child, ...args });
    const waits = await parent('joinWaitlist', wanted);
    expect(outputOf(waits)).toMatchObject({ outcome: 'waiting', from: '2026-12-03', to: '2026-12-03' });
    const { confirm } = outputOf(await john('cancelAppointment', { appointmentId })) as { confirm: string };
    await john('cancelAppointment', { appointmentId, confirm });
    clinic.time.now += 120_000;
    await sweepHolds(TENANT, { ...clinic.services, now: clinic.time.now });
    const list = await parent('listAppointments', {});
    expect(textOf(list)).toContain('A freed time is offered');
    const [place] = outputOf(list)['waiting'] as { offer?: { slotId: string; practitioner: string } }[];
    expect(place?.offer).toMatchObject({ practitioner: 'Dr. Mei Chen', date: '2026-12-03', time: '09:00' });
    const booked = await parent('scheduleAppointment', { slotId: place?.offer?.slotId });
    expect(outputOf(booked)).toMatchObject({ outcome: 'booked', appointment: { time: '09:00' } });
    expect(outputOf(await parent('listAppointments', {}))['waiting']).toEqual([]);
  });

  test('a place on the waiting list is given up through cancelAppointment', async () => {
    const { id } = outputOf(await john('joinWaitlist', { visitType: 'vaccination' })) as { id: string };
    expect(outputOf(await john('listAppointments'))['waiting']).toHaveLength(1);
    expect(outputOf(await john('cancelAppointment', { appointmentId: id }))).toEqual({
      outcome: 'leftWaitlist',
    });
    expect(outputOf(await john('listAppointments'))['waiting']).toEqual([]);
  });

  test('the desk checks in and completes; a patient cannot, and is told what everyone is told', async () => {
    const { appointmentId } = await book('2026-12-01');
    const set = { appointmentId, status: 'checked-in' };
    const refused = await john('setAppointmentStatus', { ...set, patient: clinic.john });
    expect(codeOf(refused)).toBe('NOT_FOUND');
    expect(outputOf(await desk('setAppointmentStatus', set))).toMatchObject({
      outcome: 'changed',
      appointment: { status: 'checked-in' },
    });
    expect(outputOf(await desk('setAppointmentStatus', set))).toMatchObject({ outcome: 'changed' });
    expect(codeOf(await desk('setAppointmentStatus', { appointmentId, status: 'noshow' }))).toBe(
      'APPOINTMENT_STATE',
    );
  });

  test('an overbooking is staff’s to make, and only when it is asked for', async () => {
    const [mine] = await slotsOn('2026-12-02');
    const theirs = outputOf(
      await desk('findOpenSlots', {
        visitType: 'diabetes-checkup',
        from: '2026-12-02',
        patient: clinic.child,
      }),
    )['slots'] as { slotId: string }[];
    await john('scheduleAppointment', { slotId: mine?.slotId, overbook: true });
    const slotId = theirs[0]?.slotId;
    const full = await desk('scheduleAppointment', { slotId, patient: clinic.child });
    expect(outputOf(full)).toMatchObject({ outcome: 'choose' });
    const forced = await desk('scheduleAppointment', { slotId, patient: clinic.child, overbook: true });
    expect(outputOf(forced)).toMatchObject({ outcome: 'booked', appointment: { time: '09:00' } });
  });

  test.each([
    ['rescheduleAppointment', { appointmentId: 'apt_AAAAAAAAAAAAAAAAAAAAAA' }, 'APPOINTMENT_UNKNOWN'],
    ['cancelAppointment', { appointmentId: 'apt_AAAAAAAAAAAAAAAAAAAAAA' }, 'APPOINTMENT_UNKNOWN'],
    ['cancelAppointment', { appointmentId: 'wai_AAAAAAAAAAAAAAAAAAAAAA' }, 'APPOINTMENT_UNKNOWN'],
    ['rescheduleAppointment', { appointmentId: '../charts/pat_1' }, 'APPOINTMENT_UNKNOWN'],
    ['joinWaitlist', { visitType: 'diabetes-checkup', from: '2026-12-05', to: '2026-12-01' }, 'DATE_INVALID'],
    ['joinWaitlist', { visitType: 'no-such' }, 'VISIT_TYPE_UNKNOWN'],
    ['listAppointments', { when: 'tomorrow' }, 'INPUT'],
  ])('%s with %j is %s', async (name, args, code) => {
    expect(codeOf(await john(name, args))).toBe(code);
  });

  test('another patient’s visit is as unknown as none', async () => {
    const { appointmentId } = await book('2026-12-01');
    await clinic.relate('usr_proxy', clinic.child, 'proxy', NOW + 30 * DAY);
    const asked = { appointmentId, patient: clinic.child };
    const known = await clinic.call('usr_proxy', 'cancelAppointment', asked);
    const unknown = await clinic.call('usr_proxy', 'cancelAppointment', {
      ...asked,
      appointmentId: 'apt_AAAAAAAAAAAAAAAAAAAAAA',
    });
    expect(known).toEqual(unknown);
  });
});
