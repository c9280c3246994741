import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { WidgetName } from '../../src/mcp/widget-pages.ts';
import { accessibilityFaults } from '../stack/accessible.ts';
import { describeNeeding } from '../stack/needs.ts';
import {
  ACCESSES,
  answer,
  BOOKED,
  BOOKED_TEXT,
  FILE,
  FOR_THE_PERSON,
  FOUND,
  failure,
  LISTED,
  OPEN,
  REQUESTS,
  SLOTS,
  STARTED,
  SUMMARY,
  VISIT,
} from './answers.ts';
import { ALL, type Look, type Opened, type Shown, startHost } from './host.ts';

/** Kept when `SCREENSHOTS` names a folder, to be looked at. */
const shots = process.env['SCREENSHOTS'] ?? mkdtempSync(join(tmpdir(), 'chartseal-widgets-'));
const MAX_GZIPPED = 200 * 1024;
const TAKEN = 'That time has just been taken. Nothing was changed. These are open:';

describeNeeding('chromium', 'widgets in a host of the real browser', () => {
  let host: Awaited<ReturnType<typeof startHost>>;
  let shown: Shown | null = null;
  beforeAll(async () => {
    host = await startHost();
  });
  afterEach(async () => {
    await shown?.close();
    shown = null;
  });
  afterAll(async () => {
    await host?.close();
    if (process.env['SCREENSHOTS'] === undefined) rmSync(shots, { recursive: true, force: true });
  });
  const open = async (...args: Parameters<typeof host.open>) => {
    shown = await host.open(...args);
    return shown;
  };
  const statusOf = ({ frame }: Shown) => frame.locator('#status').textContent();
  const titleOf = ({ frame }: Shown) => frame.locator('#title').textContent();
  const press = ({ frame }: Shown, name: RegExp | string) => frame.getByRole('button', { name }).click();
  const until = (what: Shown, status: RegExp | string) =>
    what.frame.locator('#status', { hasText: status }).waitFor();
  const focused = ({ frame }: Shown) => frame.evaluate(() => document.activeElement?.id);

  const SLOT_PICKER: Opened = {
    tool: 'findOpenSlots',
    input: { visitType: 'diabetes-checkup', from: '2026-12-01' },
    result: OPEN,
  };
  const STATES: readonly (readonly [label: string, WidgetName, Opened])[] = [
    ['choosing', 'slot-picker', SLOT_PICKER],
    ['loading', 'slot-picker', { ...SLOT_PICKER, result: null }],
    [
      'empty',
      'slot-picker',
      { ...SLOT_PICKER, result: answer({ title: 'Diabetes checkup', slots: [], more: 0 }) },
    ],
    ['booked', 'slot-picker', { tool: 'scheduleAppointment', result: BOOKED }],
    [
      'call the clinic',
      'slot-picker',
      { tool: 'scheduleAppointment', result: answer({ outcome: 'callClinic', phone: '+1-617-555-0100' }) },
    ],
    [
      'failed',
      'slot-picker',
      { ...SLOT_PICKER, result: failure('No times found. That date has passed. (DATE_INVALID)') },
    ],
    [
      'signed out',
      'slot-picker',
      {
        ...SLOT_PICKER,
        result: failure('No times found. More access is needed. (SCOPE_MISSING)', {
          'mcp/www_authenticate': ['Bearer'],
        }),
      },
    ],
    ['visits', 'appointments', { tool: 'listAppointments', result: LISTED }],
    [
      'no visits',
      'appointments',
      { tool: 'listAppointments', result: answer({ appointments: [], more: 0 }) },
    ],
    [
      'cancel',
      'appointments',
      {
        tool: 'cancelAppointment',
        input: { appointmentId: VISIT.appointmentId },
        result: answer({ outcome: 'preview', appointment: VISIT, confirm: 'c' }),
      },
    ],
    ['found', 'patients', { tool: 'findPatient', result: FOUND }],
    ['summary', 'patients', { tool: 'getChartSummary', result: SUMMARY }],
    ['nobody', 'patients', { tool: 'findPatient', result: answer({ outcome: 'none', patients: [] }) }],
    ['access', 'privacy', { tool: 'listChartAccess', result: ACCESSES }],
    ['requests', 'privacy', { tool: 'getRequestStatus', result: REQUESTS }],
    ['started', 'privacy', { tool: 'requestPrivacyAction', result: STARTED }],
    [
      'nothing',
      'privacy',
      {
        tool: 'getRequestStatus',
        result: answer({ requests: [], more: 0, page: 'https://clinic.example/privacy' }),
      },
    ],
  ];
  const LOOKS: readonly Look[] = [
    { width: 320, theme: 'light' },
    { width: 390, theme: 'dark' },
    { width: 1280, theme: 'light' },
    { width: 1280, theme: 'dark', zoom: 2 },
    { width: 640, theme: 'light', zoom: 2 },
  ];

  /** The states with most on the page are looked at in every way, the others on two phones. */
  const FULL = ['choosing', 'visits', 'summary', 'requests'];

  test.each(STATES)(
    '%s (%s) is comfortable at every width, zoom and theme, and quiet',
    async (label, name, opened) => {
      for (const look of FULL.includes(label) ? LOOKS : LOOKS.slice(0, 2)) {
        const { frame, problems, shot: picture, close } = await open(name, opened, look);
        const shot = `${name}-${label}-${look.width}-${look.theme}${look.zoom === 2 ? '-zoom' : ''}.png`;
        if (opened.result !== null) await frame.locator('#status:not(:text("Loading…"))').waitFor();
        await picture(join(shots, shot.replaceAll(' ', '-')));
        expect(await accessibilityFaults(frame), shot).toEqual([]);
        const small = await frame.evaluate(() =>
          [...document.querySelectorAll('button, a, label, summary')]
            .filter((one) => one.checkVisibility())
            .map((one) => ({ text: one.textContent, ...one.getBoundingClientRect().toJSON() }))
            .filter(({ width, height }) => width < 44 || height < 44),
        );
        expect(small, shot).toEqual([]);
        expect(problems, shot).toEqual([]);
        await close();
      }
    },
  );

  test.each(['slot-picker', 'appointments', 'patients', 'privacy'] as const)(
    '%s is one page of at most 200 KB gzipped, with no address in it to load from',
    (name) => {
      const html = host.pages.get(name) ?? '';
      expect(html).not.toBe('');
      expect(gzipSync(html).length).toBeLessThanOrEqual(MAX_GZIPPED);
      expect(html).not.toMatch(
        /<(link|img|iframe|script src)|localStorage|sessionStorage|indexedDB|document\.cookie/,
      );
    },
  );

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

  test.each(['slot-picker', 'appointments', 'patients', 'privacy'] as const)(
    '%s says that it loads, that it failed, and that a new sign-in is needed',
    async (name) => {
      const loading = await open(name, { tool: 'x', result: null });
      expect(await statusOf(loading)).toBe('Loading…');
      await loading.close();
      const failed = await open(name, { tool: 'x', result: failure('It did not work. (STORE_UNAVAILABLE)') });
      await until(failed, 'It did not work.');
      expect(await accessibilityFaults(failed.frame)).toEqual([]);
      await failed.close();
      const challenge = { 'mcp/www_authenticate': ['Bearer'] };
      const signedOut = await open(name, { tool: 'x', result: failure('Not read.', challenge) });
      await until(signedOut, 'Not read. Sign in again in the chat, then try once more.');
    },
  );

  test.each([
    ['appointments', { tool: 'listAppointments', result: LISTED }, 'Diabetes checkup'],
    ['patients', { tool: 'getChartSummary', result: SUMMARY }, 'Metformin'],
    ['privacy', { tool: 'listChartAccess', result: ACCESSES }, 'Front desk'],
  ] as const)('%s shows what there is in a host that lets widgets do nothing', async (name, opened, text) => {
    const widget = await open(name, opened, { capabilities: {} });
    await widget.frame.getByText(text).first().waitFor();
    expect(await widget.frame.getByRole('button').count()).toBe(0);
    expect(await accessibilityFaults(widget.frame)).toEqual([]);
  });

  const ACCESS: Opened = { tool: 'listChartAccess', result: ACCESSES };

  test('a request about privacy starts only after a second step, and goes on at our own page', async () => {
    const widget = await open('privacy', ACCESS, {}, () => STARTED);
    await press(widget, 'Delete my data');
    expect(widget.calls).toEqual([]);
    await press(widget, 'Start it');
    await until(widget, 'Started, not finished.');
    expect(widget.calls).toEqual([{ name: 'requestPrivacyAction', arguments: { kind: 'erasure' } }]);
    expect(await focused(widget)).toBe('title');
    await press(widget, 'Go on at the clinic’s page');
    expect((await widget.asked()).filter(({ what }) => what === 'link')).toEqual([
      { what: 'link', params: { url: 'https://clinic.example/privacy' } },
    ]);
  });

  test('where the host opens no links the address is there to be typed', async () => {
    const { openLinks: _, ...rest } = ALL;
    const widget = await open(
      'privacy',
      { tool: 'getRequestStatus', result: REQUESTS },
      { capabilities: rest },
    );
    await widget.frame.getByText('https://clinic.example/privacy').waitFor();
    expect(await widget.frame.getByRole('button', { name: 'Go on' }).count()).toBe(0);
  });

  test('a correction starts with the person’s words, a change of consent with one of the choices', async () => {
    const widget = await open('privacy', { ...ACCESS, input: { patient: 'pat_child' } }, {}, () => STARTED);
    await press(widget, 'Ask for a correction');
    await press(widget, 'Start it');
    await until(widget, 'Fill this in first.');
    expect(widget.calls).toEqual([]);
    expect(await accessibilityFaults(widget.frame)).toEqual([]);
    await widget.frame.getByLabel('What is wrong').fill('  My phone number is wrong. ');
    await widget.shot(join(shots, 'privacy-correction-390-light.png'));
    await press(widget, 'Start it');
    await until(widget, 'Started, not finished.');
    const again = await open('privacy', ACCESS, { theme: 'dark' }, () => STARTED);
    await press(again, 'Change what I allow');
    await press(again, 'Start it');
    await until(again, 'Fill this in first.');
    await again.frame.getByLabel('Keep the sensitive parts of my chart closed').check();
    expect(await accessibilityFaults(again.frame)).toEqual([]);
    await again.shot(join(shots, 'privacy-consent-390-dark.png'));
    await press(again, 'Start it');
    await until(again, 'Started, not finished.');
    expect([...widget.calls, ...again.calls].map((call) => call.arguments)).toEqual([
      { patient: 'pat_child', kind: 'correction', words: 'My phone number is wrong.' },
      { kind: 'consent', about: 'sensitive.withdrawn' },
    ]);
  });

  test('dates are in the person’s language and times are the clinic’s, wherever the browser is', async () => {
    const widget = await open('slot-picker', SLOT_PICKER, { locale: 'de-DE' });
    await widget.frame.getByText('Dienstag, 1. Dezember 2026').waitFor();
    await widget.frame.getByText('9:30').waitFor();
    const broken = await open('slot-picker', SLOT_PICKER, { locale: 'not a language' });
    await broken.frame.getByRole('radio').first().waitFor();
  });

  test('the theme follows the host while the widget is open', async () => {
    const widget = await open('slot-picker', SLOT_PICKER, { theme: 'light' });
    const background = () => widget.frame.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(await background()).toBe('rgb(255, 255, 255)');
    await widget.page.evaluate(() => window.setTheme('dark'));
    await expect.poll(background).toBe('rgb(27, 34, 41)');
  });

  test('a page that reaches for the network is stopped by its own policy, and this suite would see it', async () => {
    const html = (host.pages.get('slot-picker') ?? '').replace(
      '</main>',
      '</main><img alt="" src="http://127.0.0.1:9/leak">',
    );
    const widget = await open('slot-picker', SLOT_PICKER, { html });
    await widget.frame.getByRole('radio').first().waitFor();
    expect(widget.problems.join()).toMatch(/Content Security Policy/);
    expect(await statusOf(widget)).toBe('Nothing is booked yet.');
  });
});
