import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary?: string }[];
  }[];
}

/** What keeps people out of the page as it is now: axe's serious and critical findings, and a page wider than its window. */
export async function accessibilityFaults(page: Pick<Page, 'evaluate'>): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = (await page.evaluate(
    '(async () => { const r = await axe.run(document, { resultTypes: ["violations"] }); return { violations: r.violations }; })()',
  )) as AxeResults;
  const faults = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} ${target.join(' ')}: ${failureSummary ?? ''}`),
    );
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  return over > 0 ? [...faults, `wider than the window by ${over} px`] : faults;
}
