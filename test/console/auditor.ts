import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { sequenceAll } from '../../src/audit/sequencer.ts';
import type { Composed } from '../../src/compose.ts';
import { DEMO_PASSWORD } from '../../src/dev/people.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { launchChromium } from '../stack/chromium.ts';

export const RIVERSIDE = 'riverside' as TenantId;

/** How a person sees the console. */
export interface Look {
  readonly width?: number;
  readonly colorScheme?: 'light' | 'dark';
}

/** Auditors in real browsers. Their pictures are kept when `SCREENSHOTS` names a folder. */
export async function openAuditors(origin: string) {
  const shots = process.env['SCREENSHOTS'] ?? mkdtempSync(join(tmpdir(), 'chartseal-console-'));
  const browser: Browser = await launchChromium();
  return {
    /** A fresh browser profile at the console. `problems` gathers what its console complains of. */
    visit: async ({ width = 1280, colorScheme = 'light' }: Look = {}) => {
      const context = await browser.newContext({
        viewport: { width, height: 900 },
        colorScheme,
        reducedMotion: 'reduce',
        acceptDownloads: true,
      });
      const page = await context.newPage();
      const problems: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' && !/status of 40[013]/.test(message.text()))
          problems.push(message.text());
      });
      page.on('pageerror', (error) => problems.push(error.message));
      await page.goto(`${origin}/console`);
      return { page, context, problems };
    },
    shot: (page: Page, name: string) => page.screenshot({ path: join(shots, `${name}.png`), fullPage: true }),
    close: async () => {
      await browser.close();
      if (process.env['SCREENSHOTS'] === undefined) rmSync(shots, { recursive: true, force: true });
    },
  };
}

export async function signIn(page: Page, email = 'auditor@example.com'): Promise<void> {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(DEMO_PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Waits until the log is verified, and reads the verdicts: name → word. */
export async function verdictsOn(page: Page): Promise<Record<string, string>> {
  await page.locator('#verdicts > li').first().waitFor({ timeout: 15_000 });
  return page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll('#verdicts > li')].map((card) => [
        card.id.replace('verdict-', ''),
        card.querySelector('.word')?.textContent ?? '',
      ]),
    ),
  );
}

/** Sequences and signs: what the loop of the stack does within a minute. */
export async function settle(composed: Composed, tenant: TenantId = RIVERSIDE): Promise<void> {
  await sequenceAll(composed.store, tenant, { paceMs: 0 });
  for (let tries = 0; tries < 100; tries += 1) {
    const published = await composed.proof?.checkpoints.publish(tenant).catch(() => null);
    if (published != null) return;
    await sleep(200);
  }
  throw new Error('nothing was published');
}
