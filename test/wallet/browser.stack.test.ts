import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COLLECTIONS } from '../../src/collections.ts';
import { DEMO_PASSWORD } from '../../src/dev/people.ts';
import { startStack } from '../../src/dev/stack.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { startTestStack, type TestStack } from '../e2e/stack.ts';
import { accessibilityFaults } from '../stack/accessible.ts';
import { launchChromium } from '../stack/chromium.ts';
import { describeNeeding } from '../stack/needs.ts';

const NUMBER = '4111111111111111';
const PLANTED = new RegExp(`${NUMBER}|4111 1111 1111 1111`);
const shots = process.env['SCREENSHOTS'];

describeNeeding('chromium', 'the wallet in a real browser, on the local stack', () => {
  let at: TestStack;
  let browser: Browser;
  beforeAll(async () => {
    at = await startTestStack(startStack, { store: 'postgres' });
    browser = await launchChromium();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await at?.close();
  });

  test.each([
    [390, 'dark'],
    [1280, 'light'],
  ] as const)(
    'a card is kept and removed by keyboard, and is in no file, row or request line (%i px, %s)',
    async (width, colorScheme) => {
      const context = await browser.newContext({ viewport: { width, height: 844 }, colorScheme });
      const page = await context.newPage();
      const addresses: string[] = [];
      page.on('request', (request) => addresses.push(request.url()));
      await page.goto(`${at.stack.origin}/wallet`);
      await page.getByLabel('Email').fill('john@example.com');
      await page.getByLabel('Password').fill(DEMO_PASSWORD);
      await page.keyboard.press('Enter');
      await page.getByText('No card is kept.').waitFor();
      await page.getByLabel('Card number').fill('4111 1111 1111 1111');
      await page.getByLabel('Month of expiry').selectOption('12');
      await page.getByLabel('Year of expiry').selectOption({ index: 9 });
      if (shots !== undefined)
        await page.screenshot({ path: join(shots, `wallet-form-${width}.png`), fullPage: true });
      await page.getByRole('button', { name: 'Keep this card' }).press('Enter');
      await page.getByRole('button', { name: 'Remove Visa ending in 1111' }).waitFor();
      if (shots !== undefined)
        await page.screenshot({ path: join(shots, `wallet-kept-${width}.png`), fullPage: true });
      expect(await accessibilityFaults(page)).toEqual([]);
      for (const control of await page.locator('input:visible, select:visible, button:visible').all())
        expect((await control.boundingBox())?.height).toBeGreaterThanOrEqual(44);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      expect(await page.content()).not.toMatch(PLANTED);
      expect(addresses.join()).not.toMatch(PLANTED);
      expect(await everythingKept()).not.toMatch(PLANTED);
      await page.getByRole('button', { name: /^Remove/ }).press('Enter');
      await page.getByText('No card is kept.').waitFor();
      await context.close();
    },
  );

  /** Every file below the stack's folder (the database's own included: tables, WAL and logs), and every row. */
  const everythingKept = async (): Promise<string> => {
    const texts: string[] = [];
    for (const name of readdirSync(at.dataDir, { recursive: true, encoding: 'utf8' })) {
      const path = join(at.dataDir, name);
      if (statSync(path).isFile()) texts.push(readFileSync(path, 'latin1'));
    }
    expect(texts.length).toBeGreaterThan(20);
    for (const tenant of ['riverside', 'system'] as TenantId[])
      for (const of of COLLECTIONS) {
        const rows = await at.stack.composed.store.tenant(tenant).list(of, { limit: 1_000 });
        texts.push(
          JSON.stringify(rows, (_key, value) =>
            value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
          ),
        );
      }
    return texts.join('\n');
  };
});
