import { findMember } from '../access/members.ts';
import { DocumentError } from '../clinic/documents/errors.ts';
import { CryptoError } from '../crypto/errors.ts';
import type { ChartsealError } from '../kernel/errors.ts';
import { DOCUMENTS_FILE } from '../lifecycle/export/document-files.ts';
import { ExportError } from '../lifecycle/export/errors.ts';
import { EXPORT_FILES } from '../lifecycle/export/files.ts';
import { RequestError } from '../lifecycle/requests/errors.ts';
import type { OwnFile } from '../oauth/own-file.ts';
import { createOwnPages, type OwnPagesOptions, type OwnVisit } from '../oauth/own-pages.ts';
import type { Page } from '../oauth/pages.ts';
import type { PrivacyDesk } from './desk.ts';
import { choicePage, erasePage, overviewPage } from './desk-pages.ts';
import { PRIVACY_STATUS, PrivacyError } from './errors.ts';
import { readAnswer, readConsent, readFile, readStart } from './form.ts';
import { CLIENT } from './frame.ts';
import { queuePage, reviewPage } from './review-pages.ts';
import type { RequestReviews } from './reviews.ts';

/** What the pages stand on. */
export interface PrivacyPagesOptions extends OwnPagesOptions {
  readonly desk: PrivacyDesk;
  readonly reviews: RequestReviews;
}

const PATH = '/privacy';
const CHART = /^\/privacy\/chart\/([A-Za-z0-9_-]{1,64})(?:\/(start|confirm|withdraw|consent|download))?$/;
const ERASE = /^\/privacy\/chart\/([A-Za-z0-9_-]{1,64})\/erase\/(prq_[A-Za-z0-9_-]{22})$/;
const REVIEW = /^\/privacy\/review\/(prq_[A-Za-z0-9_-]{22})$/;

/** Serves the privacy pages: a fresh sign-in, then a person's data, or the requests that the clinic answers. */
export const createPrivacyPages = (options: PrivacyPagesOptions) =>
  createOwnPages(options, {
    path: PATH,
    door: {
      operation: 'privacy-sign-in',
      client: CLIENT,
      policy: 'sign-in',
      roles: ['patient', 'proxy', 'admin'],
      wrongRole: 'This page is for patients, for who acts for them, and for the clinic’s administrators.',
    },
    words: {
      title: 'Your data',
      lead: 'See who opened your health record, get a copy, or have it corrected or deleted. Sign in afresh to go on.',
      fault: 'Nothing was changed. Try again in a minute, or ask the clinic.',
      back: 'Back to your data',
    },
    show: (visit) => pageFor(options, visit),
    submit: (visit, form) => submit(options, visit, form),
    refusal: (error) => {
      const status = statusOf(error);
      return status === null ? null : { status, advice: error.message };
    },
  });

async function pageFor(options: PrivacyPagesOptions, visit: OwnVisit): Promise<Page | null> {
  const { path, session } = visit;
  const { desk, reviews } = options;
  const review = REVIEW.exec(path)?.[1];
  if (review !== undefined)
    return reviewPage(visit, await reviews.read(session, review), { status: 200, problem: '' });
  const [, patient, id] = ERASE.exec(path) ?? [];
  if (patient !== undefined && id !== undefined) {
    await desk.overview(session, patient);
    return erasePage(visit, { patient, id }, { status: 200, problem: '' });
  }
  const [, chart, act] = CHART.exec(path) ?? [];
  if (chart !== undefined && act === undefined) return chartPage(options, visit, chart, NO_PROBLEM);
  if (path === PATH || path === `${PATH}/review`) return startPage(options, visit);
  return null;
}

const NO_PROBLEM = { status: 200, problem: '' };

async function startPage(options: PrivacyPagesOptions, visit: OwnVisit): Promise<Page> {
  const { session } = visit;
  const member = await findMember(options.store, session.tenant, session.user);
  if (member?.role === 'admin') return queuePage(visit, await options.reviews.queue(session));
  const charts = await options.desk.charts(session);
  const [only, ...more] = charts;
  if (only === undefined || more.length > 0) return choicePage(visit, charts);
  return chartPage(options, visit, only.patient, NO_PROBLEM);
}

