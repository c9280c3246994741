import { openAuditors, verdictsOn } from '../console/auditor.ts';
import { openBigConsole } from '../console/big-log.ts';
import type { BenchOptions, Measured } from './bench.ts';

/** What the console's page says that verifying took, its downloads included, against the same log verified in Node. */
export async function browserVerification({ quick }: BenchOptions): Promise<Measured> {
  const count = quick ? 20_000 : 100_000;
  const house = await openBigConsole(count);
  const auditors = await openAuditors(house.origin);
  try {
    const { page, context } = await auditors.visit();
    await context.addCookies([{ name: '__session', value: await house.signIn(), url: house.origin }]);
    await page.reload();
    await verdictsOn(page);
    const seconds = Number(
      /in ([\d.]+) s/.exec((await page.locator('#progress-text').textContent()) ?? '')?.[1],
    );
    return { value: (seconds * 1_000_000) / count, floor: ((await house.verifyHere()) * 1_000) / count };
  } finally {
    await auditors.close();
    await house.close();
  }
}
