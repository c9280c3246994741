import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stepsByHand } from '../../src/dev/deploy/by-hand.ts';
import { ALARMS } from '../../src/hosting.ts';
import { textOf } from './template.ts';

const ROOT = join(import.meta.dirname, '../..');
const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const commands = stepsByHand('riverside').flatMap((step) => step.commands);

test.each(ALARMS)('$name is in the runbook, and somebody makes it', ({ name, from, means }) => {
  expect(text('docs/runbook.md')).toContain(`| \`${name}\` | ${from} | ${means} |`);
  if (from === 'CloudWatch') expect(textOf('roles.yaml')).toContain(`AlarmName: ${name}`);
  else expect(commands.filter((command) => command.includes(` ${name} `))).not.toEqual([]);
});

test('the runbook names no alarm that nobody makes', () => {
  const named = [...text('docs/runbook.md').matchAll(/^\| `(chartseal-[a-z-]+)` \|/gm)].map(
    ([, name]) => name,
  );
  expect(named).toEqual(ALARMS.map(({ name }) => name));
});

test('each alarm from the process log watches for a line that the functions write', () => {
  const source = text('functions/index.ts');
  for (const { filter } of ALARMS.filter(({ from }) => from === 'Cloud Logging')) {
    const [, severity = '', message = ''] =
      /^severity=(\w+) AND jsonPayload\.message="(\w+)"$/.exec(filter ?? '') ?? [];
    const written = [`severity: '${severity}', message: '${message}'`, `jobFault('${message}')`];
    expect(
      written.some((line) => source.includes(line)),
      message,
    ).toBe(true);
  }
});
