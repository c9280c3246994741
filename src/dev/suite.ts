import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { compose } from '../compose.ts';
import { readConfig } from '../config.ts';
import { BackendError } from './backends/errors.ts';
import { findFirestoreEmulator } from './backends/find-firestore-emulator.ts';
import { freePort } from './backends/free-port.ts';
import { buildFunctions } from './build-functions.ts';
import { stackJobs, startJobs } from './jobs.ts';
import { startKmsEmulator } from './kms-emulator/server.ts';
import { stackSecrets } from './secrets.ts';
import { seed } from './seed.ts';
import type { Stack, StackOptions } from './stack.ts';
import { journalIn, leaveNote, type OnStarted, PROJECT, serverEnv, startClosable } from './stack-parts.ts';

const ROOT = join(import.meta.dirname, '../..');
/** firebase-tools looks for its project beside this file, so it stands in the root and is gone afterwards. */
const SUITE_CONFIG = 'firebase.local.json';
/** Where `functions/index.ts` deploys to. */
const FUNCTIONS_REGION = 'us-central1';
const READY_MS = 120_000;
const SUITE_MIN_JAVA = 21;
const MAIN_CLASS = 'com.google.cloud.datastore.emulator.firestore.CloudFirestore';

/**
 * Starts the deployable bundle in the Firebase Emulator Suite: Hosting in front at the origin, Functions,
 * Firestore, Auth; the KMS emulator beside them. Same addresses as in production.
 *
 * @throws BackendError when Java or the Firestore emulator is missing, or the suite does not start.
 */
export function startSuite(options: StackOptions): Promise<Stack> {
  return startClosable((started) => startParts(options, started));
}

async function startParts(options: StackOptions, started: OnStarted): Promise<Omit<Stack, 'close'>> {
  const { dataDir, onFault = () => {} } = options;
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  await buildFunctions();
  const kms = await startKmsEmulator({
    stateFile: join(dataDir, 'suite-kms.json'),
    logFile: join(dataDir, 'kms-trail.ndjson'),
  });
  started(() => kms.close());
  const secrets = await stackSecrets(dataDir);
  const ports = await choosePorts(options.port ?? 8787);
  const origin = `http://127.0.0.1:${ports.hosting}`;
  const env = {
    ...serverEnv({ dataDir, origin, secrets, kmsUrl: kms.url, authHost: `127.0.0.1:${ports.auth}` }),
    CHARTSEAL_STORE: 'firestore',
    FIRESTORE_EMULATOR_HOST: `127.0.0.1:${ports.firestore}`,
    CLOUD_TASKS_EMULATOR_HOST: `127.0.0.1:${ports.tasks}`,
  };
  await startFirebase({ ports, env, dataDir }, started);
  Object.assign(process.env, env);
  const config = readConfig(env);
  const composed = compose(config, {
    ...{ assets: new Map(), journal: journalIn(dataDir), onFault },
    jobFunction: { region: FUNCTIONS_REGION, functionName: 'jobStep' },
  });
  started(() => composed.close());
  await seed(config, composed);
  started(startJobs(stackJobs(config, composed), { tenants: composed.tenants, onFault }));
  started(await leaveNote(dataDir, env));
  const parts = {
    store: `official Firestore emulator at ${env.FIRESTORE_EMULATOR_HOST}, in the Firebase Emulator Suite`,
    auth: `Firebase Auth emulator at ${env.FIREBASE_AUTH_EMULATOR_HOST}, in the Firebase Emulator Suite`,
    kms: `KMS emulator at ${kms.url.replace('http://', '')}`,
    server: `functions/lib in the Functions emulator at 127.0.0.1:${ports.functions}, behind Hosting`,
  };
  return { origin, config, composed, parts, env };
}

type Ports = Readonly<
  Record<
    'hosting' | 'functions' | 'firestore' | 'auth' | 'hub' | 'logging' | 'websocket' | 'eventarc' | 'tasks',
    number
  >
>;

