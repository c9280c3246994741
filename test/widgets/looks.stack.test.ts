import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { WidgetName } from '../../src/mcp/widget-pages.ts';
import { accessibilityFaults } from '../stack/accessible.ts';
import {
  ACCESSES,
  answer,
  BOOKED,
  FOUND,
  failure,
  LISTED,
  REQUESTS,
  STARTED,
  SUMMARY,
  VISIT,
} from './answers.ts';
import type { Look, Opened } from './host.ts';
import { describeWidgets, SLOT_PICKER, shots, statusOf, until } from './suite.ts';

const MAX_GZIPPED = 200 * 1024;

describeWidgets('widgets in a host of the real browser, to look at', ({ host, open }) => {
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
      const html = host().pages.get(name) ?? '';
      expect(html).not.toBe('');
      expect(gzipSync(html).length).toBeLessThanOrEqual(MAX_GZIPPED);
      expect(html).not.toMatch(
        /<(link|img|iframe|script src)|localStorage|sessionStorage|indexedDB|document\.cookie/,
      );
    },
  );

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
    const html = (host().pages.get('slot-picker') ?? '').replace(
      '</main>',
      '</main><img alt="" src="http://127.0.0.1:9/leak">',
    );
    const widget = await open('slot-picker', SLOT_PICKER, { html });
    await widget.frame.getByRole('radio').first().waitFor();
    expect(widget.problems.join()).toMatch(/Content Security Policy/);
    expect(await statusOf(widget)).toBe('Nothing is booked yet.');
  });
});
