import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from '../../src/audit/verify/report.ts';
import type { Tampering } from '../../src/dev/demo/tamper.ts';
import { openOwnerStore } from '../../src/dev/owner-store.ts';
import { startStack } from '../../src/dev/stack.ts';
import { settle } from '../console/auditor.ts';
import { openFolder, startTestStack, type TestStack } from '../e2e/stack.ts';
import { describeOnBothStores } from '../stack/needs.ts';
import { atTerminal, run } from './run.ts';

interface Played {
  readonly ok: boolean;
  readonly how: string;
  readonly console: string;
  readonly altered: readonly string[];
  readonly before: Report;
  readonly after: Report;
  readonly restored: Report | null;
}

const failures = (report: Report | null) =>
  Object.fromEntries(
    (report?.verdicts ?? [])
      .filter(({ state }) => state === 'fail')
      .map(({ name, findings }) => [name, findings[0]?.code]),
  );

describeOnBothStores(
  (store) => `npm run demo -- --tamper on real ${store}`,
  (store) => {
    let at: TestStack;
    beforeAll(async () => {
      at = await startTestStack(startStack, { store });
      const john = await at.token('john@example.com');
      await settle(at.stack.composed);
      await at.call(john, 'getPatient', { sections: ['demographics'] });
      await settle(at.stack.composed);
    }, 120_000);
    afterAll(async () => at?.close());

    const play = async (how: Tampering): Promise<Played> => {
      const { code, out, err } = await run(at.dataDir, ['demo', `--tamper=${how}`, '--json']);
      expect([code, err]).toEqual([0, '']);
      return JSON.parse(out) as Played;
    };

    test.each([
      // Its writer's next event, where there is one yet, names what is no longer there.
      ['edit', [{ inclusion: 'LEAF_CHANGED' }, { inclusion: 'LEAF_CHANGED', completeness: 'EVENT_LOST' }]],
      ['delete', [{ inclusion: 'LEAF_MISSING' }, { inclusion: 'LEAF_MISSING', completeness: 'EVENT_LOST' }]],
      ['twin', [{ completeness: 'EVENT_LOST' }]],
      ['rollback', [{ store: 'ROLLED_BACK' }]],
    ] as const)(
      '%s is found out, and put back',
      async (how, expected) => {
        const played = await play(how);
        expect(played).toMatchObject({ ok: true, how, console: `${at.stack.origin}/console` });
        expect(failures(played.before)).toEqual({});
        expect(expected).toContainEqual(failures(played.after));
        expect(failures(played.restored)).toEqual({});
        expect((await run(at.dataDir, ['audit', 'verify'])).code).toBe(0);
      },
      240_000,
    );

    test('without a kind it edits, tells a person what to look at, and the chart answers again', async () => {
      const { code, out } = await run(at.dataDir, ['demo', '--tamper']);
      expect(code, out).toBe(0);
      expect(out).toMatch(/Before[\s\S]*Every verdict[\s\S]*After[\s\S]*inclusion {5}FAIL {9}LEAF_CHANGED/);
      expect(out).toContain(`${at.stack.origin}/console as auditor@example.com`);
      expect(out).toContain('everything is as it was');
      const read = await at.call(await at.token('john@example.com'), 'getPatient', {
        sections: ['demographics'],
      });
      expect(read.isError).not.toBe(true);
    }, 120_000);

    test.each([
      ['Enter', '\r'],
      ['Ctrl-C', '\u0003'],
    ])(
      'at a terminal it waits while the person looks, and puts everything back at %s',
      async (_key, typed) => {
        const { code, out } = await atTerminal(at.dataDir, ['demo', '--tamper=edit'], {
          until: 'Press Enter to put everything back.',
          typed,
        });
        expect([code, out]).toEqual([0, expect.stringContaining('everything is as it was')]);
        expect((await run(at.dataDir, ['audit', 'verify'])).code).toBe(0);
      },
      120_000,
    );

    test('refuses what is not the local stack, and words that do not make a call', async () => {
      const elsewhere = { CHARTSEAL_ORIGIN: 'https://clinic.example' };
      expect((await run(at.dataDir, ['demo', '--tamper'], elsewhere)).err).toContain('NO_STACK');
      for (const words of [['--tamper=burn'], ['--tamper', 'delete'], ['--keep']])
        expect(await run(at.dataDir, ['demo', ...words])).toMatchObject({ code: 2 });
      const url = 'postgresql://owner@db.clinic.example/chartseal';
      expect(() => openOwnerStore({ CHARTSEAL_DATABASE_OWNER_URL: url })).toThrow(/local stack only/);
      expect(() => openOwnerStore({ FIRESTORE_EMULATOR_HOST: '10.0.0.7:8080' })).toThrow(/local stack only/);
    });

    test('where no stack runs it starts none', async () => {
      const empty = openFolder();
      const { code, err } = await run(empty, ['demo', '--tamper']);
      expect(code).toBe(1);
      expect(err).toContain('NO_STACK');
      rmSync(empty, { recursive: true });
    });

    test('--keep leaves it as it is', async () => {
      const { code, out } = await run(at.dataDir, ['demo', '--tamper=delete', '--keep']);
      expect(code, out).toBe(0);
      expect((await run(at.dataDir, ['audit', 'verify'])).code).toBe(1);
    }, 120_000);
  },
);