async function choosePorts(hosting: number): Promise<Ports> {
  const [functions, firestore, auth, hub, logging, websocket, eventarc, tasks] = await Promise.all(
    Array.from({ length: 8 }, () => freePort()),
  );
  return { hosting, functions, firestore, auth, hub, logging, websocket, eventarc, tasks } as Ports;
}

async function startFirebase(
  suite: { ports: Ports; env: Readonly<Record<string, string>>; dataDir: string },
  started: OnStarted,
): Promise<void> {
  const where = await findFirestoreEmulator({ minJava: SUITE_MIN_JAVA });
  if (!where.found) throw new BackendError('BACKEND_MISSING', where.reason);
  const wrapper = await wrapperJar(where);
  const config = join(ROOT, SUITE_CONFIG);
  await writeFile(config, JSON.stringify(await suiteConfig(suite.ports), null, 2));
  started(() => rm(config, { force: true }));
  const arguments_ = [
    'emulators:start',
    '--only',
    'hosting,functions,firestore,auth',
    '--project',
    PROJECT,
    '--config',
    SUITE_CONFIG,
  ];
  const child = spawn(
    process.execPath,
    [join(ROOT, 'node_modules/firebase-tools/lib/bin/firebase.js'), ...arguments_],
    {
      cwd: ROOT,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        ...suite.env,
        // The suite names its own emulators to the function; ours must not be taken for ones that run elsewhere.
        FIRESTORE_EMULATOR_HOST: undefined,
        FIREBASE_AUTH_EMULATOR_HOST: undefined,
        CLOUD_TASKS_EMULATOR_HOST: undefined,
        FIRESTORE_EMULATOR_BINARY_PATH: wrapper,
        PATH: `${dirname(where.java)}:${process.env['PATH'] ?? ''}`,
        JAVA_HOME: dirname(dirname(where.java)),
        METADATA_SERVER_DETECTION: 'none',
        CI: 'true',
        FIREBASE_CLI_DISABLE_UPDATE_CHECK: '1',
      },
    },
  );
  started(() => stopFirebase(child));
  await ready(child, join(suite.dataDir, 'suite.log'));
}

/** The suite wants a jar that names its main class; the SDK's jar does not, so a jar without code points at it. */
async function wrapperJar({ jar, java }: { jar: string; java: string }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chartseal-suite-'));
  const manifest = join(folder, 'manifest.txt');
  const wrapper = join(folder, 'firestore-emulator.jar');
  await writeFile(manifest, `Main-Class: ${MAIN_CLASS}\nClass-Path: file:${jar}\n`);
  await promisify(execFile)(join(dirname(java), 'jar'), ['cfm', wrapper, manifest], { timeout: 30_000 });
  return wrapper;
}

async function suiteConfig(ports: Ports): Promise<unknown> {
  const base = JSON.parse(await readFile(join(ROOT, 'firebase.json'), 'utf8')) as Record<string, unknown>;
  const at = (port: number) => ({ host: '127.0.0.1', port });
  return {
    ...base,
    emulators: {
      singleProjectMode: true,
      ui: { enabled: false },
      hosting: at(ports.hosting),
      functions: at(ports.functions),
      firestore: { ...at(ports.firestore), websocketPort: ports.websocket },
      auth: at(ports.auth),
      hub: at(ports.hub),
      logging: at(ports.logging),
      eventarc: at(ports.eventarc),
      tasks: at(ports.tasks),
    },
  };
}

async function ready(child: ChildProcess, logFile: string): Promise<void> {
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-20_000);
    appendFileSync(logFile, chunk);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const end = performance.now() + READY_MS;
  while (performance.now() < end && child.exitCode === null) {
    if (output.includes('All emulators ready')) return;
    await sleep(200);
  }
  throw new BackendError(
    'BACKEND_START',
    `The Firebase Emulator Suite did not start; see ${logFile}. ${lastLine(output)}`,
  );
}

const lastLine = (output: string): string => output.trim().split('\n').at(-1) ?? '';

async function stopFirebase(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  await Promise.race([ended, sleep(20_000)]);
}
