import type { IncomingMessage, ServerResponse } from 'node:http';
import { AccessError } from '../access/errors.ts';
import { findClinic } from '../clinic/clinic.ts';
import { timeWords } from '../clinic/clinic-time.ts';
import type { Clock } from '../kernel/clock.ts';
import { ChartsealError } from '../kernel/errors.ts';
import { html } from '../kernel/html.ts';
import { createCookieJar } from './cookie-jar.ts';
import { OAuthError } from './errors.ts';
import { formToken, isOwnForm } from './form-token.ts';
import { type OwnFile, sendFile } from './own-file.ts';
import { type PageSession, SESSION_MS, sessionCookie, sessionFrom, startSession } from './page-session.ts';
import { type PageDoor, type PageSignInParts, signInToPage } from './page-sign-in.ts';
import { layout, type Page, type PageAssets, policy, seeOther, sendPage } from './pages.ts';
import { formOf } from './request.ts';
import { pageSignInPage } from './sign-in-pages.ts';
import { isUpload, readUpload, type UploadedFile } from './upload-form.ts';

/** What pages of ours with a fresh sign-in stand on. */
export interface OwnPagesOptions extends PageSignInParts {
  /** The public origin: forms of other sites are refused by it. */
  readonly origin: string;
  /** Secrets of at least 32 characters for the cookie and the forms. The first signs, all verify. */
  readonly cookieKeys: readonly string[];
  readonly pages: PageAssets;
  readonly clock: Clock;
  /** Faults of ours: name and code, never a value. */
  readonly onFault: (fault: { readonly name: string; readonly code: string }) => void;
}

type Request = IncomingMessage & { rawBody?: unknown };

/** A request of somebody who is signed in, with what their pages carry. */
export interface OwnVisit {
  readonly path: string;
  readonly session: PageSession;
  readonly csrf: string;
  readonly assets: PageAssets;
  /** How times are shown: in the clinic's zone, with weekday and zone. */
  readonly time: (ms: number) => string;
  /** Ends the sign-in with this answer. */
  readonly leave: () => void;
}

/** One such part of the site. */
export interface OwnPart {
  /** Where it lies, such as `/wallet`; also the name of its cookie and its forms. */
  readonly path: string;
  readonly door: PageDoor;
  readonly words: {
    readonly title: string;
    readonly lead: string;
    /** What is said, and what to do, when something goes wrong on our side. */
    readonly fault: string;
    /** The link of every dead end. */
    readonly back: string;
  };
  /** The page at an address; null when there is none. */
  show(visit: OwnVisit): Promise<Page | null>;
  /** What a form does: a page that says why not, the path to look at next, or a file; null when there is no such form. */
  submit(visit: OwnVisit, form: URLSearchParams): Promise<Page | string | OwnFile | null>;
  /** What a form with a file does, whose fields stand before the file; null when there is no such form. */
  upload?(visit: OwnVisit, form: URLSearchParams, file: UploadedFile): Promise<Page | string | null>;
  /** How an error of this part looks; null for what is a fault of ours. */
  refusal?(error: ChartsealError): Pick<Refused, 'status' | 'advice'> | null;
}

interface Refused {
  readonly status: number;
  readonly title: string;
  readonly advice: string;
}
type Answer = Page | Refused | OwnFile | string;

/** Serves a part: sign-in, the session in the signed cookie jar, forms that count only from its own pages, plain refusals. */
export function createOwnPages(
  options: OwnPagesOptions,
  part: OwnPart,
): { handle(req: Request, res: ServerResponse): Promise<void> } {
  const openJar = createCookieJar({ keys: options.cookieKeys, secure: options.origin.startsWith('https:') });
  const cookie = part.path.slice(1);
  return {
    handle: async (req, res) => {
      try {
        const jar = openJar(req.headers.cookie, part.path);
        jar.attach(res);
        const session = sessionFrom(jar.get(cookie), options.clock());
        const answer = await answerOf({ ...options, part }, { req, res, session });
        await send(options.pages, part, res, answer);
      } catch (error) {
        explain(options, part, res, error);
      }
    },
  };
}

type House = OwnPagesOptions & { readonly part: OwnPart };
interface Asked {
  readonly req: Request;
  readonly res: ServerResponse;
  readonly session: PageSession | null;
}

async function answerOf(house: House, { req, res, session }: Asked): Promise<Answer> {
  const { part, origin } = house;
  const path = new URL(req.url ?? part.path, origin).pathname;
  if (req.method === 'GET' || req.method === 'HEAD') {
    if (session === null) return signInPage(house, { status: 200, problem: '' });
    return (await part.show(await visitOf(house, { res, session, path }))) ?? NO_PAGE;
  }
  if (req.method !== 'POST') return NO_PAGE;
  if (req.headers.origin !== origin) return CROSS_SITE;
  if (isUpload(req) && part.upload !== undefined) return answerUpload(house, { req, res, session }, path);
  const form = await formOf(req);
  if (path === `${part.path}/sign-in`) return submitSignIn(house, { req, res, form });
  if (session === null) return SIGNED_OUT;
  const own = { page: part.path, id: session.id };
  if (!isOwnForm(house.cookieKeys[0] ?? '', own, form.get('csrf'))) return CROSS_SITE;
  if (path === `${part.path}/sign-out`) return signOut(part, res);
  return (await part.submit(await visitOf(house, { res, session, path }), form)) ?? NO_PAGE;
}

