import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEmbeddedPostgres } from '../../../src/dev/backends/embedded-postgres.ts';
import { freePort } from '../../../src/dev/backends/free-port.ts';
import { firestoreAddress } from '../../stack/addresses.ts';
import { describeNeeding } from '../../stack/needs.ts';

const BACKENDS = join(import.meta.dirname, '../../../src/dev/backends');

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
};

/** Starts a backend in a process of its own, and gives that process's first line of output. */
async function inProcess(script: string) {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const kill = async (): Promise<void> => {
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
  };
  return { line, kill };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('It did not come true within 10 s.');
    await sleep(50);
  }
}

describe('embedded PostgreSQL', () => {
  let dataDir: string;
  beforeAll(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'chartseal-embedded-'));
    chmodSync(dataDir, 0o755);
  });
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  const run = async (connectionString: string, sql: string): Promise<unknown[]> => {
    const client = new Client({ connectionString });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };
  const starter = (port: number): string => `
    import { startEmbeddedPostgres } from '${BACKENDS}/embedded-postgres.ts';
    await startEmbeddedPostgres({ dataDir: '${dataDir}', port: ${port} });
    console.log('ready');`;
  const postmaster = (): number =>
    Number.parseInt(readFileSync(join(dataDir, 'cluster/postmaster.pid'), 'utf8'), 10);

  test('keeps its state, roles and passwords from one start to the next', async () => {
    const first = await startEmbeddedPostgres({ dataDir });
    await run(first.adminConnectionString, 'CREATE TABLE kept AS SELECT 7 AS seven');
    await first.close();
    const second = await startEmbeddedPostgres({ dataDir });
    expect(await run(second.adminConnectionString, 'SELECT seven FROM kept')).toEqual([{ seven: 7 }]);
    expect(await run(second.appConnectionString, 'SELECT current_user AS me')).toEqual([
      { me: 'chartseal_app' },
    ]);
    await second.close();
    expect(statSync(join(dataDir, 'passwords.json')).mode & 0o777).toBe(0o600);
  });

  test('refuses a wrong password, and listens on loopback only', async () => {
    const server = await startEmbeddedPostgres({ dataDir });
    const url = new URL(server.appConnectionString);
    url.password = 'wrong';
    await expect(run(url.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    expect(await run(server.adminConnectionString, 'SHOW listen_addresses')).toEqual([
      { listen_addresses: '127.0.0.1' },
    ]);
    await server.close();
  });

  test('says that the folder is in use while the process that uses it lives', async () => {
    const other = await inProcess(starter(await freePort()));
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' });
    await other.kill();
  });

  test('ends when its starter is killed, and starts again at once', async () => {
    const other = await inProcess(starter(await freePort()));
    const pid = postmaster();
    expect(isAlive(pid)).toBe(true);
    await other.kill();
    const server = await startEmbeddedPostgres({ dataDir });
    await until(() => !isAlive(pid));
    expect(await run(server.adminConnectionString, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await server.close();
  });
});

describeNeeding('firestore', 'the official Firestore emulator', () => {
  test('ends when its starter is killed', async () => {
    const port = await freePort();
    const other = await inProcess(`
      import { startFirestoreEmulator } from '${BACKENDS}/firestore-emulator.ts';
      await startFirestoreEmulator({ port: ${port} });
      console.log('ready');`);
    const answers = async (): Promise<boolean> =>
      await fetch(`http://127.0.0.1:${port}/`).then(
        (response) => response.ok,
        () => false,
      );
    expect(await answers()).toBe(true);
    await other.kill();
    await until(async () => !(await answers()));
  });

  test('on a port that is taken says so at once', async () => {
    const { startFirestoreEmulator } = await import('../../../src/dev/backends/firestore-emulator.ts');
    const address = firestoreAddress();
    const attempt = startFirestoreEmulator({ port: address.port });
    await expect(attempt).rejects.toMatchObject({ code: 'BACKEND_START' });
  });
});
