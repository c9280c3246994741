import type { IncomingMessage, ServerResponse } from 'node:http';
import { AccessError } from '../access/errors.ts';
import { findMember } from '../access/members.ts';
import { findClinic } from '../clinic/clinic.ts';
import { timeWords } from '../clinic/clinic-time.ts';
import { CryptoError } from '../crypto/errors.ts';
import type { Clock } from '../kernel/clock.ts';
import { ChartsealError } from '../kernel/errors.ts';
import { ExportError } from '../lifecycle/export/errors.ts';
import { EXPORT_FILES } from '../lifecycle/export/files.ts';
import { RequestError } from '../lifecycle/requests/errors.ts';
import { createCookieJar } from '../oauth/cookie-jar.ts';
import { OAuthError } from '../oauth/errors.ts';
import { formToken, isOwnForm } from '../oauth/form-token.ts';
import {
  type PageSession,
  SESSION_MS,
  sessionCookie,
  sessionFrom,
  startSession,
} from '../oauth/page-session.ts';
import { type PageDoor, type PageSignInParts, signInToPage } from '../oauth/page-sign-in.ts';
import { type Page, type PageAssets, pageHeaders, seeOther, sendPage } from '../oauth/pages.ts';
import { formOf } from '../oauth/request.ts';
import { pageSignInPage } from '../oauth/sign-in-pages.ts';
import type { PrivacyDesk } from './desk.ts';
import { choicePage, erasePage, overviewPage } from './desk-pages.ts';
import { PRIVACY_STATUS, PrivacyError } from './errors.ts';
import { readAnswer, readConsent, readFile, readStart } from './form.ts';
import { deadEndPage, type PrivacyContext } from './frame.ts';
import { queuePage, reviewPage } from './review-pages.ts';
import type { RequestReviews } from './reviews.ts';

/** What the pages stand on. */
export interface PrivacyPagesOptions extends PageSignInParts {
  /** The public origin: forms of other sites are refused by it. */
  readonly origin: string;
  /** Secrets of at least 32 characters for the cookie and the forms. The first signs, all verify. */
  readonly cookieKeys: readonly string[];
  readonly pages: PageAssets;
  readonly clock: Clock;
  readonly desk: PrivacyDesk;
  readonly reviews: RequestReviews;
  /** Faults of ours: name and code, never a value. */
  readonly onFault: (fault: { readonly name: string; readonly code: string }) => void;
}

type Request = IncomingMessage & { rawBody?: unknown };

/** `/privacy` and all below. */
export interface PrivacyPages {
  handle(req: Request, res: ServerResponse): Promise<void>;
}

interface Visit {
  readonly req: Request;
  readonly res: ServerResponse;
  readonly path: string;
  readonly session: PageSession | null;
}

/** A visit of somebody who is signed in, with what their pages carry. */
interface SignedInVisit extends Visit {
  readonly session: PageSession;
  readonly context: PrivacyContext;
}

const PATH = '/privacy';
const COOKIE = 'privacy';
const DOOR: PageDoor = {
  operation: 'privacy-sign-in',
  client: 'privacy-page',
  policy: 'sign-in',
  roles: ['patient', 'proxy', 'admin'],
  wrongRole: 'This page is for patients, for who acts for them, and for the clinic’s administrators.',
};
const CHART = /^\/privacy\/chart\/([A-Za-z0-9_-]{1,64})(?:\/(start|confirm|withdraw|consent|download))?$/;
const ERASE = /^\/privacy\/chart\/([A-Za-z0-9_-]{1,64})\/erase\/(prq_[A-Za-z0-9_-]{22})$/;
const REVIEW = /^\/privacy\/review\/(prq_[A-Za-z0-9_-]{22})$/;

/** Serves the privacy pages: a fresh sign-in, then a person's data, or the requests that the clinic answers. */
export function createPrivacyPages(options: PrivacyPagesOptions): PrivacyPages {
  const openJar = createCookieJar({ keys: options.cookieKeys, secure: options.origin.startsWith('https:') });
  return {
    handle: async (req, res) => {
      try {
        const jar = openJar(req.headers.cookie, PATH);
        jar.attach(res);
        const path = new URL(req.url ?? PATH, options.origin).pathname;
        await route(options, { req, res, path, session: sessionFrom(jar.get(COOKIE), options.clock()) });
      } catch (error) {
        explain(options, res, error);
      }
    },
  };
}

