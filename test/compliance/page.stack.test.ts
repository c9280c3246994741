import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assess } from '../../src/compliance/assess.ts';
import { reportPage } from '../../src/compliance/output/page.ts';
import { accessibilityFaults } from '../stack/accessible.ts';
import { launchChromium } from '../stack/chromium.ts';
import { describeNeeding } from '../stack/needs.ts';
import { factsOf, soundStore } from './world.ts';

const shots = process.env['SCREENSHOTS'];

describeNeeding('chromium', 'the compliance report as a page', () => {
  let browser: Browser;
  let page: string;
  beforeAll(async () => {
    browser = await launchChromium();
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
