import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { members } from '../../src/access/members.ts';
import { DEMO_PASSWORD } from '../../src/dev/people.ts';
import { startStack } from '../../src/dev/stack.ts';
import { ref } from '../../src/kernel/collection.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { codeOf, startTestStack, type TestStack } from '../e2e/stack.ts';
import { accessibilityFaults } from '../stack/accessible.ts';
import { launchChromium } from '../stack/chromium.ts';
import { describeNeeding } from '../stack/needs.ts';

/** Kept when `SCREENSHOTS` names a folder, to be looked at. */
const shots = process.env['SCREENSHOTS'] ?? mkdtempSync(join(tmpdir(), 'chartseal-emergency-'));
type Look = { readonly width: number; readonly colorScheme: 'light' | 'dark' };

describeNeeding('chromium', 'emergency access in a real browser, on the local stack', () => {
  let at: TestStack;
  let browser: Browser;
  let problems: string[] = [];
  beforeAll(async () => {
    at = await startTestStack(startStack, { store: 'postgres' });
    browser = await launchChromium();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await at?.close();
    if (process.env['SCREENSHOTS'] === undefined) rmSync(shots, { recursive: true, force: true });
  });

  /** A fresh browser; before each request of a page every cookie but `__session` is dropped, as Hosting does. */
  const visit = async (look: Look): Promise<{ page: Page; context: BrowserContext }> => {
    problems = [];
    const context = await browser.newContext({
      viewport: { width: look.width, height: 844 },
      colorScheme: look.colorScheme,
      reducedMotion: 'reduce',
    });
    await context.route(`${at.stack.origin}/**`, async (route) => {
      const headers = await route.request().allHeaders();
      const cookie = (headers['cookie'] ?? '').split('; ').filter((pair) => pair.startsWith('__session='));
      await route.continue({ headers: { ...headers, cookie: cookie.join('; ') } });
    });
    const page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' && !/status of 40[03]/.test(message.text()))
        problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(`${at.stack.origin}/emergency`);
    return { page, context };
  };
  const shot = (page: Page, name: string, look: Look) =>
    page.screenshot({ path: join(shots, `${name}-${look.width}-${look.colorScheme}.png`), fullPage: true });
  const focused = (page: Page): Promise<string> =>
    page.evaluate(
      () => (document.activeElement as HTMLElement).id || (document.activeElement?.textContent ?? ''),
    );
  const assertComfortable = async (page: Page): Promise<void> => {
    for (const control of await page
      .locator('input:visible, select:visible, textarea:visible, button:visible, .button:visible')
      .all())
      expect((await control.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    for (const field of await page.locator('input:visible, select:visible, textarea:visible').all())
      expect(await field.evaluate((one) => (one as HTMLInputElement).labels?.length)).toBe(1);
    expect(await accessibilityFaults(page)).toEqual([]);
  };
  const signIn = async (page: Page, email: string): Promise<void> => {
    await expect.poll(() => focused(page)).toBe('email');
    await page.keyboard.type(email);
    await page.keyboard.press('Tab');
    await page.keyboard.type(DEMO_PASSWORD);
    await page.keyboard.press('Enter');
  };
  const anasHandle = async (): Promise<string> => {
    const [row] = await at.stack.composed.store.tenant('riverside' as TenantId).get(ref(members, 'usr_ana'));
    return row?.patient ?? '';
  };

  test.each<Look>([
    { width: 390, colorScheme: 'light' },
    { width: 390, colorScheme: 'dark' },
    { width: 1280, colorScheme: 'light' },
  ])('a clinician opens a chart by keyboard, a reviewer ends it ($width px, $colorScheme)', async (look) => {
    const { page, context } = await visit(look);
    await assertComfortable(page);
    await shot(page, 'sign-in', look);
    await signIn(page, 'clinician@example.com');
    await page.getByRole('heading', { name: 'Open a chart in an emergency' }).waitFor();
    await assertComfortable(page);
    await shot(page, 'open', look);
    expect(await focused(page)).toBe('family');
    await page.keyboard.type('Ruiz');
    await page.keyboard.press('Tab');
    await page.keyboard.type('Ana');
    await page.getByLabel('Birth date', { exact: true }).fill('1949-09-30');
    await page.getByLabel('Reason').selectOption('patient-cannot-answer');
    await page.getByLabel('Why, in your own words').fill('Brought in unresponsive, no companion.');
    await page.getByLabel('For how long').selectOption('30');
    await page.getByRole('button', { name: 'Open this chart' }).press('Enter');
    await page.getByRole('heading', { name: 'The chart is open' }).waitFor();
    await assertComfortable(page);
    await shot(page, 'opened', look);
    const handle = await page.locator('output').innerText();
    expect(handle).toBe(await anasHandle());
    const token = await at.token('clinician@example.com');
    const read = () => at.call(token, 'getPatient', { sections: ['conditions'], patient: handle });
    expect((await read()).isError).toBeUndefined();
    expect(problems).toEqual([]);
    await context.close();
    await judge(look);
    expect(codeOf(await read())).toBe('NOT_FOUND');
  });

  const judge = async (look: Look): Promise<void> => {
    const { page, context } = await visit(look);
    await signIn(page, 'auditor@example.com');
    await page.getByRole('heading', { name: 'Emergency access to review' }).waitFor();
    await assertComfortable(page);
    await shot(page, 'queue', look);
    await page.getByRole('link', { name: /^Review/ }).press('Enter');
    await page.getByText('Brought in unresponsive, no companion.').waitFor();
    await assertComfortable(page);
    await shot(page, 'review', look);
    await page.getByRole('button', { name: /^Not justified/ }).press('Enter');
    await page.getByText('Nothing waits for a review.').waitFor();
    expect(problems).toEqual([]);
    await context.close();
  };

  test('who may not come in is told so, and the words stay on the page', async () => {
    const look: Look = { width: 390, colorScheme: 'light' };
    const { page, context } = await visit(look);
    await signIn(page, 'john@example.com');
    const alert = page.getByRole('alert').filter({ hasText: 'This page is for clinicians' });
    await alert.waitFor();
    await page.waitForTimeout(300);
    expect(await alert.isVisible()).toBe(true);
    await shot(page, 'not-here', look);
    await context.close();
  });
});
