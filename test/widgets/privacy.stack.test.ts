import { join } from 'node:path';
import { expect, test } from 'vitest';
import { accessibilityFaults } from '../stack/accessible.ts';
import { ACCESSES, REQUESTS, STARTED } from './answers.ts';
import { ALL, type Opened } from './host.ts';
import { describeWidgets, focused, press, shots, until } from './suite.ts';

describeWidgets('privacy and access in its widget', ({ open }) => {
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
});
