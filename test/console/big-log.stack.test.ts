import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeNeeding } from '../stack/needs.ts';
import { openAuditors, verdictsOn } from './auditor.ts';
import { openBigConsole } from './big-log.ts';

const EVENTS = 100_000;
/** A frame that takes longer is felt. */
const FELT_MS = 400;

describeNeeding('chromium', 'a hundred thousand events in a real browser', () => {
  let house: Awaited<ReturnType<typeof openBigConsole>>;
  let auditors: Awaited<ReturnType<typeof openAuditors>>;
  beforeAll(async () => {
    house = await openBigConsole(EVENTS);
    auditors = await openAuditors(house.origin);
  }, 90_000);
  afterAll(async () => {
    await auditors?.close();
    await house?.close();
  });

  test('are verified with a progress bar, scroll and filter without a frame that is felt', async () => {
    const { page, context, problems } = await auditors.visit();
    const value = await house.signIn();
    await context.addCookies([{ name: '__session', value, url: house.origin }]);
    await page.addInitScript(() => {
      const seen: number[] = [];
      Object.assign(window, { seen });
      document.addEventListener('DOMContentLoaded', () => {
        const bar = document.querySelector('progress');
        const note = () => {
          if (bar !== null && bar.position > 0 && seen.at(-1) !== bar.position) seen.push(bar.position);
          requestAnimationFrame(note);
        };
        note();
      });
    });
    await page.reload();
    expect(await verdictsOn(page)).toMatchObject({
      inclusion: 'Verified',
      signature: 'Verified',
      completeness: 'Verified, 2 pending',
    });
    expect(await page.locator('#progress-text').textContent()).toMatch(/^100,000 events in \d+\.\d s$/);
    expect(await page.evaluate(() => (window as unknown as { seen: number[] }).seen.length)).toBeGreaterThan(
      5,
    );
    await page.getByRole('navigation').getByRole('link', { name: 'Events' }).click();
    await page.locator('#shown').filter({ hasText: '100,002 events' }).waitFor();
    await startWatch();
    for (let step = 1; step <= 40; step += 1)
      await page.evaluate((part) => {
        const grid = document.querySelector('#grid') as HTMLElement;
        grid.scrollTop = grid.scrollHeight * part;
        return new Promise((resolve) => requestAnimationFrame(() => resolve(null)));
      }, step / 40);
    await page.locator('#grid .line').first().waitFor();
    expect(await page.locator('#grid .line').count()).toBeLessThan(60);
    await page.getByLabel('Person').fill('usr_5');
    await page
      .locator('#shown')
      .filter({ hasText: /^3,6\d\d events$/ })
      .waitFor();
    await page.getByLabel('Outcome').selectOption('4');
    await page
      .locator('#shown')
      .filter({ hasText: /^33\d events$/ })
      .waitFor();
    expect(await longestFrame()).toBeLessThan(FELT_MS);
    await auditors.shot(page, 'console-100000-1280-light');
    expect(problems).toEqual([]);
    await context.close();

    async function startWatch(): Promise<void> {
      await page.evaluate(() => {
        const watch = { longest: 0 };
        Object.assign(window, { watch });
        let last = performance.now();
        const frame = (now: number) => {
          watch.longest = Math.max(watch.longest, now - last);
          last = now;
          requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
      });
    }
    function longestFrame(): Promise<number> {
      return page.evaluate(() => (window as unknown as { watch: { longest: number } }).watch.longest);
    }
  }, 90_000);
});
