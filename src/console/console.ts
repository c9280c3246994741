import type { IncomingMessage, ServerResponse } from 'node:http';
import { findMember } from '../access/members.ts';
import { findClinic } from '../clinic/clinic.ts';
import type { Clock } from '../kernel/clock.ts';
import { ChartsealError } from '../kernel/errors.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { KeyStatus } from '../lifecycle/rotation/survey.ts';
import { createCookieJar } from '../oauth/cookie-jar.ts';
import { type PageDoor, type PageSignInParts, signInToPage } from '../oauth/page-sign-in.ts';
import { type PageAssets, seeOther, sendPage } from '../oauth/pages.ts';
import { formOf } from '../oauth/request.ts';
import { pageSignInPage } from '../oauth/sign-in-pages.ts';
import { CONSOLE_STATUS, ConsoleError } from './errors.ts';
import { exportLog } from './exports.ts';
import { type Body, type LogPlaces, readEvidence, readLog } from './log-api.ts';
import { consolePage } from './pages.ts';
import { type ConsoleSession, ConsoleSessions, IDLE_MS } from './sessions.ts';

/** What the console stands on. */
export interface ConsoleOptions extends PageSignInParts, LogPlaces {
  /** The public origin: forms and calls of other sites are refused by it. */
  readonly origin: string;
  readonly cookieKeys: readonly string[];
  readonly pages: PageAssets;
  readonly clock: Clock;
  /** The self-contained program that goes into an evidence bundle, as JavaScript. */
  readonly verifier: string;
  /** What is shown of keys: ages, versions, jobs. */
  readonly keyStatus: (tenant: TenantId) => Promise<KeyStatus>;
  /** Faults of ours: name and code, never a value. */
  readonly onFault: (fault: { readonly name: string; readonly code: string }) => void;
}

/** The auditor console's addresses, `/console` and all below. */
export interface Console {
  handle(req: IncomingMessage & { rawBody?: unknown }, res: ServerResponse): Promise<void>;
}

/** One request, its session's cookie read. */
interface Visit {
  readonly req: IncomingMessage & { rawBody?: unknown };
  readonly res: ServerResponse;
  readonly url: URL;
  readonly cookie: string | undefined;
}

const COOKIE = 'console';
const PATH = '/console';
/** Long enough for any session; the row in the store decides. */
const COOKIE_MS = 12 * 3_600_000;
const DOOR: PageDoor = {
  operation: 'consoleSignIn',
  client: 'console',
  policy: 'auditor-console',
  roles: ['auditor'],
  wrongRole: 'This account may not open the console: it is for the auditors of a clinic. Nothing was shown.',
};
const NOTES: Readonly<Record<string, string>> = {
  idle: 'You were signed out after 15 minutes without activity.',
  ended: 'Your session has ended. Sign in again.',
  done: 'You are signed out.',
};

/** Serves the console. What it answers is never PHI: audit events, tiles, digests, a clinic's name. */
export function createConsole(options: ConsoleOptions): Console {
  const openJar = createCookieJar({ keys: options.cookieKeys, secure: options.origin.startsWith('https:') });
  const sessions = new ConsoleSessions(options.store, options.clock);
  return {
    handle: async (req, res) => {
      try {
        const url = new URL(req.url ?? PATH, options.origin);
        const jar = openJar(req.headers.cookie, PATH);
        jar.attach(res);
        await route({ ...options, sessions }, { req, res, url, cookie: jar.get(COOKIE) });
      } catch (error) {
        refuse(options, res, error);
      }
    },
  };
}

type House = ConsoleOptions & { readonly sessions: ConsoleSessions };

async function route(house: House, visit: Visit): Promise<void> {
  const { req, url } = visit;
  const path = url.pathname.slice(PATH.length);
  if (req.method === 'POST') {
    if (req.headers.origin !== house.origin)
      throw new ConsoleError('CONSOLE_CROSS_SITE', 'Go to the console itself and try again.');
    if (path === '/sign-in') return submitSignIn(house, visit);
    if (path === '/sign-out') return signOut(house, visit);
    if (path === '/export') return sendExport(house, visit);
    if (path === '/api/read') return openReading(house, visit);
  } else {
    if (path === '') return showConsole(house, visit);
    if (path === '/api/session') return sendJson(visit.res, { until: (await sessionOf(house, visit)).until });
    if (path === '/api/keys') return sendKeys(house, visit);
    if (path.startsWith('/api/log/')) return sendLog(house, visit, path.slice('/api/log/'.length));
  }
  throw new ConsoleError('CONSOLE_ADDRESS', 'There is nothing at this address. The console is at /console.');
}

async function showConsole(house: House, visit: Visit): Promise<void> {
  const session = await findSession(house, visit);
  if (session === null) {
    const note = NOTES[visit.url.searchParams.get('left') ?? ''];
    return showSignIn(house, visit, { status: 200, problem: '', ...(note === undefined ? {} : { note }) });
  }
  const { tenant, user, until } = session;
  const { name: clinic, zone } = await findClinic(house.store, tenant);
  sendPage(visit.res, consolePage(house.pages, { tenant, clinic, zone, user, idleMs: IDLE_MS, until }));
}

const showSignIn = (
  { pages }: House,
  { res }: Visit,
  say: { status: number; problem: string; note?: string },
): void =>
  sendPage(
    res,
    pageSignInPage(pages, {
      ...say,
      title: 'Auditor console',
      lead: 'Sign in with an auditor’s account.',
      action: `${PATH}/sign-in`,
    }),
  );

