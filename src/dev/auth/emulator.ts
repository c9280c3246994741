import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A running Auth emulator. */
export interface AuthEmulator {
  /** `host:port`, as `FIREBASE_AUTH_EMULATOR_HOST` wants it. */
  readonly host: string;
  /** `http://host:port`, as the browser's SDK wants it. */
  readonly url: string;
  close(): Promise<void>;
}

const START_MS = 60_000;
const STOP_MS = 3_000;
/** No look-ups on the network: neither for a newer version nor for a metadata server. */
const OFFLINE = { METADATA_SERVER_DETECTION: 'none', CI: 'true', FIREBASE_CLI_DISABLE_UPDATE_CHECK: '1' };

/**
 * Starts the Firebase Auth emulator on loopback, in its own process (about 4 s).
 *
 * @param options `port` 0 or left out takes a free one. The project should start with `demo-`.
 * @throws Error with the emulator's last words when it does not start within a minute.
 */
export async function startAuthEmulator(options: {
  projectId: string;
  port?: number;
}): Promise<AuthEmulator> {
  const child = fork(
    join(import.meta.dirname, 'emulator-process.ts'),
    [options.projectId, String(options.port ?? 0)],
    { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], env: { ...process.env, ...OFFLINE }, execArgv: [] },
  );
  try {
    const host = `127.0.0.1:${await portOf(child)}`;
    return { host, url: `http://${host}`, close: () => stop(child) };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  let lastWords = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    lastWords = (lastWords + chunk.toString()).slice(-500);
  });
  const failed = (why: string): Error => new Error(`The Auth emulator ${why}. ${lastWords}`.trim());
  const started = Promise.withResolvers<number>();
  child.once('message', (message: { port: number }) => started.resolve(message.port));
  child.once('exit', () => started.reject(failed('stopped while it started')));
  const timer = setTimeout(() => started.reject(failed('did not start in time')), START_MS);
  try {
    return await started.promise;
  } finally {
    clearTimeout(timer);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  if (child.connected) child.disconnect();
  else child.kill('SIGTERM');
  await exit;
  clearTimeout(timer);
}
