import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type Caller, identify } from './caller.ts';
import { KmsError } from './errors.ts';
import { type Reply, readBody } from './http.ts';
import type { KeyStore } from './key-store.ts';
import { parsePolicy } from './policy-document.ts';
import type { Roles, WebIdentityClaims } from './roles.ts';
import { type Session, sealSession } from './session-token.ts';

/** Checks a web identity token: its signature, issuer, times. It rejects when the token is not to be believed. */
export interface WebIdentityVerifier {
  verify(token: string): Promise<WebIdentityClaims>;
}

/** What the emulated STS works with. */
export interface StsParts {
  readonly accountId: string;
  readonly store: KeyStore;
  readonly roles: Roles;
  readonly webIdentity: WebIdentityVerifier;
  /** Told of each call, granted or not; never of a token. */
  readonly record: (event: StsEvent) => void;
}

/** One call, for the log. */
export interface StsEvent {
  readonly name: string;
  readonly requestId: string;
  readonly caller: Caller | null;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly request: IncomingMessage;
  readonly error?: { readonly code: string; readonly message: string };
}

type StsErrorName =
  | 'AccessDenied'
  | 'InvalidIdentityToken'
  | 'InvalidAction'
  | 'ValidationError'
  | 'MalformedPolicyDocument';

interface Refusal {
  readonly code: StsErrorName | string;
  readonly message: string;
  readonly status: number;
}

/** Carries a refusal up to the one place that answers. */
class StsRefusal extends Error {
  readonly refusal: Refusal;

  constructor(code: StsErrorName, message: string) {
    super(message);
    this.refusal = { code, message, status: code === 'AccessDenied' ? 403 : 400 };
  }
}

interface Assumption {
  readonly caller: Caller | null;
  readonly claims: WebIdentityClaims | null;
}

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** Answers one call of the AWS Query protocol: AssumeRoleWithWebIdentity or AssumeRole. It rejects only when it cannot log. */
export async function serveSts(request: IncomingMessage, parts: StsParts): Promise<Reply> {
  const requestId = randomUUID();
  let form = new URLSearchParams();
  let caller: Caller | null = null;
  const log = (error?: Refusal): void => {
    const name = form.get('Action') ?? '';
    parts.record({ name, requestId, caller, request, parameters: shown(form), ...(error ? { error } : {}) });
  };
  try {
    form = new URLSearchParams(await readBody(request));
    const assumption = await authenticate(request, form, parts);
    caller = assumption.caller;
    const body = assumeRole(form, { assumption, requestId, parts });
    log();
    return { status: 200, type: 'text/xml', body };
  } catch (cause) {
    const refusal = asRefusal(cause);
    log(refusal);
    return { status: refusal.status, type: 'text/xml', body: errorXml(refusal, requestId) };
  }
}

async function authenticate(
  request: IncomingMessage,
  form: URLSearchParams,
  parts: StsParts,
): Promise<Assumption> {
  switch (form.get('Action')) {
    case 'AssumeRoleWithWebIdentity':
      return { caller: null, claims: await webIdentity(form, parts) };
    case 'AssumeRole': {
      const { accountId, roles, store } = parts;
      const sessionSecret = Buffer.from(store.state.sessionSecret, 'base64');
      const caller = identify(request, { accountId, roles, sessionSecret, now: store.now(), service: 'sts' });
      if (caller.type !== 'Root') throw new StsRefusal('AccessDenied', 'Role chaining is not emulated.');
      return { caller, claims: null };
    }
    default:
      throw new StsRefusal('InvalidAction', 'Only AssumeRoleWithWebIdentity and AssumeRole are emulated.');
  }
}

async function webIdentity(form: URLSearchParams, parts: StsParts): Promise<WebIdentityClaims> {
  const token = member(form, 'WebIdentityToken', /^[\s\S]{4,20000}$/);
  try {
    return await parts.webIdentity.verify(token);
  } catch {
    // Why it was not believed may quote the token; the caller and the log learn only that it was not.
    throw new StsRefusal('InvalidIdentityToken', 'The web identity token could not be verified.');
  }
}

