import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { serveAdmin } from './admin.ts';
import { type CloudTrailRecord, EventLog } from './cloudtrail.ts';
import { KmsEmulatorError } from './errors.ts';
import { Faults } from './faults.ts';
import { isLocal, json, send } from './http.ts';
import { KeyStore } from './key-store.ts';
import { Rules } from './policy.ts';
import { stsRecord } from './records.ts';
import { type EmulatedRole, Roles } from './roles.ts';
import { type ServiceParts, serveKms } from './service.ts';
import { type StsParts, serveSts, type WebIdentityVerifier } from './sts.ts';

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
  /** Who believes the tokens of AssumeRoleWithWebIdentity. Without it every token is refused. */
  readonly webIdentity?: WebIdentityVerifier;
  /** The roles of the account. Without it any role can be assumed, and has no policy of its own. */
  readonly roles?: readonly EmulatedRole[];
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
 * Starts an AWS KMS emulator (and the part of STS that gives out roles) on 127.0.0.1, and on nothing else.
 *
 * @throws KmsEmulatorError `STATE_FILE` when the state file is not one, `LISTEN` when the port is taken.
 * @throws KmsError `MalformedPolicyDocumentException` when a role's policy is not valid.
 */
export async function startKmsEmulator(options: KmsEmulatorOptions = {}): Promise<KmsEmulator> {
  const parts = assemble(options);
  const server = createServer((request, response) => {
    // What cannot be logged is not answered: the caller sees a broken connection, and may try again.
    answer(request, response, parts).catch(() => response.destroy());
  });
  server.requestTimeout = 10_000;
  const port = await listen(server, options.port ?? 0);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    events: () => parts.events.all(),
    close: () => stop(server, parts.events),
  };
}

type Parts = ServiceParts & StsParts;

function assemble(options: KmsEmulatorOptions): Parts {
  const accountId = options.accountId ?? '000000000000';
  const homeRegion = options.region ?? 'us-east-1';
  const roles = new Roles(accountId, options.roles);
  const store = new KeyStore({ stateFile: options.stateFile, clock: options.clock ?? systemClock });
  const events = new EventLog({ logFile: options.logFile, log: options.log });
  return {
    accountId,
    homeRegion,
    store,
    events,
    roles,
    rules: new Rules({ accountId, identityPolicies: (arn) => roles.policiesOf(arn) }),
    faults: new Faults(),
    webIdentity: options.webIdentity ?? {
      verify: () => Promise.reject(new Error('No verifier is configured.')),
    },
    record: (event) => events.add(stsRecord(event, { accountId, homeRegion, now: store.now() })),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, parts: Parts): Promise<void> {
  if (!isLocal(request)) return send(response, json(403, { message: 'Only local programs may call this.' }));
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  if (url.pathname.startsWith('/_admin/')) return send(response, await serveAdmin(request, url, parts));
  if (parts.faults.settings.outage) {
    request.socket.resetAndDestroy();
    return;
  }
  if (request.method !== 'POST' || url.pathname !== '/') {
    return send(response, json(404, { message: 'The AWS protocols are POST /.' }));
  }
  await parts.faults.delay();
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  send(response, isForm ? await serveSts(request, parts) : await serveKms(request, parts));
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
