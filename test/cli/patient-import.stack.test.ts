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

    test('published slots become open times; a broken line is named, changes nothing and exits 1', async () => {
      const day = new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10);
      const lines = [
        { resourceType: 'Practitioner', id: 'dr-published', name: [{ text: 'Dr. Published' }] },
        { resourceType: 'Schedule', id: 's', actor: [{ reference: 'Practitioner/dr-published' }] },
        {
          ...{ resourceType: 'Slot', id: 'a', status: 'free', schedule: { reference: 'Schedule/s' } },
          ...{ start: `${day}T11:00:00Z`, end: `${day}T11:20:00Z` },
        },
      ].map((line) => JSON.stringify(line));
      const file = join(at.dataDir, 'slots.ndjson');
      const take = (...more: string[]) => {
        writeFileSync(file, [...lines, ...more].join('\n'));
        return run(at.dataDir, ['schedule', 'import', file, '--visit-type', 'video-consultation', '--json']);
      };
      const broken = await take('{');
      expect([broken.code, broken.err]).toEqual([
        1,
        expect.stringContaining('slots.ndjson line 4: not JSON. Nothing was imported. (IMPORT_FORMAT)'),
      ]);
      const done = await take();
      expect(done.code, done.err).toBe(0);
      expect(JSON.parse(done.out)).toMatchObject({
        people: [{ id: 'dr-published', outcome: 'added', free: 1, busy: 0 }],
      });
      const token = await at.token('john@example.com');
      const found = await at.call(token, 'findOpenSlots', { visitType: 'video-consultation', from: day });
      expect(JSON.stringify(found.structuredContent)).toContain('Dr. Published');
    });

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