/** The sign-in is known before the first byte is read, and the form's token before the file is. */
async function answerUpload(house: House, { req, res, session }: Asked, path: string): Promise<Answer> {
  const { part } = house;
  if (session === null) return SIGNED_OUT;
  const own = { page: part.path, id: session.id };
  return readUpload<Answer>(req, async (fields, file) => {
    if (!isOwnForm(house.cookieKeys[0] ?? '', own, fields.get('csrf'))) return CROSS_SITE;
    return (await part.upload?.(await visitOf(house, { res, session, path }), fields, file)) ?? NO_PAGE;
  });
}

async function visitOf(
  house: House,
  { res, session, path }: { res: ServerResponse; session: PageSession; path: string },
): Promise<OwnVisit> {
  const { zone } = await findClinic(house.store, session.tenant);
  const csrf = formToken(house.cookieKeys[0] ?? '', { page: house.part.path, id: session.id });
  const leave = (): void => setCookie(res, house.part, { value: '', until: new Date(0) });
  return { path, session, csrf, assets: house.pages, time: timeWords(zone), leave };
}

const signInPage = ({ pages, part }: House, say: { status: number; problem: string }): Page =>
  pageSignInPage(pages, {
    ...say,
    title: part.words.title,
    lead: part.words.lead,
    action: `${part.path}/sign-in`,
  });

async function submitSignIn(
  house: House,
  { req, res, form }: { req: Request; res: ServerResponse; form: URLSearchParams },
): Promise<Page | string> {
  const { part } = house;
  const answer = await signInToPage(house, part.door, { req, idToken: form.get('idToken') ?? '' });
  if (answer.problem !== null) return signInPage(house, answer);
  const session = startSession(answer, house.clock());
  const until = new Date(house.clock() + SESSION_MS);
  setCookie(res, part, { value: sessionCookie(session), until });
  return part.path;
}

function signOut(part: OwnPart, res: ServerResponse): string {
  setCookie(res, part, { value: '', until: new Date(0) });
  return part.path;
}

function setCookie(res: ServerResponse, { path }: OwnPart, set: { value: string; until: Date }): void {
  const { value, until } = set;
  res.appendHeader('set-cookie', `${path.slice(1)}=${value}; path=${path}; expires=${until.toUTCString()}`);
}

const NO_PAGE: Refused = {
  status: 404,
  title: 'This was not accepted',
  advice: 'There is nothing at this address.',
};
const CROSS_SITE: Refused = {
  status: 403,
  title: 'This was not accepted',
  advice: 'This form was not sent from here. Nothing was changed.',
};
const SIGNED_OUT: Refused = {
  status: 401,
  title: 'Sign in again',
  advice: 'Your sign-in is over. Nothing was changed. Sign in again.',
};

async function send(assets: PageAssets, part: OwnPart, res: ServerResponse, answer: Answer): Promise<void> {
  if (typeof answer === 'string') seeOther(res, answer);
  else if ('bytes' in answer) await sendFile(res, answer);
  else sendPage(res, 'advice' in answer ? deadEnd(assets, part, answer) : answer);
}

function deadEnd(assets: PageAssets, { path, words }: OwnPart, { status, title, advice }: Refused): Page {
  const body = html`<h1>${title}</h1><p>${advice}</p><p><a class="button" href="${path}">${words.back}</a></p>`;
  return { status, body: layout(assets, title, body), policy: policy({ connect: [] }) };
}

/** What is refused is said; the rest is a fault of ours. */
function explain(options: OwnPagesOptions, part: OwnPart, res: ServerResponse, error: unknown): void {
  const ours = error instanceof ChartsealError ? error : null;
  const refused = ours === null ? null : refusalOf(part, ours);
  if (refused !== null && !res.headersSent) {
    sendPage(res, deadEnd(options.pages, part, refused));
    return;
  }
  options.onFault({ name: ours?.name ?? 'unknown', code: ours?.code ?? '' });
  if (res.headersSent) return;
  const title = 'Something went wrong here';
  sendPage(res, deadEnd(options.pages, part, { status: 503, title, advice: part.words.fault }));
}

function refusalOf(part: OwnPart, error: ChartsealError): Refused | null {
  const own = part.refusal?.(error) ?? null;
  if (own !== null) return { ...own, title: 'This was not accepted' };
  if (error instanceof OAuthError && (error.code === 'REQUEST_BODY' || error.code === 'UPLOAD_BROKEN'))
    return {
      status: error.code === 'REQUEST_BODY' ? 413 : 400,
      title: 'This was not accepted',
      advice: error.message,
    };
  return error instanceof AccessError && error.code !== 'POLICY_UNAVAILABLE' ? NO_PAGE : null;
}
