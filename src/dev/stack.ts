import { appendFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { join, resolve } from 'node:path';
import { type Composed, compose } from '../compose.ts';
import { type Config, readConfig } from '../config.ts';
import { startAuditLoop } from './audit-loop.ts';
import { startAuthEmulator } from './auth/emulator.ts';
import { buildWidgetPages } from './build-widgets.ts';
import { StackError } from './errors.ts';
import { startHoldLoop } from './hold-loop.ts';
import { startKmsEmulator } from './kms-emulator/server.ts';
import { DEMO_PEOPLE } from './people.ts';
import { stackSecrets } from './secrets.ts';
import { seed } from './seed.ts';
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

/** The project of the local stack; `demo-` tells Firebase's tools that it exists nowhere. */
export const PROJECT = 'demo-chartseal';
/** Where the emulated keys live. */
export const REGION = 'us-east-1';

/**
 * Starts everything that Chartseal needs on loopback, seeds synthetic people, and serves.
 *
 * @throws StackError `PORT_TAKEN`; BackendError when a part is missing. What was started before is ended.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of closers.splice(0).reverse()) await end();
  };
  try {
    return await startParts(options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function startParts(
  options: StackOptions,
  closers: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<Stack> {
  const { dataDir } = options;
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  let handle: RequestListener = (_req, res) =>
    void res.writeHead(503, { 'retry-after': '5' }).end('starting\n');
  const server = createServer((req, res) => void handle(req, res));
  const port = await listen(server, options.port ?? 8787);
  closers.push(() => shut(server));
  const [store, auth, kms, assets, widgets, secrets] = await startAll(options, closers);
  const origin = `http://127.0.0.1:${port}`;
  const env = {
    ...store.env,
    CHARTSEAL_ENV: 'development',
    CHARTSEAL_ORIGIN: origin,
    CHARTSEAL_KMS: 'emulator',
    CHARTSEAL_KMS_ENDPOINT: kms.url,
    CHARTSEAL_SIGNING_KEYS: secrets.signingKeys,
    CHARTSEAL_COOKIE_KEYS: secrets.cookieKeys,
    CHARTSEAL_CHECKPOINTS: resolve(dataDir, 'checkpoints'),
    CHARTSEAL_FIREBASE_API_KEY: 'demo-api-key',
    // The synthetic staff have no phone; whoever runs this for real people does not set it.
    CHARTSEAL_WITHOUT_SECOND_FACTOR: DEMO_PEOPLE.map(({ uid }) => uid).join(','),
    FIREBASE_AUTH_EMULATOR_HOST: auth.host,
    GCLOUD_PROJECT: PROJECT,
    AWS_REGION: REGION,
  };
  // Firebase's libraries read the emulators' addresses from the process, not from a parameter.
  Object.assign(process.env, env);
  const config = readConfig(env);
  const composed = compose(config, {
    assets,
    widgets,
    journal: (line) => appendFileSync(join(dataDir, 'journal.ndjson'), `${JSON.stringify(line)}\n`),
    onFault: options.onFault ?? (() => {}),
  });
  closers.push(() => composed.close());
  await seed(config, composed);
  closers.push(startAuditLoop(config, composed, options.onFault ?? (() => {})));
  closers.push(startHoldLoop(composed, options.onFault ?? (() => {})));
  handle = composed.handle;
  closers.push(await leaveNote(dataDir, env));
  const parts = {
    store: store.label,
    auth: `Firebase Auth emulator at ${auth.host}`,
    kms: `KMS emulator at ${kms.url.replace('http://', '')}, keys kept in ${join(dataDir, 'kms.json')}`,
  };
  return { origin, config, composed, parts, env, close };
}

/** Tells other commands of this folder that a stack runs, and where. Returns how to take the note away. */
export async function leaveNote(
  dataDir: string,
  env: Readonly<Record<string, string>>,
): Promise<() => Promise<void>> {
  const note = join(dataDir, 'stack.json');
  await writeFile(note, JSON.stringify({ pid: process.pid, env }), { mode: 0o600 });
  return () => rm(note, { force: true });
}

/** Every part starts at once; what did start is ended when another fails. */
async function startAll(options: StackOptions, closers: (() => Promise<unknown>)[]) {
  const { dataDir } = options;
  const ended = <T extends { close(): Promise<unknown> }>(part: T): T => {
    closers.push(() => part.close());
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
