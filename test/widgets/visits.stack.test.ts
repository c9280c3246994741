import { join } from 'node:path';
import { expect, test } from 'vitest';
import { accessibilityFaults } from '../stack/accessible.ts';
import {
  answer,
  BOOKED,
  BOOKED_TEXT,
  FILE,
  FOR_THE_PERSON,
  FOUND,
  failure,
  LISTED,
  OPEN,
  SLOTS,
  VISIT,
} from './answers.ts';
import { ALL } from './host.ts';
import { describeWidgets, focused, press, SLOT_PICKER, shots, titleOf, until } from './suite.ts';

const TAKEN = 'That time has just been taken. Nothing was changed. These are open:';

describeWidgets('visits and patients in widgets', ({ open }) => {
  test('a visit is booked by keyboard alone, and the result is heard and has the focus', async () => {
    const widget = await open('slot-picker', SLOT_PICKER, {}, () => BOOKED);
    await widget.frame.getByRole('radio').first().waitFor();
    const onRadio = () => widget.frame.evaluate(() => document.activeElement?.matches('input[type=radio]'));
    for (let tabs = 0; tabs < 3 && !(await onRadio()); tabs += 1) await widget.page.keyboard.press('Tab');
    await widget.page.keyboard.press('Space');
    await widget.page.keyboard.press('ArrowDown');
    await widget.page.keyboard.press('Tab');
    expect(await widget.frame.evaluate(() => document.activeElement?.textContent)).toBe(
      'Book Tuesday, December 1, 2026, 9:30 AM',
    );
    await widget.page.keyboard.press('Enter');
    await until(widget, BOOKED_TEXT);
    expect(widget.calls).toEqual([{ name: 'scheduleAppointment', arguments: { slotId: 's2' } }]);
    expect(await titleOf(widget)).toBe('Your visit is booked');
    expect(await focused(widget)).toBe('title');
    expect(await widget.frame.locator('#status').getAttribute('aria-live')).toBe('polite');
    expect(widget.problems).toEqual([]);
  });

  test('nothing is booked before a time was chosen', async () => {
    const widget = await open('slot-picker', SLOT_PICKER, {}, () => BOOKED);
    await press(widget, 'Book a time');
    await until(widget, 'Choose a time first.');
    expect(widget.calls).toEqual([]);
  });

  test('a time that was just taken leads to others, and one of those is booked for the same patient', async () => {
    const opened = { ...SLOT_PICKER, input: { ...SLOT_PICKER.input, patient: 'pat_one' } };
    const taken = answer({ outcome: 'choose', choices: SLOTS.slice(3), zone: 'America/New_York' });
    const widget = await open('slot-picker', opened, {}, (_name, args) =>
      args['slotId'] === 's1' ? taken : BOOKED,
    );
    await widget.frame.getByRole('radio').first().check();
    await press(widget, /^Book Tuesday/);
    await until(widget, TAKEN);
    expect(await focused(widget)).toBe('title');
    await widget.shot(join(shots, 'slot-picker-taken.png'));
    await widget.frame.getByRole('radio').first().check();
    await press(widget, /^Book Wednesday, December 2/);
    await until(widget, BOOKED_TEXT);
    expect(widget.calls.map((call) => call.arguments)).toEqual([
      { patient: 'pat_one', slotId: 's1' },
      { patient: 'pat_one', slotId: 's4' },
    ]);
  });

  test('a double click books once', async () => {
    const wait = () => new Promise<typeof BOOKED>((resolve) => setTimeout(() => resolve(BOOKED), 300));
    const widget = await open('slot-picker', SLOT_PICKER, {}, wait);
    await widget.frame.getByRole('radio').first().check();
    await widget.frame.getByRole('button', { name: /^Book/ }).dblclick();
    await until(widget, BOOKED_TEXT);
    expect(widget.calls).toHaveLength(1);
  });

  test('a server that cannot be reached is said so, and the times stay to be tried again', async () => {
    const widget = await open('slot-picker', SLOT_PICKER);
    await widget.frame.getByRole('radio').first().check();
    await press(widget, /^Book/);
    await until(widget, 'The clinic could not be reached.');
    expect(await widget.frame.getByRole('radio').count()).toBe(SLOTS.length);
  });

  test('a call that needs a new sign-in says where', async () => {
    const refused = failure('Not booked. Nothing was changed.', { 'mcp/www_authenticate': ['Bearer'] });
    const widget = await open('slot-picker', SLOT_PICKER, {}, () => refused);
    await widget.frame.getByRole('radio').first().check();
    await press(widget, /^Book/);
    await until(widget, 'Sign in again in the chat');
    expect(await widget.asked()).toEqual([]);
  });

  test('where nothing is open it looks at the two weeks after', async () => {
    const empty = answer({ title: 'Diabetes checkup', slots: [], more: 0 });
    const widget = await open('slot-picker', { ...SLOT_PICKER, result: empty }, {}, () => OPEN);
    await press(widget, 'Look at the two weeks after');
    await widget.frame.getByRole('radio').first().waitFor();
    expect(widget.calls).toEqual([
      {
        name: 'findOpenSlots',
        arguments: { visitType: 'diabetes-checkup', from: '2026-12-02', to: '2026-12-15' },
      },
    ]);
  });

  test('in a host that lets widgets call nothing the times are there to be told to the assistant', async () => {
    const widget = await open('slot-picker', SLOT_PICKER, { capabilities: {} });
    await widget.frame.getByText('Tell the assistant which time you want.').waitFor();
    expect(await widget.frame.getByRole('button').count()).toBe(0);
    expect(await accessibilityFaults(widget.frame)).toEqual([]);
  });

  test('without the widget’s own part everything but its extras is shown', async () => {
    const { _meta: _, ...plain } = LISTED;
    const widget = await open('appointments', { tool: 'listAppointments', result: plain });
    await widget.frame.getByText('Diabetes checkup').waitFor();
    expect(await widget.frame.getByText('Add to calendar').count()).toBe(0);
  });

  test('a visit that is moved is moved, not booked anew', async () => {
    const moved = answer({ outcome: 'rescheduled', appointment: VISIT }, { text: 'Moved.' });
    const choices = answer({ outcome: 'choose', choices: SLOTS, zone: 'America/New_York' });
    const opened = { tool: 'listAppointments', input: { patient: 'pat_one' }, result: LISTED };
    const widget = await open('appointments', opened, {}, (_name, args) =>
      args['slotId'] === undefined ? choices : moved,
    );
    await press(widget, 'Move');
    await widget.frame.getByRole('radio').first().check();
    await press(widget, /^Move to Tuesday/);
    await until(widget, 'Moved.');
    const about = { patient: 'pat_one', appointmentId: VISIT.appointmentId };
    expect(widget.calls).toEqual([
      { name: 'rescheduleAppointment', arguments: about },
      { name: 'rescheduleAppointment', arguments: { ...about, slotId: 's1' } },
    ]);
  });

  test('cancelling asks first, and keeps the visit when told so', async () => {
    const preview = answer({ outcome: 'preview', appointment: VISIT, confirm: 'token' });
    const done = answer(
      { outcome: 'cancelled', appointment: { ...VISIT, status: 'cancelled' } },
      { text: 'Cancelled.' },
    );
    const server = (_name: string, args: Record<string, unknown>) =>
      args['confirm'] === undefined ? preview : done;
    const opened = { tool: 'listAppointments', result: LISTED };
    const kept = await open('appointments', opened, {}, server);
    await press(kept, 'Cancel');
    await press(kept, 'Keep it');
    await until(kept, 'Nothing was changed.');
    expect(kept.calls).toHaveLength(1);
    await kept.close();
    const gone = await open('appointments', opened, {}, server);
    await press(gone, 'Cancel');
    await press(gone, 'Yes, cancel it');
    await until(gone, 'Cancelled.');
    expect(gone.calls[1]?.arguments).toEqual({ appointmentId: VISIT.appointmentId, confirm: 'token' });
  });

  test('the host saves the calendar file, or the person declines', async () => {
    const widget = await open('appointments', { tool: 'listAppointments', result: LISTED });
    await press(widget, 'Add to calendar');
    await until(widget, 'The calendar file was handed to you.');
    expect(await widget.asked()).toEqual([
      {
        what: 'download',
        params: {
          contents: [
            {
              type: 'resource',
              resource: { uri: 'file:///visit.ics', mimeType: 'text/calendar', text: FILE },
            },
          ],
        },
      },
    ]);
    await widget.page.evaluate(() => {
      window.declines = true;
    });
    await press(widget, 'Add to calendar');
    await until(widget, 'The calendar file was not saved.');
  });

  test('where the host saves no files the calendar file is a link and a text to copy', async () => {
    const { downloadFile: _, ...rest } = ALL;
    const widget = await open(
      'appointments',
      { tool: 'listAppointments', result: LISTED },
      { capabilities: rest },
    );
    const link = widget.frame.getByRole('link', { name: 'Calendar file' });
    const href = (await link.getAttribute('href')) ?? '';
    expect(decodeURIComponent(href.split(',')[1] ?? '')).toBe(FILE);
    await widget.frame.getByText('The link does nothing?').click();
    expect(await widget.frame.locator('pre').textContent()).toContain('BEGIN:VCALENDAR');
    expect(await accessibilityFaults(widget.frame)).toEqual([]);
  });

  test('the model is told what a tool answered with, and nothing that was for the person alone', async () => {
    const widget = await open('slot-picker', SLOT_PICKER, {}, () => BOOKED);
    await widget.frame.getByRole('radio').first().check();
    await press(widget, /^Book/);
    await widget.frame.getByText(FOR_THE_PERSON).waitFor();
    await expect
      .poll(widget.asked)
      .toEqual([{ what: 'context', params: { content: [{ type: 'text', text: BOOKED_TEXT }] } }]);
    await press(widget, 'Add to calendar');
    const said = JSON.stringify([
      widget.calls,
      (await widget.asked()).filter(({ what }) => what !== 'download'),
    ]);
    expect(said).not.toContain(FOR_THE_PERSON);
  });

  test('at the desk one of two people is chosen by what only the widget shows; the model learns the handle', async () => {
    const widget = await open('patients', { tool: 'findPatient', result: FOUND });
    await widget.frame
      .locator('article', { hasText: '0177' })
      .getByRole('button', { name: 'Choose' })
      .click();
    await until(widget, 'The assistant knows whom you mean.');
    await expect.poll(widget.asked).toEqual([
      {
        what: 'context',
        params: { content: [{ type: 'text', text: 'Chosen at the desk: patient pat_two' }] },
      },
    ]);
  });

  test('chart text is text, whatever is in it', async () => {
    const evil = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
    const result = answer({ conditions: { items: [{ text: `«${evil}»` }], total: 1 } });
    const widget = await open('patients', { tool: 'getPatient', result });
    await widget.frame.getByText(evil).waitFor();
    expect(await widget.frame.title()).toBe('Patient');
    expect(widget.problems).toEqual([]);
  });
});
