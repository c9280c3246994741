import { mkdtempSync, rmSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COLLECTIONS } from '../../src/collections.ts';
import { startEmbeddedPostgres } from '../../src/dev/backends/embedded-postgres.ts';
import { startFirestoreEmulator } from '../../src/dev/backends/firestore-emulator.ts';
import { ensureSchema } from '../../src/storage/postgres/ensure-schema.ts';
import type { Scene } from './scene.ts';
import { soak } from './soak.ts';

/**
 * `npm run soak [-- --seconds N] [--store postgres|firestore] [--patients N] [--json]`: ten minutes unless told
 * otherwise. Exits 0 when nothing was found wrong.
 */

const args = process.argv.slice(2);
const option = (name: string, fallback: string): string =>
  args[args.indexOf(`--${name}`) + 1 || args.length] ?? fallback;
const seconds = Number(option('seconds', '600'));
const patients = Number(option('patients', '24'));
const kind = option('store', 'postgres');
if (!(seconds > 0) || !(patients > 0) || (kind !== 'postgres' && kind !== 'firestore')) {
  process.stderr.write(
    'Usage: npm run soak -- [--seconds N] [--store postgres|firestore] [--patients N] [--json]\n',
  );
  process.exit(2);
}

async function startStore(): Promise<{ store: Scene['store']; close(): Promise<unknown> }> {
  if (kind === 'firestore') {
    const emulator = await startFirestoreEmulator();
    return { store: { kind, address: `${emulator.host}:${emulator.port}` }, close: () => emulator.close() };
  }
  const dataDir = mkdtempSync(join(tmpdir(), 'chartseal-soak-postgres-'));
  await chmod(dataDir, 0o755);
  const server = await startEmbeddedPostgres({ dataDir });
  await ensureSchema(server.adminConnectionString, COLLECTIONS);
  const close = async (): Promise<void> => {
    await server.close();
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { store: { kind: 'postgres', address: server.appConnectionString }, close };
}

const { store, close } = await startStore();
try {
  const done = await soak({
    ...{ store, seconds, patients },
    onLine: (line) => void process.stderr.write(`${line}\n`),
  });
  const { findings, ...told } = done;
  process.stdout.write(
    args.includes('--json') ? `${JSON.stringify(done)}\n` : `${JSON.stringify(told, null, 2)}\n`,
  );
  for (const { what, where } of args.includes('--json') ? [] : findings)
    process.stdout.write(`FOUND: ${what}: ${where}\n`);
  if (findings.length === 0)
    process.stderr.write('Every chart opens, no old header is left, counts agree, the log holds.\n');
  process.exitCode = findings.length === 0 ? 0 : 1;
} finally {
  await close();
}