async function route(options: PrivacyPagesOptions, visit: Visit): Promise<void> {
  const { req, res, path, session } = visit;
  if (req.method === 'GET' || req.method === 'HEAD') {
    if (session === null) return sendPage(res, signInPage(options, { status: 200, problem: '' }));
    return sendPage(res, await pageFor(options, await signedIn(options, visit, session)));
  }
  if (req.method !== 'POST') throw new PrivacyError('FORM', 'This address takes pages and forms only.');
  if (req.headers.origin !== options.origin) throw crossSite();
  const form = await formOf(req);
  if (path === `${PATH}/sign-in`) return submitSignIn(options, visit, form);
  if (session === null)
    throw new PrivacyError('SIGNED_OUT', 'Your sign-in is over. Nothing was changed. Sign in again.');
  if (!isOwnForm(options.cookieKeys[0] ?? '', { page: PATH, id: session.id }, form.get('csrf')))
    throw crossSite();
  if (path === `${PATH}/sign-out`) return signOut(res);
  return submit(options, await signedIn(options, visit, session), form);
}

async function signedIn(
  options: PrivacyPagesOptions,
  visit: Visit,
  session: PageSession,
): Promise<SignedInVisit> {
  const { zone } = await findClinic(options.store, session.tenant);
  const csrf = formToken(options.cookieKeys[0] ?? '', { page: PATH, id: session.id });
  return { ...visit, session, context: { assets: options.pages, csrf, time: timeWords(zone) } };
}

async function pageFor(options: PrivacyPagesOptions, visit: SignedInVisit): Promise<Page> {
  const { path, session, context } = visit;
  const { desk, reviews } = options;
  const review = REVIEW.exec(path)?.[1];
  if (review !== undefined)
    return reviewPage(context, await reviews.read(session, review), { status: 200, problem: '' });
  const [, patient, id] = ERASE.exec(path) ?? [];
  if (patient !== undefined && id !== undefined) {
    await desk.overview(session, patient);
    return erasePage(context, { patient, id }, { status: 200, problem: '' });
  }
  const [, chart, act] = CHART.exec(path) ?? [];
  if (chart !== undefined && act === undefined) return chartPage(options, visit, chart, NO_PROBLEM);
  if (path === PATH || path === `${PATH}/review`) return startPage(options, visit);
  throw noPage();
}

const NO_PROBLEM = { status: 200, problem: '' };

async function startPage(options: PrivacyPagesOptions, visit: SignedInVisit): Promise<Page> {
  const { session, context } = visit;
  const member = await findMember(options.store, session.tenant, session.user);
  if (member?.role === 'admin') return queuePage(context, await options.reviews.queue(session));
  const charts = await options.desk.charts(session);
  const [only, ...more] = charts;
  if (only === undefined || more.length > 0) return choicePage(context, charts);
  return chartPage(options, visit, only.patient, NO_PROBLEM);
}

async function chartPage(
  { desk }: PrivacyPagesOptions,
  { session, context }: SignedInVisit,
  patient: string,
  say: { status: number; problem: string },
): Promise<Page> {
  const seen = await desk.overview(session, patient);
  const charts = await desk.charts(session);
  const chart = charts.find((one) => one.patient === seen.patient) ?? { patient: seen.patient, name: null };
  return overviewPage(context, { chart, seen }, say);
}

async function submit(
  options: PrivacyPagesOptions,
  visit: SignedInVisit,
  form: URLSearchParams,
): Promise<void> {
  const { path, session, res } = visit;
  const review = REVIEW.exec(path)?.[1];
  if (review !== undefined) return submitReview(options, visit, { id: review, form });
  const [, patient, act] = CHART.exec(path) ?? [];
  if (patient === undefined || act === undefined) throw noPage();
  if (act === 'download') return sendFile(options, visit, { patient, ...readFile(form) });
  const id = form.get('id') ?? '';
  try {
    if (act === 'start') await submitStart(options, visit, { patient, form });
    if (act === 'consent') await options.desk.setConsent(session, patient, readConsent(form));
    if (act === 'withdraw') await options.desk.withdraw(session, patient, id);
    if (act === 'confirm')
      await options.desk.confirm(session, patient, { id, typed: form.get('typed') ?? '' });
    if (!res.headersSent) seeOther(res, `${PATH}/chart/${patient}`);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const say = { status: 400, problem: error.message };
    const again = act === 'confirm' && error.code === 'REQUEST_INPUT';
    const page = again
      ? erasePage(visit.context, { patient, id }, say)
      : chartPage(options, visit, patient, say);
    sendPage(res, await page);
  }
}

