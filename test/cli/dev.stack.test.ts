import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { freePort } from '../../src/dev/backends/free-port.ts';
import { openFolder } from '../e2e/stack.ts';
import { describeOnBothStores } from '../stack/needs.ts';
import { run, start } from './run.ts';

const reachable = (address: string) =>
  fetch(address).then(
    () => true,
    () => false,
  );
/** The process ids below `pid`, from the system's own table. */
const descendants = (pid: number): number[] => {
  const table = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' });
  const rows = table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] =>
    rows.filter((row) => row[1] === parent).flatMap(([child = 0]) => [child, ...below(child)]);
  return below(pid);
};
/** Ended processes that nobody has waited for yet (state Z) hold nothing any more. */
const alive = (pid: number): boolean => {
  const state = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
  return state !== '' && !state.startsWith('Z');
};

/** A folder with every tool of this machine's PATH but the Google Cloud SDK, as on a machine that has none. */
const withoutGcloud = (dataDir: string): string => {
  const tools = join(dataDir, 'tools');
  mkdirSync(tools, { recursive: true });
  for (const folder of (process.env['PATH'] ?? '').split(':').filter(existsSync)) {
    for (const name of readdirSync(folder)) {
      if (name !== 'gcloud' && !existsSync(join(tools, name)))
        symlinkSync(join(folder, name), join(tools, name));
    }
  }
  return tools;
};

describeOnBothStores(
  (store) => `npm start on real ${store}`,
  (store) => {
    const dataDir = openFolder();
    afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

    test('says what it chose and what to try, answers commands, and leaves no process and no port behind', async () => {
      const port = await freePort();
      const stack = start(dataDir, ['dev'], { CHARTSEAL_STORE: store, PORT: String(port) });
      await stack.until('is ready', 60_000);
      for (const words of [
        'store',
        'auth',
        'kms',
        `http://127.0.0.1:${port}/mcp`,
        'john@example.com',
        'password',
        'npm run demo',
      ]) {
        expect(stack.said()).toContain(words);
      }
      const token = await run(dataDir, ['token', '--as', 'john@example.com']);
      expect(token.out.split('.')).toHaveLength(3);
      expect((await run(dataDir, ['demo', '--json'])).code).toBe(0);

      const children = descendants(stack.child.pid ?? 0);
      expect(children.length).toBeGreaterThan(0);
      stack.child.kill('SIGINT');
      const { code } = await stack.ended();
      expect(code).toBe(0);
      await expect.poll(() => children.filter(alive), { timeout: 5_000 }).toEqual([]);
      expect(await reachable(`http://127.0.0.1:${port}/healthz`)).toBe(false);
      expect((await run(dataDir, ['token', '--as', 'john@example.com'])).err).toContain('NO_STACK');
    }, 120_000);

    test('state survives the restart: the booked time is still taken', async () => {
      const port = await freePort();
      const stack = start(dataDir, ['dev', '--json'], { CHARTSEAL_STORE: store, PORT: String(port) });
      await stack.until('"origin"', 60_000);
      const again = await run(dataDir, ['demo', '--json']);
      const { steps } = JSON.parse(again.out) as {
        steps: { title: string; data?: { row: { revision: number } } }[];
      };
      const stored = steps.find(({ title }) => title.startsWith('the appointment as'));
      expect(stored?.data?.row.revision).toBe(3);
      stack.child.kill('SIGINT');
      expect((await stack.ended()).code).toBe(0);
    }, 120_000);

    test('a taken port is one clear line that says what to do', async () => {
      const taken = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => taken.once('listening', resolve));
      const { port } = taken.address() as { port: number };
      const { code, err } = await run(dataDir, ['dev'], { CHARTSEAL_STORE: store, PORT: String(port) });
      expect(code).toBe(1);
      expect(err.trim()).toBe(
        `Port ${port} is taken. Stop what uses it, or start with PORT=${port + 1}. (PORT_TAKEN)`,
      );
      taken.close();
    }, 60_000);
  },
);

describe('the command line', () => {
  const dataDir = openFolder();
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  test('without Java and the emulator, npm start runs on PostgreSQL and says why', async () => {
    const port = await freePort();
    const bare = { PATH: withoutGcloud(dataDir), HOME: dataDir, PORT: String(port) };
    const stack = start(dataDir, ['dev', '--json'], bare);
    await stack.until('"origin"', 60_000);
    expect(stack.said()).toMatch(
      /PostgreSQL at 127\.0\.0\.1:\d+, because The official Firestore emulator is not on this machine/,
    );
    stack.child.kill('SIGINT');
    expect((await stack.ended()).code).toBe(0);
  }, 90_000);

  test('asked for Firestore where it is not, it says what to install', async () => {
    const bare = { PATH: withoutGcloud(dataDir), HOME: dataDir, PORT: '0' };
    const { code, err } = await run(dataDir, ['dev', '--store', 'firestore'], bare);
    expect(code).toBe(1);
    expect(err).toMatch(/gcloud components install cloud-firestore-emulator.*\(BACKEND_MISSING\)/);
  }, 60_000);

  test.each([
    [['fly'], 2, 'There is no command "fly"'],
    [['dev', '--port', 'x'], 2, 'The port is a number'],
    [['dev', '--store', 'mongodb'], 2, 'The store is "firestore" or "postgres"'],
    [['token'], 2, 'Say whose token'],
    [['token', '--as', 'john@example.com'], 1, 'No local stack runs from this folder'],
    [['patient', 'import'], 2, 'Name one file'],
    [['patient', 'import', '/nowhere.json'], 2, 'That file cannot be read'],
    [['demo', '--no-such-option'], 2, '--no-such-option'],
  ])('chartseal %j exits %i and says what is wrong', async (args, code, words) => {
    const ended = await run(dataDir, args);
    expect(ended.code).toBe(code);
    expect(ended.err).toContain(words);
    expect(ended.err).not.toMatch(/\n\s+at /);
  });

  test('keys generate prints a fresh 64-hex key, alone on its line', async () => {
    const [first, second] = await Promise.all([
      run(dataDir, ['keys', 'generate']),
      run(dataDir, ['keys', 'generate']),
    ]);
    expect(first.out).toMatch(/^[0-9a-f]{64}\n$/);
    expect(second.out).not.toBe(first.out);
    const told = JSON.parse((await run(dataDir, ['keys', 'generate', '--json'])).out) as { setting: string };
    expect(told.setting).toMatch(/^1:[0-9a-f]{64}:active$/);
  });

  test('help lists every command with its form', async () => {
    const { code, out } = await run(dataDir, ['--help']);
    expect(code).toBe(0);
    for (const name of ['dev', 'emulators', 'demo', 'token', 'patient import'])
      expect(out).toContain(`  ${name} `);
  });
});
