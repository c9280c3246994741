import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEMO_PASSWORD } from '../../src/dev/people.ts';
import { startStack } from '../../src/dev/stack.ts';
import { contentOf, filesBelow, found } from '../attacks/traces.ts';
import { startTestStack, type TestStack } from '../e2e/stack.ts';
import { accessibilityFaults } from '../stack/accessible.ts';
import { launchChromium } from '../stack/chromium.ts';
import { describeNeeding } from '../stack/needs.ts';

const LETTER = `%PDF-1.7\n${'planted-zanzibarine '.repeat(60_000)}`;
const shots = process.env['SCREENSHOTS'];

describeNeeding('chromium', 'documents in a real browser, on the local stack', () => {
  let at: TestStack;
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'chartseal-letters-'));
    writeFileSync(join(folder, 'planted-letter.pdf'), LETTER);
    writeFileSync(join(folder, 'page.pdf'), '<html><script>alert(1)</script>');
    at = await startTestStack(startStack, { store: 'postgres' });
    browser = await launchChromium();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await at?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const signIn = async (page: Page, email: string): Promise<void> => {
    await page.goto(`${at.stack.origin}/documents`);
    await page.getByLabel('Email').fill(email);
    await page.getByLabel('Password').fill(DEMO_PASSWORD);
    await page.keyboard.press('Enter');
  };
  const add = async (page: Page, file: string, title: string): Promise<void> => {
    await page.getByLabel('What it is').selectOption({ label: 'Referral letter' });
    await page.getByLabel('Title').fill(title);
    await page.getByLabel('File').setInputFiles(join(folder, file));
    await page.getByRole('button', { name: 'Add this document' }).press('Enter');
  };
  const looksRight = async (page: Page, width: number, name: string): Promise<void> => {
    if (shots !== undefined)
      await page.screenshot({ path: join(shots, `documents-${name}-${width}.png`), fullPage: true });
    expect(await accessibilityFaults(page)).toEqual([]);
    for (const control of await page.locator('input:visible, select:visible, button:visible').all())
      expect((await control.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  };

  test.each([
    [390, 'dark'],
    [1280, 'light'],
  ] as const)(
    'a letter is added and downloaded by keyboard, and no file of the stack holds a word of it (%i px, %s)',
    async (width, colorScheme) => {
      const context = await browser.newContext({ viewport: { width, height: 844 }, colorScheme });
      const page = await context.newPage();
      const title = `Planted referral to cardiology, ${width}`;
      await signIn(page, 'john@example.com');
      await page.getByRole('heading', { name: 'Your documents' }).waitFor();
      await add(page, 'page.pdf', 'A page');
      await page.getByText('Only PDF, PNG, JPEG and plain text are kept').waitFor();
      await looksRight(page, width, 'refused');
      await add(page, 'planted-letter.pdf', title);
      await page.locator('strong', { hasText: title }).waitFor();
      await looksRight(page, width, 'list');
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: `Download ${title}` }).press('Enter'),
      ]);
      expect(download.suggestedFilename()).toBe(`Planted-referral-to-cardiology-${width}.pdf`);
      expect(readFileSync(await download.path(), 'utf8')).toBe(LETTER);
      const kept = filesBelow(at.dataDir);
      expect(kept.some((file) => file.includes('/documents/riverside/'))).toBe(true);
      expect(found(['zanzibarine', 'Planted referral', 'planted-letter'], contentOf(kept))).toEqual([]);
      await page.getByRole('button', { name: 'Sign out' }).press('Enter');
      await page.getByLabel('Password').waitFor();
      await context.close();
    },
  );

  test('the front desk finds a patient, and adds a fax that it cannot read again', async () => {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
    const page = await context.newPage();
    await signIn(page, 'frontdesk@example.com');
    await page.getByLabel('Family name').fill('Doe');
    await page.getByLabel('Given name').fill('John');
    await page.getByLabel('Birth date', { exact: true }).fill('1968-04-12');
    await looksRight(page, 390, 'find');
    await page.getByRole('button', { name: 'Go on' }).press('Enter');
    await page.getByRole('heading', { name: 'Documents of John' }).waitFor();
    await add(page, 'planted-letter.pdf', 'A fax');
    await page.getByText('The document was added.').waitFor();
    await looksRight(page, 390, 'frontdesk');
    expect(await page.content()).not.toMatch(/A fax|Download/);
    await context.close();
  });
});