/** An erasure goes on to the page that says what it means. */
async function submitStart(
  { desk }: PrivacyPagesOptions,
  { session, res }: SignedInVisit,
  { patient, form }: { patient: string; form: URLSearchParams },
): Promise<void> {
  const asked = readStart(form);
  const { id, state } = await desk.start(session, patient, asked);
  if (state !== 'asked') return;
  if (asked.kind === 'erasure') return seeOther(res, `${PATH}/chart/${patient}/erase/${id}`);
  // Whoever starts it here, freshly signed in, has confirmed it by that.
  await desk.confirm(session, patient, { id, typed: '' });
}

async function submitReview(
  { reviews }: PrivacyPagesOptions,
  { session, context, res }: SignedInVisit,
  { id, form }: { id: string; form: URLSearchParams },
): Promise<void> {
  const reason = readAnswer(form);
  try {
    await (reason === null ? reviews.approve(session, id) : reviews.refuse(session, id, reason));
    seeOther(res, `${PATH}/review`);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const say = { status: 400, problem: error.message };
    sendPage(res, reviewPage(context, await reviews.read(session, id), say));
  }
}

async function sendFile(
  { desk }: PrivacyPagesOptions,
  { session, res }: SignedInVisit,
  { patient, id, file }: { patient: string } & ReturnType<typeof readFile>,
): Promise<void> {
  const bytes = await desk.download(session, patient, { id, file });
  const { name, type } = EXPORT_FILES[file];
  res.writeHead(200, {
    ...pageHeaders({ policy: "default-src 'none'; sandbox" }),
    'content-type': type,
    'content-length': bytes.length,
    'content-disposition': `attachment; filename="${name}"`,
  });
  res.end(bytes);
}

const signInPage = (
  { pages }: PrivacyPagesOptions,
  say: { readonly status: number; readonly problem: string },
): Page =>
  pageSignInPage(pages, {
    ...say,
    title: 'Your data',
    lead: 'See who opened your health record, get a copy, or have it corrected or deleted. Sign in afresh to go on.',
    action: `${PATH}/sign-in`,
  });

async function submitSignIn(
  options: PrivacyPagesOptions,
  { req, res }: Visit,
  form: URLSearchParams,
): Promise<void> {
  const answer = await signInToPage(options, DOOR, { req, idToken: form.get('idToken') ?? '' });
  if (answer.problem !== null) return sendPage(res, signInPage(options, answer));
  const session = startSession(answer, options.clock());
  const until = new Date(options.clock() + SESSION_MS).toUTCString();
  res.appendHeader('set-cookie', `${COOKIE}=${sessionCookie(session)}; path=${PATH}; expires=${until}`);
  seeOther(res, PATH);
}

function signOut(res: ServerResponse): void {
  res.appendHeader('set-cookie', `${COOKIE}=; path=${PATH}; expires=Thu, 01 Jan 1970 00:00:00 GMT`);
  seeOther(res, PATH);
}

const crossSite = (): PrivacyError =>
  new PrivacyError('CROSS_SITE', 'This form was not sent from here. Nothing was changed.');
const noPage = (): PrivacyError => new PrivacyError('NO_PAGE', 'There is nothing at this address.');

function explain({ pages, onFault }: PrivacyPagesOptions, res: ServerResponse, error: unknown): void {
  if (res.headersSent) {
    res.end();
    return;
  }
  const status = statusOf(error);
  if (status !== null && error instanceof ChartsealError) {
    const signedOut = error.code === 'SIGNED_OUT';
    const title = signedOut ? 'Sign in again' : 'This was not accepted';
    sendPage(res, deadEndPage(pages, { status, title, advice: error.message }));
  } else {
    const { name, code } = error instanceof ChartsealError ? error : { name: 'unknown', code: '' };
    onFault({ name, code });
    const advice = 'Nothing was changed. Try again in a minute, or ask the clinic.';
    sendPage(res, deadEndPage(pages, { status: 503, title: 'Something went wrong here', advice }));
  }
}

/** Null for a fault of ours. */
function statusOf(error: unknown): number | null {
  if (error instanceof PrivacyError) return PRIVACY_STATUS[error.code];
  if (error instanceof RequestError) return error.code === 'REQUEST_UNKNOWN' ? 404 : 400;
  if (error instanceof ExportError) return 410;
  if (error instanceof OAuthError && error.code === 'REQUEST_BODY') return 413;
  // A chart that is being erased this very moment.
  if (error instanceof CryptoError && error.code === 'KEY_MISSING') return 404;
  if (error instanceof AccessError && error.code !== 'POLICY_UNAVAILABLE') return 404;
  return null;
}