async function chartPage(
  { desk }: PrivacyPagesOptions,
  visit: OwnVisit,
  patient: string,
  say: { status: number; problem: string },
): Promise<Page> {
  const { session } = visit;
  const seen = await desk.overview(session, patient);
  const charts = await desk.charts(session);
  const chart = charts.find((one) => one.patient === seen.patient) ?? { patient: seen.patient, name: null };
  return overviewPage(visit, { chart, seen }, say);
}

async function submit(
  options: PrivacyPagesOptions,
  visit: OwnVisit,
  form: URLSearchParams,
): Promise<Page | string | OwnFile | null> {
  const { path, session } = visit;
  const review = REVIEW.exec(path)?.[1];
  if (review !== undefined) return submitReview(options, visit, { id: review, form });
  const [, patient, act] = CHART.exec(path) ?? [];
  if (patient === undefined || act === undefined) return null;
  if (act === 'download') return fileOf(options, visit, { patient, ...readFile(form) });
  const id = form.get('id') ?? '';
  try {
    if (act === 'start') return await submitStart(options, visit, { patient, form });
    if (act === 'consent') await options.desk.setConsent(session, patient, readConsent(form));
    if (act === 'withdraw') await options.desk.withdraw(session, patient, id);
    if (act === 'confirm')
      await options.desk.confirm(session, patient, { id, typed: form.get('typed') ?? '' });
    return chartPath(patient);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const say = { status: 400, problem: error.message };
    const again = act === 'confirm' && error.code === 'REQUEST_INPUT';
    return again ? erasePage(visit, { patient, id }, say) : chartPage(options, visit, patient, say);
  }
}

const chartPath = (patient: string): string => `${PATH}/chart/${patient}`;

/** An erasure goes on to the page that says what it means. */
async function submitStart(
  { desk }: PrivacyPagesOptions,
  { session }: OwnVisit,
  { patient, form }: { patient: string; form: URLSearchParams },
): Promise<string> {
  const asked = readStart(form);
  const { id, state } = await desk.start(session, patient, asked);
  if (state !== 'asked') return chartPath(patient);
  if (asked.kind === 'erasure') return `${chartPath(patient)}/erase/${id}`;
  // Whoever starts it here, freshly signed in, has confirmed it by that.
  await desk.confirm(session, patient, { id, typed: '' });
  return chartPath(patient);
}

async function submitReview(
  { reviews }: PrivacyPagesOptions,
  visit: OwnVisit,
  { id, form }: { id: string; form: URLSearchParams },
): Promise<Page | string> {
  const { session } = visit;
  const reason = readAnswer(form);
  try {
    await (reason === null ? reviews.approve(session, id) : reviews.refuse(session, id, reason));
    return `${PATH}/review`;
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const say = { status: 400, problem: error.message };
    return reviewPage(visit, await reviews.read(session, id), say);
  }
}

async function fileOf(
  { desk }: PrivacyPagesOptions,
  { session }: OwnVisit,
  { patient, id, file }: { patient: string } & ReturnType<typeof readFile>,
): Promise<OwnFile> {
  if (file === 'documents')
    return { file: DOCUMENTS_FILE, bytes: await desk.downloadDocuments(session, patient, id) };
  return { file: EXPORT_FILES[file], bytes: await desk.download(session, patient, { id, file }) };
}

/** Null for a fault of ours. */
function statusOf(error: ChartsealError): number | null {
  if (error instanceof PrivacyError) return PRIVACY_STATUS[error.code];
  if (error instanceof RequestError) return error.code === 'REQUEST_UNKNOWN' ? 404 : 400;
  if (error instanceof ExportError) return 410;
  if (error instanceof DocumentError) return error.retryable ? 503 : 410;
  // A chart that is being erased this very moment.
  if (error instanceof CryptoError && error.code === 'KEY_MISSING') return 404;
  return null;
}