function assumeRole(
  form: URLSearchParams,
  { assumption, requestId, parts }: { assumption: Assumption; requestId: string; parts: StsParts },
): string {
  const action = form.get('Action') ?? '';
  const roleArn = member(form, 'RoleArn', /^arn:[\s\S]{16,2000}$/);
  const sessionName = member(form, 'RoleSessionName', /^[\w+=,.@-]{2,64}$/);
  const duration = Number(form.get('DurationSeconds') ?? 3600);
  if (!Number.isInteger(duration) || duration < 900 || duration > 43_200) {
    throw new StsRefusal('ValidationError', 'DurationSeconds is 900 to 43200.');
  }
  const policy = sessionPolicy(form);
  if (!parts.roles.mayAssume(roleArn, assumption.claims)) {
    throw new StsRefusal('AccessDenied', `Not authorized to perform sts:${action}`);
  }
  const expiresAt = parts.store.now() + duration * 1000;
  const accessKeyId = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
  const session: Session = { accessKeyId, roleArn, sessionName, policy, expiresAt };
  return answerXml({ action, session, claims: assumption.claims, requestId, parts });
}

function sessionPolicy(form: URLSearchParams): string | null {
  if (
    [...form.keys()].some((key) =>
      /^(?:PolicyArns|Tags|TransitiveTagKeys|SerialNumber|TokenCode)\b/.test(key),
    )
  ) {
    throw new StsRefusal('ValidationError', 'PolicyArns, Tags and MFA are not emulated.');
  }
  if (!form.has('Policy')) return null;
  const policy = member(form, 'Policy', /^[\s\S]{1,2048}$/);
  parsePolicy(policy, 'session');
  return policy;
}

function member(form: URLSearchParams, name: string, pattern: RegExp): string {
  const value = form.get(name) ?? '';
  if (!pattern.test(value)) throw new StsRefusal('ValidationError', `${name} is missing or not valid.`);
  return value;
}

/** What the log shows of the parameters: never the token. */
function shown(form: URLSearchParams): Record<string, unknown> {
  const names = ['RoleArn', 'RoleSessionName', 'DurationSeconds', 'Policy'].filter((name) => form.has(name));
  return Object.fromEntries(
    names.map((name) => [name.charAt(0).toLowerCase() + name.slice(1), form.get(name)]),
  );
}

function asRefusal(cause: unknown): Refusal {
  if (cause instanceof StsRefusal) return cause.refusal;
  if (cause instanceof KmsError && cause.code === 'MalformedPolicyDocumentException') {
    return { code: 'MalformedPolicyDocument', message: cause.message, status: 400 };
  }
  if (cause instanceof KmsError) return { code: cause.code, message: cause.message, status: cause.status };
  return { code: 'InternalFailure', message: 'The emulator failed on this request.', status: 500 };
}

function answerXml(answer: {
  action: string;
  session: Session;
  claims: WebIdentityClaims | null;
  requestId: string;
  parts: StsParts;
}): string {
  const { action, session, claims, requestId, parts } = answer;
  const token = sealSession(session, Buffer.from(parts.store.state.sessionSecret, 'base64'));
  const arn = parts.roles.sessionArn(session.roleArn, session.sessionName);
  const identity =
    claims === null ? '' : tag('SubjectFromWebIdentityToken', claims.sub) + tag('Audience', claims.aud);
  return `<${action}Response xmlns="${NAMESPACE}"><${action}Result><Credentials>${tag('AccessKeyId', session.accessKeyId)}${tag('SecretAccessKey', randomBytes(30).toString('base64'))}${tag('SessionToken', token)}${tag('Expiration', new Date(session.expiresAt).toISOString())}</Credentials><AssumedRoleUser>${tag('Arn', arn)}${tag('AssumedRoleId', `AROAEMULATED:${session.sessionName}`)}</AssumedRoleUser>${identity}</${action}Result><ResponseMetadata>${tag('RequestId', requestId)}</ResponseMetadata></${action}Response>`;
}

const errorXml = ({ code, message }: Refusal, requestId: string): string =>
  `<ErrorResponse xmlns="${NAMESPACE}"><Error><Type>Sender</Type>${tag('Code', code)}${tag('Message', message)}</Error>${tag('RequestId', requestId)}</ErrorResponse>`;

const tag = (name: string, value: string): string =>
  `<${name}>${value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')}</${name}>`;
