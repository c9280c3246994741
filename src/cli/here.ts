import { type Composed, compose } from '../compose.ts';
import { readConfig } from '../config.ts';
import { journalIn } from '../dev/stack-parts.ts';
import { dataDir, runningStack } from './local.ts';

/** The environment of the local stack that runs from this folder, else this process's own. */
export async function envHere(): Promise<{
  env: Readonly<Record<string, string | undefined>>;
  stack: Readonly<Record<string, string>> | null;
}> {
  const stack = process.env['CHARTSEAL_ORIGIN'] === undefined ? await runningStack() : null;
  return { env: stack ?? process.env, stack };
}

/** Composed on the local stack that runs from this folder, else on what the environment names. */
export async function composeHere(): Promise<{
  composed: Composed;
  env: Readonly<Record<string, string | undefined>>;
}> {
  const { env, stack } = await envHere();
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
