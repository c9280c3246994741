import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type Caller, identify } from './caller.ts';
import type { EventLog } from './cloudtrail.ts';
import { KmsEmulatorError, KmsError } from './errors.ts';
import type { Faults } from './faults.ts';
import { parseObject, type Reply, readBody } from './http.ts';
import { Input } from './input.ts';
import type { KeyStore } from './key-store.ts';
import { OPERATIONS } from './operations/index.ts';
import type { Operation, Output } from './operations/operation.ts';
import type { Rules } from './policy.ts';
import { kmsRecord } from './records.ts';
import type { Roles } from './roles.ts';

/** What the service works with. */
export interface ServiceParts {
  readonly accountId: string;
  /** The Region written into the record of a call that names none. */
  readonly homeRegion: string;
  readonly store: KeyStore;
  readonly rules: Rules;
  readonly roles: Roles;
  readonly events: EventLog;
  readonly faults: Faults;
}

/** What is known of a request so far; the log tells it even when the request fails half-way. */
export interface Trace {
  readonly requestId: string;
  readonly name: string;
  readonly operation: Operation;
  readonly reached: Set<string>;
  input: Input;
  caller: Caller | null;
}

/** Answers one `POST /` of the AWS JSON 1.1 protocol. It rejects only when the call cannot be logged. */
export async function serveKms(request: IncomingMessage, parts: ServiceParts): Promise<Reply> {
  const requestId = randomUUID();
  let trace: Trace | null = null;
  try {
    const body = await readBody(request);
    const name = operationName(request);
    const operation = OPERATIONS.get(name);
    if (operation === undefined)
      throw new KmsError('UnknownOperationException', `There is no operation ${name}.`);
    trace = { requestId, name, operation, reached: new Set(), input: new Input({}), caller: null };
    const output = perform(trace, { request, body, parts });
    parts.events.add(kmsRecord(trace, { request, parts }));
    return success(requestId, output);
  } catch (cause) {
    const error = asKmsError(cause);
    if (trace !== null) parts.events.add(kmsRecord(trace, { request, parts, error }));
    return failure(requestId, error);
  }
}

function perform(
  trace: Trace,
  { request, body, parts }: { request: IncomingMessage; body: string; parts: ServiceParts },
): Output {
  trace.input = new Input(parseObject(body));
  const { store, rules, roles, accountId } = parts;
  const sessionSecret = Buffer.from(store.state.sessionSecret, 'base64');
  trace.caller = identify(request, { accountId, roles, sessionSecret, now: store.now(), service: 'kms' });
  parts.faults.disturb(trace.name);
  store.tend();
  const { name, input, caller, reached } = trace;
  return trace.operation.run({ name, input, caller, reached, store, rules, accountId });
}

function operationName(request: IncomingMessage): string {
  const target = request.headers['x-amz-target'];
  const [, name] = /^TrentService\.([A-Za-z]{1,64})$/.exec(String(target)) ?? [];
  if (name === undefined) {
    throw new KmsError('UnknownOperationException', 'X-Amz-Target does not name a TrentService operation.');
  }
  return name;
}

/** An error that is none of AWS's is a fault of the emulator or of its disk: a 500, as AWS would answer. */
function asKmsError(cause: unknown): KmsError {
  if (cause instanceof KmsError) return cause;
  const message = cause instanceof KmsEmulatorError ? cause.message : 'The emulator failed on this request.';
  return new KmsError('KMSInternalException', message);
}

const success = (requestId: string, output: Output): Reply => ({
  status: 200,
  type: 'application/x-amz-json-1.1',
  headers: { 'x-amzn-requestid': requestId },
  body: JSON.stringify(output),
});

const failure = (requestId: string, error: KmsError): Reply => ({
  status: error.status,
  type: 'application/x-amz-json-1.1',
  headers: { 'x-amzn-requestid': requestId, 'x-amzn-errortype': error.code },
  body: JSON.stringify({ __type: error.code, message: error.message }),
});
