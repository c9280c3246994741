import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEMO_PASSWORD } from '../../src/dev/people.ts';
import { startStack } from '../../src/dev/stack.ts';
import { startTestStack, type TestStack } from '../e2e/stack.ts';
import { accessibilityFaults } from '../stack/accessible.ts';
import { launchChromium } from '../stack/chromium.ts';
import { describeNeeding } from '../stack/needs.ts';

/** Kept when `SCREENSHOTS` names a folder, to be looked at. */
const shots = process.env['SCREENSHOTS'] ?? mkdtempSync(join(tmpdir(), 'chartseal-privacy-'));
type Look = { readonly width: number; readonly colorScheme: 'light' | 'dark' };
const PHONE: Look = { width: 390, colorScheme: 'light' };
const DARK: Look = { width: 390, colorScheme: 'dark' };
const DESK: Look = { width: 1280, colorScheme: 'light' };

describeNeeding('chromium', 'the privacy pages in a real browser, on the local stack', () => {
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
  const visit = async (look: Look, email: string): Promise<{ page: Page; context: BrowserContext }> => {
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
      if (message.type() === 'error' && !/status of 400/.test(message.text())) problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(`${at.stack.origin}/privacy`);
    await looksRight(page, 'sign-in', look);
    await page.getByLabel('Email').fill(email);
    await page.getByLabel('Password').fill(DEMO_PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    return { page, context };
  };
  /** Comfortable to touch, sound for assistive technology, no wider than the window; and a picture of it. */
  const looksRight = async (page: Page, name: string, look: Look): Promise<void> => {
    await page.screenshot({
      path: join(shots, `${name}-${look.width}-${look.colorScheme}.png`),
      fullPage: true,
    });
    for (const control of await page
      .locator(
        'input:visible, select:visible, textarea:visible, button:visible, .button:visible, summary:visible',
      )
      .all())
      expect((await control.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    for (const field of await page.locator('input:visible, select:visible, textarea:visible').all())
      expect(await field.evaluate((one) => (one as HTMLInputElement).labels?.length)).toBe(1);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(look.width);
    expect(await accessibilityFaults(page)).toEqual([]);
  };
  const soundly = async (context: BrowserContext): Promise<void> => {
    expect(problems).toEqual([]);
    await context.close();
  };

  test('a parent gets a copy of what is held on the child, downloads it, and changes what is allowed', async () => {
    const { page, context } = await visit(DARK, 'parent@example.com');
    await page.getByRole('heading', { name: 'The data of Leo Park' }).waitFor();
    await page.getByText('Ask for something').press('Enter');
    await looksRight(page, 'home', DARK);
    await page.getByRole('button', { name: 'Get a copy of everything' }).press('Enter');
    await page.getByText('Being prepared').waitFor();
    const ready = page.getByRole('button', { name: /^Your record, to read/ });
    const isReady = async (): Promise<boolean> => {
      await page.reload();
      return ready.isVisible();
    };
    await expect.poll(isReady, { timeout: 30_000, interval: 1_000 }).toBe(true);
    await looksRight(page, 'ready', DARK);
    const [download] = await Promise.all([page.waitForEvent('download'), ready.press('Enter')]);
    expect(download.suggestedFilename()).toBe('record.html');
    const record = readFileSync(await download.path(), 'utf8');
    expect(record).toContain('Health record of Leo Park');
    await page.getByRole('button', { name: 'Allow Sensitive parts' }).press('Enter');
    await page.getByRole('button', { name: 'Withdraw Sensitive parts' }).waitFor();
    await soundly(context);
    await assertReadable(record);
  });

  /** The downloaded page, opened as from a disk. */
  const assertReadable = async (record: string): Promise<void> => {
    for (const look of [PHONE, { ...DESK, colorScheme: 'dark' as const }]) {
      const context = await browser.newContext({
        viewport: { width: look.width, height: 844 },
        colorScheme: look.colorScheme,
      });
      const page = await context.newPage();
      await page.setContent(record);
      await page.screenshot({
        path: join(shots, `record-${look.width}-${look.colorScheme}.png`),
        fullPage: true,
      });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(look.width);
      expect(await accessibilityFaults(page)).toEqual([]);
      await context.close();
    }
  };

  test('a patient asks to be erased, by keyboard; the first of two administrators approves, the second refuses', async () => {
    const { page, context } = await visit(PHONE, 'john@example.com');
    await page.getByText('Ask for something').press('Enter');
    await looksRight(page, 'home', PHONE);
    await page.getByRole('button', { name: 'Delete everything…' }).press('Enter');
    await page.getByRole('heading', { name: 'Delete everything?' }).waitFor();
    await looksRight(page, 'erase', PHONE);
    await page.keyboard.type('delete');
    await page.keyboard.press('Enter');
    await page.getByText('Type ERASE in capital letters').waitFor();
    await looksRight(page, 'erase-slip', PHONE);
    await page.getByLabel('Type ERASE to go on').fill('ERASE');
    await page.keyboard.press('Enter');
    await page.getByText('The clinic is looking at it').first().waitFor();
    await looksRight(page, 'asked', PHONE);
    await answer(DARK, 'admin@example.com', async (admin) => {
      await admin.getByText('Nothing stands against it').waitFor();
      await looksRight(admin, 'review', DARK);
      await admin.getByRole('button', { name: 'Approve as the first of two' }).press('Enter');
      await admin.getByText('somebody else goes on').waitFor();
      await looksRight(admin, 'queue-own', DARK);
    });
    await answer(DESK, 'second-admin@example.com', async (admin) => {
      await looksRight(admin, 'review', DESK);
      await admin.getByLabel('Or refuse, with the reason').selectOption('legal-hold');
      await admin.getByRole('button', { name: 'Refuse', exact: true }).press('Enter');
      await admin.getByText('Nothing waits for an answer.').waitFor();
      await looksRight(admin, 'queue-empty', DESK);
    });
    await page.reload();
    await page.getByText('needed for a legal claim').waitFor();
    await looksRight(page, 'refused', PHONE);
    await soundly(context);
  });

  const answer = async (look: Look, email: string, act: (page: Page) => Promise<void>): Promise<void> => {
    const { page, context } = await visit(look, email);
    await looksRight(page, 'queue', look);
    await page.getByRole('link', { name: /^Review/ }).press('Enter');
    await page.getByRole('heading', { name: 'Delete my data' }).waitFor();
    await act(page);
    await soundly(context);
  };

  test('a clinician has nothing to do here, and is told so', async () => {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
    const page = await context.newPage();
    await page.goto(`${at.stack.origin}/privacy`);
    await page.getByLabel('Email').fill('clinician@example.com');
    await page.getByLabel('Password').fill(DEMO_PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'This page is for patients' }).waitFor();
    await context.close();
  });
});
