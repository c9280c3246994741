import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BackendError } from './errors.ts';
import { findFirestoreEmulator } from './find-firestore-emulator.ts';
import { freePort, isFree } from './free-port.ts';
import { endGroup, watchOver } from './watchdog.ts';

const MAIN_CLASS = 'com.google.cloud.datastore.emulator.firestore.CloudFirestore';
const READY_MS = 30_000;
const KEPT_OUTPUT = 2_000;

/** How to start the emulator. */
export interface FirestoreEmulatorOptions {
  /** A free one unless given. */
  readonly port?: number;
  /** Path of a rules file. Rules bind clients only; the Admin SDK passes them. */
  readonly rules?: string;
  /** A folder that holds a Firestore export to begin with. */
  readonly importDir?: string;
}

/** A running backend on loopback. */
export interface RunningEmulator {
  readonly host: string;
  readonly port: number;
  /** Ends it and waits until it has ended. */
  close(): Promise<void>;
}

/**
 * Starts the official Firestore emulator on loopback and waits until it answers.
 *
 * @throws BackendError `BACKEND_MISSING` when the emulator or Java is not there, `BACKEND_START` when it does
 * not answer within 30 s.
 */
export async function startFirestoreEmulator(
  options: FirestoreEmulatorOptions = {},
): Promise<RunningEmulator> {
  const where = await findFirestoreEmulator();
  if (!where.found) throw new BackendError('BACKEND_MISSING', where.reason);
  const host = '127.0.0.1';
  const port = options.port ?? (await freePort());
  if (!(await isFree(port)))
    throw new BackendError(
      'BACKEND_START',
      `Port ${port} is taken. Choose another for the Firestore emulator.`,
    );
  const args = [
    '-Duser.language=en',
    '-cp',
    where.jar,
    MAIN_CLASS,
    'start',
    `--host=${host}`,
    `--port=${port}`,
  ];
  if (options.rules !== undefined) args.push(`--rules=${options.rules}`);
  if (options.importDir !== undefined) args.push(`--seed_from_export=${exportIn(options.importDir)}`);
  const child = spawn(where.java, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = supervise(child);
  try {
    await ready(child, `http://${host}:${port}/v1/projects/demo-ready/databases/(default)/documents/a/b`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { host, port, close: stop };
}

/** Ties the child's process group to this process, and returns how to end it. */
function supervise(child: ChildProcess): () => Promise<void> {
  const { pid } = child;
  if (pid === undefined) return async () => undefined;
  const ended = once(child, 'close').catch(() => undefined);
  const callOff = watchOver(-pid, 'KILL');
  const end = (): void => endGroup(pid);
  process.once('exit', end);
  void ended.then(() => {
    process.off('exit', end);
    callOff();
  });
  return async () => {
    end();
    await ended;
  };
}

/** Waits for the answer that there is no such document: the first real read takes another second. */
async function ready(child: ChildProcess, url: string): Promise<void> {
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-KEPT_OUTPUT);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  child.once('error', (error) => keep(Buffer.from(error.message)));
  const end = performance.now() + READY_MS;
  while (performance.now() < end && child.exitCode === null && child.pid !== undefined) {
    const response = await fetch(url, {
      headers: { authorization: 'Bearer owner' },
      signal: AbortSignal.timeout(10_000),
    }).catch(() => null);
    if (response?.status === 404) return;
    await sleep(100);
  }
  throw new BackendError('BACKEND_START', `The Firestore emulator did not start. It said: ${output.trim()}`);
}

function exportIn(folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const metadata = files.find((name) => name.endsWith('.overall_export_metadata'));
  if (metadata === undefined)
    throw new BackendError('BACKEND_START', `There is no Firestore export in ${folder}.`);
  return join(folder, metadata);
}
