import { mkdir } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import { type Composed, compose } from '../compose.ts';
import { type Config, readConfig } from '../config.ts';
import { startAuthEmulator } from './auth/emulator.ts';
import { buildWidgetPages } from './build-widgets.ts';
import { StackError } from './errors.ts';
import { stackJobs, startJobs } from './jobs.ts';
import { startKmsEmulator } from './kms-emulator/server.ts';
import { stackSecrets } from './secrets.ts';
import { seed } from './seed.ts';
import { journalIn, leaveNote, type OnStarted, PROJECT, serverEnv, startClosable } from './stack-parts.ts';
import { type ChosenStore, startStore } from './store-choice.ts';
import { buildWebAssets } from './web-assets.ts';

/** How to start the local stack. */
export interface StackOptions {
  /** 8787 unless given; 0 takes any free port. */
  readonly port?: number;
  /** `.chartseal` unless given. Holds keys in clear: for synthetic people only. */
  readonly dataDir: string;
  readonly store?: 'firestore' | 'postgres' | undefined;
  readonly onFault?: (fault: { readonly name: string; readonly code: string }) => void;
}

/** A running local stack. */
export interface Stack {
  readonly origin: string;
  readonly config: Config;
  readonly composed: Composed;
  /** What was chosen, for people: one line for each part. */
  readonly parts: Readonly<Record<string, string>>;
  /** The environment in which another process reaches the same parts. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends everything that was started, last first. */
  close(): Promise<void>;
}

// Without it Google's libraries look for a metadata server that is not here.
process.env['METADATA_SERVER_DETECTION'] ??= 'none';

/**
 * Starts everything that Chartseal needs on loopback, seeds synthetic people, and serves.
 *
 * @throws StackError `PORT_TAKEN`; BackendError when a part is missing. What was started before is ended.
 */
export function startStack(options: StackOptions): Promise<Stack> {
  return startClosable((started) => startParts(options, started));
}

async function startParts(options: StackOptions, started: OnStarted): Promise<Omit<Stack, 'close'>> {
  const { dataDir, onFault = () => {} } = options;
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  let handle: RequestListener = (_req, res) =>
    void res.writeHead(503, { 'retry-after': '5' }).end('starting\n');
  const server = createServer((req, res) => void handle(req, res));
  const port = await listen(server, options.port ?? 8787);
  started(() => shut(server));
  const [store, auth, kms, assets, widgets, secrets] = await startAll(options, started);
  const origin = `http://127.0.0.1:${port}`;
  const env = {
    ...store.env,
    ...serverEnv({ dataDir, origin, secrets, kmsUrl: kms.url, authHost: auth.host }),
  };
  // Firebase's libraries read the emulators' addresses from the process, not from a parameter.
  Object.assign(process.env, env);
  const config = readConfig(env);
  const composed = compose(config, { assets, widgets, journal: journalIn(dataDir), onFault });
  started(() => composed.close());
  await seed(config, composed);
  started(startJobs(stackJobs(config, composed), { tenants: composed.tenants, onFault }));
  handle = composed.handle;
  started(await leaveNote(dataDir, env));
  const parts = {
    store: store.label,
    auth: `Firebase Auth emulator at ${auth.host}`,
    kms: `KMS emulator at ${kms.url.replace('http://', '')}, keys kept in ${join(dataDir, 'kms.json')}`,
    documents: `sealed files in ${join(dataDir, 'documents')}`,
  };
  return { origin, config, composed, parts, env };
}

/** Every part starts at once; what did start is ended when another fails. */
async function startAll(options: StackOptions, note: OnStarted) {
  const { dataDir } = options;
  const ended = <T extends { close(): Promise<unknown> }>(part: T): T => {
    note(() => part.close());
    return part;
  };
  const started = await Promise.allSettled([
    startStore({ dataDir, projectId: PROJECT, kind: options.store }).then(ended<ChosenStore>),
    startAuthEmulator({ projectId: PROJECT }).then(ended),
    startKmsEmulator({
      stateFile: join(dataDir, 'kms.json'),
      logFile: join(dataDir, 'kms-trail.ndjson'),
    }).then(ended),
    buildWebAssets(),
    buildWidgetPages(),
    stackSecrets(dataDir),
  ] as const);
  const failed = started.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  const [store, auth, kms, assets, widgets, secrets] = started;
  return [
    ...([partOf(store), partOf(auth), partOf(kms)] as const),
    ...([partOf(assets), partOf(widgets), partOf(secrets)] as const),
  ] as const;
}

function partOf<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

function listen(server: Server, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once('error', (error: NodeJS.ErrnoException) => {
    const taken = error.code === 'EADDRINUSE';
    const message = taken
      ? `Port ${port} is taken. Stop what uses it, or start with PORT=${port + 1}.`
      : `The address 127.0.0.1:${port} cannot be served (${error.code ?? 'unknown'}).`;
    reject(new StackError('PORT_TAKEN', message));
  });
  server.listen(port, '127.0.0.1', () => {
    const address = server.address();
    resolve(typeof address === 'object' && address !== null ? address.port : port);
  });
  return promise;
}

async function shut(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
