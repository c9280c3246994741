import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStack } from '../../src/dev/stack.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { startTestStack, type TestStack } from '../e2e/stack.ts';
import { describeOnBothStores } from '../stack/needs.ts';
import { run } from './run.ts';

const ROOT = join(import.meta.dirname, '../..');
const SYNTHEA = join(ROOT, '../shared/data/synthea');
const files = [
  ...['john-doe', 'ana-ruiz'].map((name) => join(ROOT, 'emulator-data', `${name}.json`)),
  ...(existsSync(SYNTHEA)
    ? readdirSync(SYNTHEA)
        .filter((name) => name.endsWith('.json'))
        .map((name) => join(SYNTHEA, name))
    : []),
];

interface Subject {
  readonly birthDate: string;
  readonly identifier: readonly {
    readonly type?: { readonly coding?: readonly { readonly code: string }[] };
    readonly value: string;
  }[];
}

describeOnBothStores(
  (store) => `chartseal patient import on real ${store} (${files.length} bundles)`,
  (store) => {
    let at: TestStack;
    beforeAll(async () => {
      at = await startTestStack(startStack, { store });
    }, 120_000);
    afterAll(async () => at?.close());

    test('seals each bundle, reports what it took and left, and getPatient answers from it', async () => {
      for (const [index, file] of files.entries()) {
        const email = `import-${index}@example.com`;
        const { code, out, err } = await run(at.dataDir, [
          'patient',
          'import',
          file,
          '--sign-in',
          email,
          '--json',
        ]);
        expect(code, err).toBe(0);
        const done = JSON.parse(out) as {
          patient: string;
          imported: Record<string, number>;
          left: Record<string, number>;
        };
        const entries = (
          JSON.parse(readFileSync(file, 'utf8')) as { entry: { resource: { resourceType: string } }[] }
        ).entry;
        const counted = [done.imported, done.left]
          .flatMap((counts) => Object.values(counts))
          .reduce((a, b) => a + b, 0);
        expect(counted).toBe(entries.length);

        const who = entries.find(({ resource }) => resource.resourceType === 'Patient')
          ?.resource as unknown as Subject;
        const mrn =
          who.identifier.find(({ type }) => type?.coding?.some(({ code }) => code === 'MR'))?.value ?? '';
        const found = await at.stack.composed.index.find('riverside' as TenantId, {
          mrn,
          birthDate: who.birthDate,
        });
        expect(found).toContain(done.patient);

        const read = await at.call(await at.token(email), 'getPatient', {
          sections: ['demographics', 'conditions', 'results'],
        });
        const conditions = entries.filter(({ resource }) => resource.resourceType === 'Condition').length;
        expect(read.structuredContent).toMatchObject({ conditions: { total: conditions } });
        const patient = entries.find(({ resource }) => resource.resourceType === 'Patient')
          ?.resource as unknown as { birthDate: string };
        expect(read.structuredContent?.['demographics']).toMatchObject({ birthDate: patient.birthDate });
      }
    }, 120_000);

    test('a broken bundle is refused whole and exits 1', async () => {
      const file = join(at.dataDir, 'broken.json');
      writeFileSync(file, '{"resourceType":"Bundle","entry":[]}');
      const { code, err } = await run(at.dataDir, ['patient', 'import', file]);
      expect(code).toBe(1);
      expect(err).toContain('Nothing was imported. (IMPORT_FORMAT)');
      rmSync(file);
    });
  },
);
