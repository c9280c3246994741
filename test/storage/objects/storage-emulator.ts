import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';

/**
 * The Cloud Storage emulator of firebase-tools in a process of its own. It reaches below the command line, as the Auth
 * emulator's start does: that would want Java for the rules of browser clients, and nothing here is a browser client.
 */
export async function startStorageEmulator(
  dataDir: string,
): Promise<{ url: string; close(): Promise<void> }> {
  const child = fork(import.meta.filename, [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, TMPDIR: dataDir, METADATA_SERVER_DETECTION: 'none', CI: 'true' },
    execArgv: [],
  });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { url: `http://127.0.0.1:${port}`, close: () => ended(child) };
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.disconnect();
  await exit;
}

interface EmulatorClass {
  new (options: { host: string; port: number; projectId: string; rules: object }): object;
}

async function main(): Promise<void> {
  const load = createRequire(import.meta.url);
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { StorageEmulator } = load('firebase-tools/lib/emulator/storage') as {
    StorageEmulator: EmulatorClass;
  };
  const { createApp } = load('firebase-tools/lib/emulator/storage/server') as {
    createApp(projectId: string, emulator: object): Promise<RequestListener>;
  };
  const { EmulatorRegistry } = load('firebase-tools/lib/emulator/registry') as {
    EmulatorRegistry: { INSTANCES: Map<string, object> };
  };
  const rules = { name: 'storage.rules', content: '' };
  const emulator = new StorageEmulator({ host: '127.0.0.1', port, projectId: 'demo-objects', rules });
  EmulatorRegistry.INSTANCES.set('storage', emulator);
  server.on('request', await createApp('demo-objects', emulator));
  process.send?.({ port });
}

if (process.send !== undefined && process.argv[1] === import.meta.filename) {
  process.on('disconnect', () => process.exit(0));
  await main();
}
