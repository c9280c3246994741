import { type Composed, compose } from '../compose.ts';
import { readConfig } from '../config.ts';
import { journalIn } from '../dev/stack-parts.ts';
import { dataDir, runningStack } from './local.ts';

/** Composed on the local stack that runs from this folder, else on what the environment names. */
export async function composeHere(): Promise<{
  composed: Composed;
  env: Readonly<Record<string, string | undefined>>;
}> {
  const stack = process.env['CHARTSEAL_ORIGIN'] === undefined ? await runningStack() : null;
  const env = stack ?? process.env;
  // Firebase's libraries read the emulators' addresses from the process, not from a parameter.
  if (stack !== null) Object.assign(process.env, stack);
  const composed = compose(readConfig(env), {
    assets: new Map(),
    // The local stack's own journal; elsewhere whoever runs the command keeps what it says.
    journal:
      stack === null ? (line) => process.stderr.write(`${JSON.stringify(line)}\n`) : journalIn(dataDir()),
    onFault: ({ name, code }) => process.stderr.write(`fault: ${name} ${code}\n`),
  });
  return { composed, env };
}
