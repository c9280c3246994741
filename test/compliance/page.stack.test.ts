import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assess } from '../../src/compliance/assess.ts';
import { reportPage } from '../../src/compliance/output/page.ts';
import { CHROMIUM_FLAGS, findChromium } from '../../src/dev/chromium.ts';
import { accessibilityFaults } from '../stack/accessible.ts';
import { describeNeeding } from '../stack/needs.ts';
import { factsOf, soundStore } from './world.ts';

const shots = process.env['SCREENSHOTS'];

describeNeeding('chromium', 'the compliance report as a page', () => {
  let browser: Browser;
  let page: string;
  beforeAll(async () => {
    const executablePath = findChromium();
    if (executablePath === null) throw new Error('Install Chromium, or name one in CHROMIUM_PATH.');
    browser = await chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS] });
    const facts = await factsOf(await soundStore());
    page = reportPage(assess({ ...facts, config: { ...facts.config, origin: 'http://clinic.example' } }));
  }, 60_000);
  afterAll(() => browser?.close());

  test.each([
    [390, 'light'],
    [390, 'dark'],
    [1280, 'light'],
  ] as const)('reads well and asks nobody for anything (%i px, %s)', async (width, colorScheme) => {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
    const open = await context.newPage();
    const asked: string[] = [];
    open.on('request', (request) => asked.push(request.url()));
    await open.setContent(page);
    if (shots !== undefined)
      await open.screenshot({ path: join(shots, `report-${width}-${colorScheme}.png`) });
    expect(await open.getByRole('heading', { level: 1 }).textContent()).toBe('What was checked of riverside');
    expect(await open.getByText('not satisfied').count()).toBeGreaterThan(1);
    expect(await open.textContent('body')).not.toMatch(/\bcompliant\b/i);
    expect(asked).toEqual([]);
    expect(await accessibilityFaults(open)).toEqual([]);
    await context.close();
  });
});
