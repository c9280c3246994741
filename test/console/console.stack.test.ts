import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditEvents } from '../../src/audit/append.ts';
import type { AuditEvent } from '../../src/audit/event.ts';
import { startStack } from '../../src/dev/stack.ts';
import { workJob } from '../../src/lifecycle/jobs/worker.ts';
import { startTestStack, type TestStack } from '../e2e/stack.ts';
import { accessibilityFaults } from '../stack/accessible.ts';
import { describeNeeding } from '../stack/needs.ts';
import { openAuditors, RIVERSIDE, settle, signIn, verdictsOn } from './auditor.ts';

describeNeeding('chromium', 'the auditor console in a real browser', () => {
  let at: TestStack;
  let auditors: Awaited<ReturnType<typeof openAuditors>>;
  beforeAll(async () => {
    at = await startTestStack(startStack);
    auditors = await openAuditors(at.stack.origin);
    const john = await at.token('john@example.com');
    await at.call(john, 'getPatient', { sections: ['demographics', 'medications'] });
    await at.call(john, 'getPatient', { sections: ['demographics'], patient: 'pat_doesnotexist00000000000' });
    const { rotations } = at.stack.composed;
    const by = { user: 'operator', client: 'test' };
    await workJob(
      rotations.jobs,
      RIVERSIDE,
      await rotations.reencrypt(RIVERSIDE, { by, before: Date.now() }),
    );
    await settle(at.stack.composed);
  }, 120_000);
  afterAll(async () => {
    await auditors?.close();
    await at?.close();
  });
  const events = async (): Promise<AuditEvent[]> => {
    const rows = await at.stack.composed.store.tenant(RIVERSIDE).list(auditEvents, { limit: 1000 });
    return rows.map(({ row }) => JSON.parse(Buffer.from(row.leaf).toString()) as AuditEvent);
  };
  const goTo = async (page: Page, name: string) => {
    await page.getByRole('navigation').getByRole('link', { name }).click();
    await page.locator('main h1:visible').waitFor();
  };

  test.each([
    { width: 390, colorScheme: 'light' },
    { width: 390, colorScheme: 'dark' },
    { width: 1280, colorScheme: 'light' },
    { width: 1280, colorScheme: 'dark' },
  ] as const)(
    'verifies the log here, and no view has a serious fault ($width px, $colorScheme)',
    async (look) => {
      const { page, context, problems } = await auditors.visit(look);
      const name = `${look.width}-${look.colorScheme}`;
      expect(await accessibilityFaults(page)).toEqual([]);
      await auditors.shot(page, `console-sign-in-${name}`);
      await signIn(page);
      const verdicts = await verdictsOn(page);
      expect(verdicts).toMatchObject({
        inclusion: 'Verified',
        signature: 'Verified',
        freshness: 'Verified',
        store: 'Verified',
        keyUse: 'Not checked',
      });
      expect(verdicts['completeness']).toMatch(/^Verified(, \d+ pending)?$/);
      for (const view of ['Overview', 'Events', 'Reports', 'Emergency reviews', 'Keys', 'Exports']) {
        await goTo(page, view);
        if (view === 'Keys')
          await page.getByText('The wrapping key works, and no older key is left.').waitFor();
        expect(await accessibilityFaults(page), view).toEqual([]);
        await auditors.shot(page, `console-${view.toLowerCase().replace(' ', '-')}-${name}`);
      }
      expect(problems).toEqual([]);
      await context.close();
    },
  );

  test('an event opens by keyboard with its exact bytes and a proof that was checked here', async () => {
    const { page, context } = await auditors.visit();
    await signIn(page);
    await verdictsOn(page);
    await goTo(page, 'Events');
    await page.getByLabel('Tool or page').fill('getPatient');
    await page.getByLabel('Outcome').selectOption('0');
    await page.waitForURL(/operation=getPatient&outcome=0/);
    await page
      .locator('#shown')
      .filter({ hasText: /^[1-9]\d* events?$/ })
      .waitFor();
    await page.locator('#grid').focus();
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await page.getByText(/^Proven: these bytes lead to the signed root/).waitFor();
    const raw = (await page.locator('#event-raw').textContent()) ?? '';
    const leaves = await at.stack.composed.store.tenant(RIVERSIDE).list(auditEvents, { limit: 1000 });
    expect(leaves.map(({ row }) => Buffer.from(row.leaf).toString())).toContain(raw);
    expect(await accessibilityFaults(page)).toEqual([]);
    await auditors.shot(page, 'console-event-1280-light');
    await page.keyboard.press('Escape');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('grid');
    await context.close();
  });

  test('a patient’s alias filters and reports, and never gets into the address', async () => {
    const { page, context } = await auditors.visit();
    await signIn(page);
    await verdictsOn(page);
    const read = (await events()).find((one) => one.operation === 'getPatient' && one.outcome === '0');
    const alias = read?.patient ?? '';
    await goTo(page, 'Events');
    await page.getByLabel('Patient alias').first().fill(alias);
    await page.locator('#filters-on').filter({ hasText: '(1 on)' }).waitFor();
    await page.getByLabel('Name', { exact: true }).fill('mine');
    await page.getByRole('button', { name: 'Save view' }).click();
    expect(page.url()).not.toContain(alias);
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByLabel('Saved views').selectOption('mine');
    expect(await page.getByLabel('Patient alias').first().inputValue()).toBe(alias);
    await page.getByLabel('Tool or page').fill('no such tool');
    await page.getByText('No event matches. Clear a filter to see more.').waitFor();
    await auditors.shot(page, 'console-empty-1280-light');
    await goTo(page, 'Reports');
    await page.locator('#report-patient').fill(alias);
    await page.getByRole('button', { name: 'Make the report' }).click();
    await page.getByRole('cell', { name: 'getPatient' }).first().waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await auditors.shot(page, 'console-report-1280-light');
    await context.close();
  });

  test('nobody but an auditor gets in, is told so, and is in the log', async () => {
    const { page, context } = await auditors.visit({ width: 390 });
    for (const email of ['john@example.com', 'admin@example.com', 'clinician@example.com']) {
      await signIn(page, email);
      await page.getByRole('alert').filter({ hasText: 'This account may not open the console' }).waitFor();
    }
    await auditors.shot(page, 'console-refused-390-light');
    expect(await accessibilityFaults(page)).toEqual([]);
    expect((await fetch(`${at.stack.origin}/console/api/log/size`)).status).toBe(401);
    const refused = (await events()).filter(
      ({ operation, outcome }) => operation === 'consoleSignIn' && outcome === '4',
    );
    expect(refused.map(({ actor, reason }) => [actor.role, reason])).toEqual(
      expect.arrayContaining([
        ['patient', 'ROLE'],
        ['admin', 'ROLE'],
        ['clinician', 'ROLE'],
      ]),
    );
    await context.close();
  });

  test.each([
    ['CSV', 'csv', '"index","recorded"'],
    ['FHIR', 'ndjson', '"resourceType":"AuditEvent"'],
  ])('exports %s, and the log says so', async (button, ending, holds) => {
    const { page, context } = await auditors.visit();
    await signIn(page);
    await verdictsOn(page);
    await goTo(page, 'Exports');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: `Download ${button}` }).click(),
    ]);
    expect(download.suggestedFilename()).toBe(`audit-riverside.${ending}`);
    expect(readFileSync(await download.path(), 'utf8')).toContain(holds);
    expect((await events()).filter(({ operation }) => operation === 'consoleExport').length).toBeGreaterThan(
      0,
    );
    await context.close();
  });

  test('the evidence bundle verifies itself, unpacked, and one altered byte in it is found', async () => {
    const { page, context } = await auditors.visit();
    await signIn(page);
    await verdictsOn(page);
    await goTo(page, 'Exports');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download BUNDLE' }).click(),
    ]);
    const folder = mkdtempSync(join(tmpdir(), 'chartseal-bundle-'));
    for (const [path, bytes] of Object.entries(unzipSync(readFileSync(await download.path())))) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), bytes);
    }
    const verify = () =>
      spawnSync(process.execPath, ['verify.mjs'], { cwd: folder, encoding: 'utf8', env: {} });
    const whole = verify();
    expect([whole.status, whole.stdout]).toEqual([0, expect.stringMatching(/inclusion +ok/)]);
    const leaves = readFileSync(join(folder, 'leaves.ndjson'), 'utf8');
    writeFileSync(join(folder, 'leaves.ndjson'), leaves.replace('"outcome":"4"', '"outcome":"0"'));
    expect(verify().stdout).toMatch(/inclusion +BROKEN|LEAF_CHANGED/);
    rmSync(folder, { recursive: true });
    await context.close();
  });

  test('a server that breaks off leaves nothing that looks verified', async () => {
    const { page, context } = await auditors.visit();
    await signIn(page);
    await verdictsOn(page);
    await page.route('**/console/api/log/bundles?**', (route) => route.abort());
    await page.getByRole('button', { name: 'Verify again' }).click();
    await page.locator('#banner').filter({ hasText: 'nothing was verified' }).waitFor();
    expect(await page.locator('#verdicts > li').count()).toBe(0);
    expect(await accessibilityFaults(page)).toEqual([]);
    await auditors.shot(page, 'console-error-1280-light');
    await context.close();
  });

  test('signing out ends the session on the server', async () => {
    const { page, context } = await auditors.visit();
    await signIn(page);
    await verdictsOn(page);
    const cookies = await context.cookies();
    expect(cookies.map(({ name }) => name)).toEqual(['__session']);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    const cookie = `__session=${cookies[0]?.value ?? ''}`;
    const answer = await fetch(`${at.stack.origin}/console/api/session`, { headers: { cookie } });
    expect(answer.status).toBe(401);
    await context.close();
  });
});
