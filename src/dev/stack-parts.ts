import { appendFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Journal } from '../audit/append.ts';
import { DEMO_PEOPLE } from './people.ts';
import type { StackSecrets } from './secrets.ts';

/** The project of the local stack; `demo-` tells Firebase's tools that it exists nowhere. */
export const PROJECT = 'demo-chartseal';
/** Where the emulated keys live. */
export const REGION = 'us-east-1';

/** Notes how to end a part that was started. */
export type OnStarted = (end: () => Promise<unknown>) => void;

/** Starts by `start`; its `close` ends everything that was started, last first, and so does a failure. */
export async function startClosable<T>(
  start: (started: OnStarted) => Promise<T>,
): Promise<T & { close(): Promise<void> }> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of closers.splice(0).reverse()) await end();
  };
  try {
    return { ...(await start((end) => closers.push(end))), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What every local server is configured with, whatever store it runs on. */
export function serverEnv(options: {
  readonly dataDir: string;
  readonly origin: string;
  readonly kmsUrl: string;
  readonly authHost: string;
  readonly secrets: StackSecrets;
}) {
  return {
    CHARTSEAL_ENV: 'development',
    CHARTSEAL_ORIGIN: options.origin,
    CHARTSEAL_KMS: 'emulator',
    CHARTSEAL_KMS_ENDPOINT: options.kmsUrl,
    CHARTSEAL_SIGNING_KEYS: options.secrets.signingKeys,
    CHARTSEAL_COOKIE_KEYS: options.secrets.cookieKeys,
    CHARTSEAL_CHECKPOINTS: resolve(options.dataDir, 'checkpoints'),
    CHARTSEAL_DOCUMENTS: resolve(options.dataDir, 'documents'),
    CHARTSEAL_FIREBASE_API_KEY: 'demo-api-key',
    // The synthetic staff have no phone; whoever runs this for real people does not set it.
    CHARTSEAL_WITHOUT_SECOND_FACTOR: DEMO_PEOPLE.map(({ uid }) => uid).join(','),
    FIREBASE_AUTH_EMULATOR_HOST: options.authHost,
    GCLOUD_PROJECT: PROJECT,
    AWS_REGION: REGION,
  };
}

/** The journal of a local stack: a file beside its keys. */
export const journalIn =
  (dataDir: string): Journal =>
  (line) =>
    appendFileSync(join(dataDir, 'journal.ndjson'), `${JSON.stringify(line)}\n`);

/** Tells other commands of this folder that a stack runs, and where. Returns how to take the note away. */
export async function leaveNote(
  dataDir: string,
  env: Readonly<Record<string, string>>,
): Promise<() => Promise<void>> {
  const note = join(dataDir, 'stack.json');
  await writeFile(note, JSON.stringify({ pid: process.pid, env }), { mode: 0o600 });
  return () => rm(note, { force: true });
}
