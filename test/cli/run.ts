import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const CLI = join(import.meta.dirname, '../../src/cli/chartseal.ts');

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A running command of ours, and what it has said so far. */
export interface Running {
  readonly child: ChildProcess;
  said(): string;
  /** Waits until the output holds `text`. */
  until(text: string, ms: number): Promise<void>;
  ended(): Promise<Ended>;
}

const cleanEnv = () =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(FIRESTORE|FIREBASE|CHARTSEAL|GCLOUD|VITEST)/.test(name),
    ),
  );

/** Starts `chartseal …` as a person would, with its data in `dataDir`. */
export function start(dataDir: string, args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { ...cleanEnv(), CHARTSEAL_DATA: dataDir, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const exited = once(child, 'close').then(() => ({ code: child.exitCode, out, err }));
  return {
    child,
    said: () => out + err,
    until: async (text, ms) => {
      const end = Date.now() + ms;
      while (!out.includes(text)) {
        if (Date.now() > end || child.exitCode !== null)
          throw new Error(`"${text}" did not come. It said:\n${out}${err}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    ended: () => exited,
  };
}

/** Runs a command to its end. */
export const run = (
  dataDir: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended> => start(dataDir, args, env).ended();

/**
 * Runs a command at a terminal of its own (util-linux's `script` makes one), waits for `until`, and types.
 *
 * @returns what the terminal showed.
 */
export async function atTerminal(
  dataDir: string,
  args: readonly string[],
  person: { until: string; typed: string },
): Promise<{ code: number | null; out: string }> {
  const command = [process.execPath, CLI, ...args].map((word) => `'${word}'`).join(' ');
  // `exec`, so that no shell stands between the terminal and the command and answers for it.
  const child = spawn('script', ['-qec', `exec ${command}`, '/dev/null'], {
    env: { ...cleanEnv(), CHARTSEAL_DATA: dataDir, NO_COLOR: '1' },
  });
  let out = '';
  let typed = false;
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    if (typed || !out.includes(person.until)) return;
    typed = true;
    child.stdin.write(person.typed);
  });
  await once(child, 'close');
  return { code: child.exitCode, out };
}
