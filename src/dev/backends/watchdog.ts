import { spawn } from 'node:child_process';

/**
 * Sees to it that a backend does not outlive this process, however this process ends: a shell that waits for
 * the end of its input, which comes when we die, and then signals the backend.
 *
 * @param target a process id, or minus a process group's id.
 * @returns a function that calls the watch off, for when the backend has ended.
 */
export function watchOver(target: number, signal: 'INT' | 'KILL'): () => void {
  if (process.platform === 'win32') return () => undefined;
  const script = 'cat >/dev/null; kill -s "$1" -- "$2"';
  const shell = spawn('sh', ['-c', script, 'watchdog', signal, String(target)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.on('error', () => undefined);
  shell.unref();
  (shell.stdin as unknown as { unref?: () => void }).unref?.();
  return () => {
    shell.kill('SIGKILL');
    if (shell.pid !== undefined) endGroup(shell.pid);
  };
}

/** Kills a process group; no error when it has ended already. */
export function endGroup(leader: number): void {
  try {
    process.kill(process.platform === 'win32' ? leader : -leader, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
