import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EmergencyOpenings } from '../access/emergency-openings.ts';
import type { EmergencyReviews } from '../access/emergency-reviews.ts';
import { AccessError } from '../access/errors.ts';
import { findMember } from '../access/members.ts';
import { findClinic } from '../clinic/clinic.ts';
import { timeWords } from '../clinic/clinic-time.ts';
import type { Identifiers } from '../crypto/search-facts.ts';
import type { Clock } from '../kernel/clock.ts';
import { ChartsealError } from '../kernel/errors.ts';
import { type PatientId, parsePatientId, type TenantId } from '../kernel/ids.ts';
import { createCookieJar } from '../oauth/cookie-jar.ts';
import { formToken, isOwnForm } from '../oauth/form-token.ts';
import {
  type PageSession,
  SESSION_MS,
  sessionCookie,
  sessionFrom,
  startSession,
} from '../oauth/page-session.ts';
import { type PageDoor, type PageSignInParts, signInToPage } from '../oauth/page-sign-in.ts';
import { type Page, type PageAssets, seeOther, sendPage } from '../oauth/pages.ts';
import { formOf } from '../oauth/request.ts';
import { pageSignInPage } from '../oauth/sign-in-pages.ts';
import { EMERGENCY_STATUS, EmergencyError } from './errors.ts';
import { readEmergencyForm, readVerdict } from './form.ts';
import { deadEndPage, openedPage, openPage, queuePage, reviewPage, type SayTime } from './pages.ts';
import { recordOf, SESSION_COOKIE } from './session.ts';

/** What the pages stand on. */
export interface EmergencyPagesOptions extends PageSignInParts {
  /** The public origin: forms of other sites are refused by it. */
  readonly origin: string;
  /** Secrets of at least 32 characters for the cookie and the forms. The first signs, all verify. */
  readonly cookieKeys: readonly string[];
  readonly pages: PageAssets;
  readonly clock: Clock;
  readonly openings: EmergencyOpenings;
  readonly reviews: EmergencyReviews;
  /** Finds patients by two identifiers. */
  readonly find: (tenant: TenantId, by: Identifiers) => Promise<PatientId[]>;
  /** Faults of ours: name and code, never a value. */
  readonly onFault: (fault: { readonly name: string; readonly code: string }) => void;
}

/** `/emergency` and all below. */
export interface EmergencyPages {
  handle(req: IncomingMessage & { rawBody?: unknown }, res: ServerResponse): Promise<void>;
}

interface Visit {
  readonly req: IncomingMessage & { rawBody?: unknown };
  readonly res: ServerResponse;
  readonly path: string;
  readonly session: PageSession | null;
}

/** A visit of somebody who is signed in, with what their pages carry. */
interface SignedInVisit extends Visit {
  readonly session: PageSession;
  readonly context: { readonly assets: PageAssets; readonly csrf: string };
}

const PATH = '/emergency';
const DOOR: PageDoor = {
  operation: 'emergency-sign-in',
  client: 'emergency-page',
  policy: 'sign-in',
  roles: ['clinician', 'auditor', 'admin'],
  wrongRole: 'This page is for clinicians, and for those who review emergency access. Nothing was opened.',
};
const RECORD = /^\/emergency\/review\/(eg_[A-Za-z0-9_-]{22})$/;

/** Serves the emergency pages: a fresh sign-in, then one opening by a clinician, or the queue of a reviewer. */
export function createEmergencyPages(options: EmergencyPagesOptions): EmergencyPages {
  const openJar = createCookieJar({ keys: options.cookieKeys, secure: options.origin.startsWith('https:') });
  return {
    handle: async (req, res) => {
      try {
        const jar = openJar(req.headers.cookie, PATH);
        jar.attach(res);
        const path = new URL(req.url ?? PATH, options.origin).pathname;
        await route(options, {
          req,
          res,
          path,
          session: sessionFrom(jar.get(SESSION_COOKIE), options.clock()),
        });
      } catch (error) {
        explain(options, res, error);
      }
    },
  };
}

async function route(options: EmergencyPagesOptions, visit: Visit): Promise<void> {
  const { req, res, path } = visit;
  if (req.method === 'GET' || req.method === 'HEAD') return sendPage(res, await pageFor(options, visit));
  if (req.method !== 'POST') throw new EmergencyError('FORM', 'This address takes pages and forms only.');
  if (req.headers.origin !== options.origin) throw crossSite();
  const form = await formOf(req);
  if (path === `${PATH}/sign-in`) return submitSignIn(options, visit, form);
  const own = requireOwnForm(options, visit, form);
  if (path === `${PATH}/open`) return submitOpening(options, own, form);
  if (path === `${PATH}/sign-out`) return leave(res, PATH);
  const record = RECORD.exec(path)?.[1];
  if (record === undefined) throw new EmergencyError('NO_PAGE', 'There is nothing at this address.');
  await options.reviews.review(own.session, { record, verdict: readVerdict(form) });
  seeOther(res, `${PATH}/review`);
}

