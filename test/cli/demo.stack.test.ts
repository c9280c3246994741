import { rmSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { openFolder } from '../e2e/stack.ts';
import { describeOnBothStores } from '../stack/needs.ts';
import { run } from './run.ts';

interface Told {
  readonly ok: boolean;
  readonly steps: readonly {
    readonly title: string;
    readonly ok: boolean;
    readonly data?: { values: number; rows: number; foundIn: string[] };
  }[];
}

describeOnBothStores(
  (store) => `npm run demo on real ${store}`,
  (store) => {
    const dataDir = openFolder();
    afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

    test('starts a stack of its own, tells every step to a program, and exits 0', async () => {
      const { code, out, err } = await run(dataDir, ['demo', '--json'], { CHARTSEAL_STORE: store });
      expect(err).toBe('');
      const told = JSON.parse(out) as Told;
      expect(told.steps.filter((step) => !step.ok)).toEqual([]);
      expect([code, told.ok, told.steps.length]).toEqual([0, true, 12]);
      const search = told.steps.find(({ title }) => title.startsWith('the whole store'))?.data;
      expect(search).toMatchObject({ foundIn: [] });
      expect(search?.values).toBeGreaterThan(40);
      expect(search?.rows).toBeGreaterThan(40);
    }, 90_000);

    test('runs again on what the first run left, for a person, without colours', async () => {
      const { code, out } = await run(dataDir, ['demo'], { CHARTSEAL_STORE: store });
      expect(code, out).toBe(0);
      expect(out).toContain('Everything is as it should be.');
      expect(out).not.toContain('\u001b[');
    }, 90_000);
  },
);
