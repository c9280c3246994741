import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { type Caller, credentialScope } from './caller.ts';
import { type CloudTrailRecord, EventLog } from './cloudtrail.ts';
import { KmsEmulatorError } from './errors.ts';
import { isLocal, json, send } from './http.ts';
import { KeyStore } from './key-store.ts';
import { Rules } from './policy.ts';
import { type ServiceParts, serveKms } from './service.ts';

/** How to start an emulator. All of it is optional. */
export interface KmsEmulatorOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** Where keys outlive the process, in clear, mode 0600. Without it they end with the process. */
  readonly stateFile?: string;
  /** CloudTrail-shaped records, one JSON object a line, appended. */
  readonly logFile?: string;
  /** The Region written into records of calls that name none; `us-east-1`. Calls go to the Region they name. */
  readonly region?: string;
  /** Twelve digits; `000000000000`. */
  readonly accountId?: string;
  /** Called with each record, before the caller has its answer. */
  readonly log?: (line: CloudTrailRecord) => void;
  readonly clock?: Clock;
}

/** A running emulator. */
export interface KmsEmulator {
  /** `http://127.0.0.1:PORT`: the SDK's `endpoint`. */
  readonly url: string;
  readonly port: number;
  /** The last 10,000 records, oldest first. */
  events(): readonly CloudTrailRecord[];
  /** Stops listening and ends open connections. */
  close(): Promise<void>;
}

/**
 * Starts an AWS KMS emulator on 127.0.0.1, and on nothing else.
 *
 * @throws KmsEmulatorError `STATE_FILE` when the state file is not one, `LISTEN` when the port is taken.
 */
export async function startKmsEmulator(options: KmsEmulatorOptions = {}): Promise<KmsEmulator> {
  const store = new KeyStore({ stateFile: options.stateFile, clock: options.clock ?? systemClock });
  const events = new EventLog({ logFile: options.logFile, log: options.log });
  const accountId = options.accountId ?? '000000000000';
  const parts: ServiceParts = {
    accountId,
    homeRegion: options.region ?? 'us-east-1',
    store,
    events,
    rules: new Rules(),
    identify: (request) => rootCaller(request, accountId),
    disturb: () => {},
  };
  const server = createServer((request, response) => {
    // What cannot be logged is not answered: the caller sees a broken connection, and may try again.
    answer(request, response, parts).catch(() => response.destroy());
  });
  server.requestTimeout = 10_000;
  const port = await listen(server, options.port ?? 0);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    events: () => events.all(),
    close: () => stop(server, events),
  };
}

function rootCaller(request: IncomingMessage, accountId: string): Caller {
  const arn = `arn:aws:iam::${accountId}:root`;
  const scope = credentialScope(request.headers.authorization);
  return { type: 'Root', arn, principalArn: arn, sessionPolicy: null, ...scope };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  parts: ServiceParts,
): Promise<void> {
  if (!isLocal(request)) return send(response, json(403, { message: 'Only local programs may call this.' }));
  if (request.method !== 'POST' || request.url !== '/') {
    return send(response, json(404, { message: 'The AWS JSON protocol is POST /.' }));
  }
  send(response, await serveKms(request, parts));
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new KmsEmulatorError('LISTEN', `The KMS emulator cannot listen on port ${port}.`, { cause }));
    });
    server.listen({ port, host: '127.0.0.1' }, () => resolve((server.address() as AddressInfo).port));
  });
}

function stop(server: Server, events: EventLog): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      events.close();
      resolve();
    });
    server.closeAllConnections();
  });
}
