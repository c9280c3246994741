import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StackError } from '../dev/errors.ts';
import { DEMO_PASSWORD } from '../dev/people.ts';
import { UsageError } from './command.ts';

/** Where the local stack keeps its state: `.chartseal` below the working folder, or CHARTSEAL_DATA. */
export const dataDir = (): string => process.env['CHARTSEAL_DATA'] ?? join(process.cwd(), '.chartseal');

/** `--store` or CHARTSEAL_STORE; undefined lets the stack choose. */
export function storeWish(option: unknown): 'firestore' | 'postgres' | undefined {
  const wish = option ?? process.env['CHARTSEAL_STORE'];
  if (wish === undefined || wish === 'firestore' || wish === 'postgres') return wish;
  throw new UsageError('The store is "firestore" or "postgres".');
}

/** The environment of the local stack that runs from this folder; null when none does. */
export async function runningStack(): Promise<Record<string, string> | null> {
  const text = await readFile(join(dataDir(), 'stack.json'), 'utf8').catch(() => null);
  if (text === null) return null;
  const { pid, env } = JSON.parse(text) as { pid: number; env: Record<string, string> };
  try {
    process.kill(pid, 0);
    return env;
  } catch {
    return null;
  }
}

/** @throws StackError `NO_STACK`. */
export async function requireStack(): Promise<Record<string, string>> {
  const env = await runningStack();
  if (env === null)
    throw new StackError('NO_STACK', 'No local stack runs from this folder. Start one with "npm start".');
  return env;
}

/** The local stack's MCP address, and the patient of the demos. */
export const johnAt = (env: Readonly<Record<string, string | undefined>>) => ({
  mcp: new URL(`${env['CHARTSEAL_ORIGIN'] ?? ''}/mcp`),
  person: {
    email: 'john@example.com',
    password: DEMO_PASSWORD,
    authEmulatorUrl: `http://${env['FIREBASE_AUTH_EMULATOR_HOST'] ?? ''}`,
  },
});
