import { mkdtempSync, rmSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../../src/dev/backends/embedded-postgres.ts';
import { BackendError } from '../../src/dev/backends/errors.ts';
import { startFirestoreEmulator } from '../../src/dev/backends/firestore-emulator.ts';

/** What the tests of the stack project learn by `inject(name)`. One line here and one part below for each backend. */
export interface StackAddresses {
  /** The official Firestore emulator, or why it is not there. */
  readonly firestore: { readonly host: string; readonly port: number } | { readonly missing: string };
  readonly postgres: { readonly adminConnectionString: string; readonly appConnectionString: string };
}

/** One backend that is started before the stack tests and ended after them. */
export type StackPart = {
  readonly [Name in keyof StackAddresses]: {
    readonly name: Name;
    start(): Promise<{ readonly address: StackAddresses[Name]; close(): Promise<void> }>;
  };
}[keyof StackAddresses];

export const PARTS: readonly StackPart[] = [
  { name: 'firestore', start: firestore },
  { name: 'postgres', start: postgres },
];

async function firestore(): Promise<{ address: StackAddresses['firestore']; close(): Promise<void> }> {
  try {
    const rules = join(import.meta.dirname, '../../firestore.rules');
    const { host, port, close } = await startFirestoreEmulator({ rules });
    return { address: { host, port }, close };
  } catch (error) {
    if (!(error instanceof BackendError) || error.code !== 'BACKEND_MISSING') throw error;
    process.stderr.write(`\n*** FIRESTORE IS NOT TESTED: ${error.message} ***\n\n`);
    return { address: { missing: error.message }, close: async () => undefined };
  }
}

async function postgres(): Promise<{ address: StackAddresses['postgres']; close(): Promise<void> }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'chartseal-test-postgres-'));
  // Run as root, the server runs as another user, who must reach its folder.
  await chmod(dataDir, 0o755);
  const server = await startEmbeddedPostgres({ dataDir });
  const { adminConnectionString, appConnectionString } = server;
  const close = async (): Promise<void> => {
    await server.close();
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { address: { adminConnectionString, appConnectionString }, close };
}
