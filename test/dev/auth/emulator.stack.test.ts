import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startAuthEmulator } from '../../../src/dev/auth/emulator.ts';

const SOURCE = join(import.meta.dirname, '../../../src/dev/auth/emulator.ts');

async function answers(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function until(condition: () => Promise<boolean>): Promise<boolean> {
  for (let tries = 0; tries < 50; tries += 1) {
    if (await condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

describe('the Auth emulator', () => {
  test('answers once it is started, holds its port, and is gone after close', async () => {
    const emulator = await startAuthEmulator({ projectId: 'demo-start' });
    expect(emulator.url).toBe(`http://${emulator.host}`);
    expect(await answers(emulator.url)).toBe(true);
    const port = Number(emulator.host.split(':')[1]);
    await expect(startAuthEmulator({ projectId: 'demo-start', port })).rejects.toThrow('EADDRINUSE');
    await emulator.close();
    expect(await answers(emulator.url)).toBe(false);
    await expect(emulator.close()).resolves.toBeUndefined();
  });

  test('ends when whoever started it is killed', async () => {
    const script = `const { startAuthEmulator } = await import(${JSON.stringify(SOURCE)});
      console.log((await startAuthEmulator({ projectId: 'demo-orphan' })).url);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const url = line.toString().trim();
    expect(await answers(url)).toBe(true);
    parent.kill('SIGKILL');
    expect(await until(async () => !(await answers(url)))).toBe(true);
  });
});