async function pageFor(options: EmergencyPagesOptions, visit: Visit): Promise<Page> {
  const { path, session } = visit;
  if (session === null) return signInPage(options, { status: 200, problem: '' });
  const context = contextOf(options, session);
  if (path === `${PATH}/review`) {
    const time = await timesOf(options, session.tenant);
    return queuePage(context, await options.reviews.queue(session), { time });
  }
  const record = RECORD.exec(path)?.[1];
  if (record !== undefined) {
    const time = await timesOf(options, session.tenant);
    return reviewPage(context, await options.reviews.read(session, record), { time, problem: '' });
  }
  if (path !== PATH) throw new EmergencyError('NO_PAGE', 'There is nothing at this address.');
  const member = await findMember(options.store, session.tenant, session.user);
  if (member?.role === 'clinician') return openPage(context, { status: 200, problem: '' });
  return queuePage(context, await options.reviews.queue(session), {
    time: await timesOf(options, session.tenant),
  });
}

const signInPage = ({ pages }: EmergencyPagesOptions, say: { status: number; problem: string }): Page =>
  pageSignInPage(pages, {
    ...say,
    title: 'Emergency access',
    lead: 'For clinicians who must open a chart now, and for those who review it. Every step is recorded.',
    action: `${PATH}/sign-in`,
  });

const formOfSession = ({ id }: PageSession) => ({ page: 'emergency', id });

const contextOf = (options: EmergencyPagesOptions, session: PageSession) => ({
  assets: options.pages,
  csrf: formToken(options.cookieKeys[0] ?? '', formOfSession(session)),
});

function requireOwnForm(options: EmergencyPagesOptions, visit: Visit, form: URLSearchParams): SignedInVisit {
  const { session } = visit;
  if (session === null)
    throw new EmergencyError('SIGNED_OUT', 'Your sign-in is over. Nothing was changed. Sign in again.');
  if (!isOwnForm(options.cookieKeys[0] ?? '', formOfSession(session), form.get('csrf'))) throw crossSite();
  return { ...visit, session, context: contextOf(options, session) };
}

async function submitSignIn(
  options: EmergencyPagesOptions,
  { req, res }: Visit,
  form: URLSearchParams,
): Promise<void> {
  const signedIn = await signInToPage(options, DOOR, { req, idToken: form.get('idToken') ?? '' });
  if (signedIn.problem !== null) return sendPage(res, signInPage(options, signedIn));
  const session = startSession(signedIn, options.clock());
  const until = new Date(options.clock() + SESSION_MS).toUTCString();
  res.appendHeader(
    'set-cookie',
    `${SESSION_COOKIE}=${sessionCookie(session)}; path=${PATH}; expires=${until}`,
  );
  seeOther(res, PATH);
}

async function submitOpening(
  options: EmergencyPagesOptions,
  { res, session, context }: SignedInVisit,
  form: URLSearchParams,
): Promise<void> {
  const { tenant, user } = session;
  const record = recordOf(options.cookieKeys[0] ?? '', session);
  try {
    const { who, ...asked } = readEmergencyForm(form);
    const patient = await patientOf(options, tenant, who);
    const opening = await options.openings.open({ tenant, user, patient, record, ...asked });
    const time = await timesOf(options, tenant);
    endSession(res);
    const until = time(opening.expiresAt);
    sendPage(res, openedPage(options.pages, { handle: opening.patient, until }));
  } catch (error) {
    const again =
      (error instanceof EmergencyError && error.code === 'FORM') ||
      (error instanceof AccessError && error.code === 'NOT_FOUND');
    if (!again) throw error;
    sendPage(res, openPage(context, { status: 400, problem: error.message }));
  }
}

/** Null when nobody, or more than one, is found: the page says the same for both, and asks for more. */
async function patientOf(
  options: EmergencyPagesOptions,
  tenant: TenantId,
  who: ReturnType<typeof readEmergencyForm>['who'],
): Promise<PatientId | null> {
  try {
    if ('handle' in who) return parsePatientId(who.handle);
    const found = await options.find(tenant, who);
    return found.length === 1 ? (found[0] ?? null) : null;
  } catch (error) {
    if (error instanceof ChartsealError && !error.retryable) return null;
    throw error;
  }
}

async function timesOf({ store }: EmergencyPagesOptions, tenant: TenantId): Promise<SayTime> {
  return timeWords((await findClinic(store, tenant)).zone);
}

const endSession = (res: ServerResponse): unknown =>
  res.appendHeader('set-cookie', `${SESSION_COOKIE}=; path=${PATH}; expires=Thu, 01 Jan 1970 00:00:00 GMT`);

function leave(res: ServerResponse, to: string): void {
  endSession(res);
  seeOther(res, to);
}

const crossSite = (): EmergencyError =>
  new EmergencyError('CROSS_SITE', 'This form was not sent from here. Nothing was changed.');

function explain({ pages, onFault }: EmergencyPagesOptions, res: ServerResponse, error: unknown): void {
  if (res.headersSent) {
    res.end();
    return;
  }
  if (error instanceof EmergencyError) {
    const title = error.code === 'SIGNED_OUT' ? 'Sign in again' : 'This was not accepted';
    sendPage(res, deadEndPage(pages, { status: EMERGENCY_STATUS[error.code], title, advice: error.message }));
  } else if (error instanceof AccessError && error.code !== 'POLICY_UNAVAILABLE') {
    sendPage(res, deadEndPage(pages, { status: 403, title: 'This was not accepted', advice: error.message }));
  } else {
    const { name, code } = error instanceof ChartsealError ? error : { name: 'unknown', code: '' };
    onFault({ name, code });
    const advice = 'Nothing was opened. Try again in a minute, or follow your clinic’s downtime procedure.';
    sendPage(res, deadEndPage(pages, { status: 503, title: 'Something went wrong here', advice }));
  }
}