/** A session counts only as long as its person is an auditor there. */
async function findSession(house: House, { cookie }: Visit): Promise<ConsoleSession | null> {
  const session = await house.sessions.find(cookie);
  if (session === null) return null;
  const member = await findMember(house.store, session.tenant, session.user);
  return member?.role === 'auditor' ? session : null;
}

async function sessionOf(house: House, visit: Visit): Promise<ConsoleSession> {
  const session = await findSession(house, visit);
  if (session === null) throw new ConsoleError('CONSOLE_SESSION', 'Your session has ended. Sign in again.');
  return session;
}

async function submitSignIn(house: House, visit: Visit): Promise<void> {
  const { req, res } = visit;
  const idToken = (await formOf(req)).get('idToken') ?? '';
  const answer = await signInToPage(house, DOOR, { req, idToken });
  if (answer.problem !== null) return showSignIn(house, visit, answer);
  const value = await house.sessions.open(answer.tenant, answer.user);
  setCookie(res, value, new Date(house.clock() + COOKIE_MS));
  seeOther(res, PATH);
}

async function signOut(house: House, visit: Visit): Promise<void> {
  const session = await house.sessions.find(visit.cookie);
  if (session !== null) {
    await house.sessions.end(session);
    await recordAct(house, session, { action: 'E', operation: 'consoleSignOut' });
  }
  setCookie(visit.res, '', new Date(0));
  const why = visit.url.searchParams.get('left') === 'idle' ? 'idle' : 'done';
  seeOther(visit.res, `${PATH}?left=${why}`);
}

/** The event of a reading is committed before anything of the log leaves. */
async function openReading(house: House, visit: Visit): Promise<void> {
  const session = await sessionOf(house, visit);
  await recordAct(house, session, { action: 'R', operation: 'consoleRead' });
  await house.sessions.startReading(session);
  const evidence = await readEvidence(house, session.tenant);
  sendJson(visit.res, { ...evidence, tenant: session.tenant, now: house.clock() });
}

/** Ages, versions and jobs: no key material, no patient. */
async function sendKeys(house: House, visit: Visit): Promise<void> {
  const session = await sessionOf(house, visit);
  await recordAct(house, session, { action: 'R', operation: 'consoleKeys' });
  sendJson(visit.res, await house.keyStatus(session.tenant));
}

async function sendLog(house: House, visit: Visit, part: string): Promise<void> {
  const session = await sessionOf(house, visit);
  if (!house.sessions.isReading(session))
    throw new ConsoleError('CONSOLE_READ', 'Open the log for reading first: POST /console/api/read.');
  await send(visit.res, readLog(house, session.tenant, { part, query: visit.url.searchParams }));
}

async function sendExport(house: House, visit: Visit): Promise<void> {
  const session = await sessionOf(house, visit);
  const form = await formOf(visit.req);
  const { file, ...body } = await exportLog(house, session, form.get('format'));
  await send(visit.res, body, { 'content-disposition': `attachment; filename="${file}"` });
}

function recordAct(
  { audit }: House,
  { tenant, user }: ConsoleSession,
  act: { action: 'R' | 'E'; operation: string },
): Promise<void> {
  return audit.append(tenant, {
    ...act,
    outcome: '0',
    actor: { user, role: 'auditor', client: 'console' },
    entity: { resource: 'AuditEvent' },
    purposeOfUse: 'HOPERAT',
    policy: 'auditor-console',
  });
}

/** Begins to answer only once the first piece is there, so that a failure before it still has a status. */
async function send(
  res: ServerResponse,
  { type, pieces }: Body,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const reader = pieces[Symbol.asyncIterator]();
  let piece = await reader.next();
  res.writeHead(200, { 'content-type': type, 'cache-control': 'private, no-store', ...headers });
  for (; piece.done !== true && !res.destroyed; piece = await reader.next())
    if (!res.write(piece.value)) await drained(res);
  res.end();
}

/** Resolves when the other end has caught up, or is gone. */
function drained(res: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => {
    res.off('drain', done).off('close', done);
    resolve();
  };
  res.once('drain', done).once('close', done);
  return promise;
}

function sendJson(res: ServerResponse, body: unknown, status = 200): void {
  res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'private, no-store' });
  res.end(JSON.stringify(body));
}

function setCookie(res: ServerResponse, value: string, expires: Date): void {
  res.setHeader('set-cookie', `${COOKIE}=${value}; path=${PATH}; expires=${expires.toUTCString()}`);
}

function refuse({ onFault }: ConsoleOptions, res: ServerResponse, error: unknown): void {
  if (res.headersSent) {
    // Cut off, so that half a log does not pass for a whole one.
    res.destroy();
    return;
  }
  const { status, ...body } = wireOf(error);
  if (status >= 500) onFault({ name: error instanceof Error ? error.name : 'unknown', code: body.error });
  sendJson(res, body, status);
}

function wireOf(error: unknown): { status: number; error: string; message: string } {
  if (error instanceof ConsoleError)
    return { status: CONSOLE_STATUS[error.code], error: error.code, message: error.message };
  const isOurs = error instanceof ChartsealError;
  return {
    status: isOurs && error.retryable ? 503 : 500,
    error: isOurs ? error.code : 'INTERNAL',
    message: 'Something went wrong on our side. Try again in a minute.',
  };
}
