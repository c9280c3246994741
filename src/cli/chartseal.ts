#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { ChartsealError } from '../kernel/errors.ts';
import { VERSION } from '../kernel/version.ts';
import { type Command, EXIT, UsageError } from './command.ts';
import { COMMANDS } from './commands.ts';
import { out } from './terminal.ts';

/** Finds the command, reads its options, runs it, and turns what it threw into a line and an exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const [first = 'help', second = ''] = argv;
  if (first === '--version') return say(VERSION);
  const name = COMMANDS.has(`${first} ${second}`) ? `${first} ${second}` : first;
  const command = COMMANDS.get(name);
  if (command === undefined)
    return first === 'help' || first === '--help'
      ? say(usage())
      : fail(EXIT.usage, `There is no command "${first}".\n\n${usage()}`);
  try {
    const options = { json: { type: 'boolean' }, help: { type: 'boolean' }, ...command.options } as const;
    const { values, positionals } = parseArgs({
      args: argv.slice(name.split(' ').length).map((word) => withValue(word, command.bare)),
      options,
      allowPositionals: true,
    });
    if (values.help === true) return say(`chartseal ${name} ${command.usage}\n\n${command.summary}`);
    return await command.run({ values, positionals, json: values.json === true });
  } catch (error) {
    return explain(error, name);
  }
}

/** `--tamper` is `--tamper=edit` where the command says so. */
function withValue(word: string, bare: Command['bare'] = {}): string {
  const value = word.startsWith('--') ? bare[word.slice(2)] : undefined;
  return value === undefined ? word : `${word}=${value}`;
}

function explain(error: unknown, name: string): number {
  if (error instanceof UsageError || (error instanceof TypeError && 'code' in error)) {
    return fail(EXIT.usage, `${error.message}\nTry: chartseal ${name} --help`);
  }
  if (error instanceof ChartsealError)
    return fail(error.retryable ? EXIT.unknown : EXIT.no, `${error.message} (${error.code})`);
  return fail(
    EXIT.unknown,
    error instanceof Error ? `Something went wrong: ${error.message}` : 'Something went wrong.',
  );
}

function usage(): string {
  const lines = [...COMMANDS].flatMap(([name, { usage: form, summary }]) => [
    `  ${`${name} ${form}`.trimEnd()}`,
    `      ${summary}`,
  ]);
  return ['Usage: chartseal <command> [options]   (--json for programs)', '', ...lines].join('\n');
}

function say(text: string): number {
  out(text);
  return EXIT.ok;
}

function fail(code: number, text: string): number {
  process.stderr.write(`${text}\n`);
  return code;
}

process.exitCode = await main(process.argv.slice(2));
