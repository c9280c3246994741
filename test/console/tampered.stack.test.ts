import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSize } from '../../src/audit/tree-store.ts';
import { tamper } from '../../src/dev/demo/tamper.ts';
import { openOwnerStore } from '../../src/dev/owner-store.ts';
import { startStack } from '../../src/dev/stack.ts';
import type { Store } from '../../src/kernel/store.ts';
import { startTestStack, type TestStack } from '../e2e/stack.ts';
import { accessibilityFaults } from '../stack/accessible.ts';
import { describeNeeding } from '../stack/needs.ts';
import { openAuditors, RIVERSIDE, settle, signIn, verdictsOn } from './auditor.ts';

describeNeeding('chromium', 'the console over a log that was altered behind the server’s back', () => {
  let at: TestStack;
  let owner: Store;
  let auditors: Awaited<ReturnType<typeof openAuditors>>;
  beforeAll(async () => {
    at = await startTestStack(startStack);
    owner = openOwnerStore(at.stack.env);
    auditors = await openAuditors(at.stack.origin);
    const john = await at.token('john@example.com');
    await settle(at.stack.composed);
    await at.call(john, 'getPatient', { sections: ['demographics'] });
    await settle(at.stack.composed);
  }, 120_000);
  afterAll(async () => {
    await auditors?.close();
    await owner?.close();
    await at?.close();
  });

  test.each([
    ['edit', 'LEAF_CHANGED'],
    ['delete', 'LEAF_MISSING'],
  ] as const)(
    'turns from verified to broken after “%s”, and back',
    async (how, code) => {
      const rows = owner.tenant(RIVERSIDE);
      const { page, context, problems } = await auditors.visit();
      await signIn(page);
      expect(await verdictsOn(page)).toMatchObject({ inclusion: 'Verified', signature: 'Verified' });
      const overview = page.locator('#overall');
      expect(await overview.getAttribute('data-tone')).toBe('good');
      const covered = await readSize(rows);
      const { undo } = await tamper(how, {
        rows,
        covered,
        user: 'usr_john',
        connect: () => Promise.reject(new Error('Nothing has to happen through the server.')),
        wait: () => {},
      });
      await page.getByRole('button', { name: 'Verify again' }).click();
      await overview.filter({ hasText: 'The log does not hold' }).waitFor();
      expect(await verdictsOn(page)).toMatchObject({ inclusion: 'Broken', signature: 'Verified' });
      expect(await page.locator('#verdict-inclusion').textContent()).toContain(code);
      expect(await overview.getAttribute('data-tone')).toBe('bad');
      expect(await accessibilityFaults(page)).toEqual([]);
      await auditors.shot(page, `console-${how}-1280-light`);
      await undo();
      await page.getByRole('button', { name: 'Verify again' }).click();
      await page.locator('#overall[data-tone=good]').waitFor();
      expect(await verdictsOn(page)).toMatchObject({ inclusion: 'Verified' });
      expect(problems).toEqual([]);
      await context.close();
    },
    60_000,
  );
});
