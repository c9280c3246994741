import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { freePort } from '../../src/dev/backends/free-port.ts';

/** The `moto_server` of this machine: an emulator of AWS by others. Undefined when there is none. */
export const MOTO = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'moto_server'))
  .find((path) => existsSync(path));

/** Starts moto on a free port and waits until it answers, at most 60 s. */
export async function startMoto(path: string): Promise<{ url: string; end: () => void }> {
  const port = await freePort();
  // A process group of its own: version managers put a shell between us and the server.
  const child = spawn(path, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore', detached: true });
  const end = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid);
  };
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 300; tries += 1) {
    if (
      await fetch(url, { signal: AbortSignal.timeout(5000) }).then(
        () => true,
        () => false,
      )
    )
      return { url, end };
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  end();
  throw new Error(`moto_server at ${path} does not start: repair or remove it.`);
}
