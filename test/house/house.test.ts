import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findBreaches } from './direction.ts';

const ROOT = join(import.meta.dirname, '../..');
const sources = (folder: string): Map<string, string> =>
  new Map(
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name) && !name.includes('node_modules'))
      .map((name) => [`${folder}/${name}`, readFileSync(join(ROOT, folder, name), 'utf8')]),
  );
const files = new Map([...sources('src'), ...sources('functions')]);

describe('the house', () => {
  test('imports only run downwards', () => {
    expect(files.size).toBeGreaterThan(4);
    expect(findBreaches(files)).toEqual([]);
  });

  test.each([
    ['src/kernel/x.ts', "import { a } from '../clinic/a.ts';"],
    ['src/crypto/x.ts', "import type { A } from '../audit/a.ts';"],
    ['src/clinic/x.ts', "export { a } from '../storage/firestore/a.ts';"],
    ['src/mcp/x.ts', "const a = await import('../dev/a.ts');"],
    ['src/clinic/x.ts', "import { KMSClient } from '@aws-sdk/client-kms';"],
    ['src/mcp/x.ts', "import { getAuth } from 'firebase-admin/auth';"],
    ['src/audit/x.ts', "import pg from 'pg';"],
    ['src/mcp/x.ts', "import { page } from '../web/a.ts';"],
    ['src/kernel/x.ts', "import '../crypto/a.ts';"],
  ])('a planted breach in %s is found: %s', (file, source) => {
    expect(findBreaches(new Map([[file, source]]))).toHaveLength(1);
  });

  test('no file is over 350 lines', () => {
    const long = [...files].filter(([, source]) => source.split('\n').length > 350).map(([file]) => file);
    expect(long).toEqual([]);
  });

  test('every folder of src has a README', () => {
    const folders = new Set(
      [...files.keys()]
        .filter((f) => f.startsWith('src/') && f.split('/').length > 2)
        .map((f) => f.split('/')[1]),
    );
    const without = [...folders].filter(
      (folder) => !readdirSync(join(ROOT, 'src', folder ?? '')).includes('README.md'),
    );
    expect(without).toEqual([]);
  });
});
