import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { describeNeeding } from '../stack/needs.ts';

const RUN = join(import.meta.dirname, 'run.ts');
const bench = async (...args: string[]) =>
  (await promisify(execFile)(process.execPath, [RUN, ...args])).stdout;

describeNeeding('firestore', 'the benchmarks keep working', () => {
  test('each that is listed prints one figure a line, for a program', async () => {
    const names = (await bench('--list')).trim().split('\n');
    const figures = (await bench('--quick', '--json'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(figures.map(({ name }) => name)).toEqual(names);
    for (const figure of figures) {
      expect(Object.keys(figure)).toEqual(['name', 'value', 'unit', 'floor', 'ratio']);
      expect(figure['value']).toBeGreaterThan(0);
    }
  }, 240_000);
});
