import type { EmergencyOpenings } from '../access/emergency-openings.ts';
import type { EmergencyReviews } from '../access/emergency-reviews.ts';
import { AccessError } from '../access/errors.ts';
import { findMember } from '../access/members.ts';
import { createOwnPages, type OwnPagesOptions, type OwnVisit } from '../oauth/own-pages.ts';
import type { Page } from '../oauth/pages.ts';
import { type FindPatients, patientNamed } from '../oauth/patient-search.ts';
import { EmergencyError } from './errors.ts';
import { readEmergencyForm, readVerdict } from './form.ts';
import { openedPage, openPage, queuePage, reviewPage } from './pages.ts';
import { recordOf } from './record.ts';

/** What the pages stand on. */
export interface EmergencyPagesOptions extends OwnPagesOptions {
  readonly openings: EmergencyOpenings;
  readonly reviews: EmergencyReviews;
  readonly find: FindPatients;
}

const PATH = '/emergency';
const RECORD = /^\/emergency\/review\/(eg_[A-Za-z0-9_-]{22})$/;

/** Serves the emergency pages: a fresh sign-in, then one opening by a clinician, or the queue of a reviewer. */
export const createEmergencyPages = (options: EmergencyPagesOptions) =>
  createOwnPages(options, {
    path: PATH,
    door: {
      operation: 'emergency-sign-in',
      client: 'emergency-page',
      policy: 'sign-in',
      roles: ['clinician', 'auditor', 'admin'],
      wrongRole:
        'This page is for clinicians, and for those who review emergency access. Nothing was opened.',
    },
    words: {
      title: 'Emergency access',
      lead: 'For clinicians who must open a chart now, and for those who review it. Every step is recorded.',
      fault: 'Nothing was opened. Try again in a minute, or follow your clinic’s downtime procedure.',
      back: 'Start again',
    },
    show: (visit) => pageFor(options, visit),
    submit: (visit, form) => submit(options, visit, form),
    refusal: (error) => {
      if (error instanceof EmergencyError) return { status: 400, advice: error.message };
      const isNo = error instanceof AccessError && error.code !== 'POLICY_UNAVAILABLE';
      return isNo ? { status: 403, advice: error.message } : null;
    },
  });

async function pageFor(options: EmergencyPagesOptions, visit: OwnVisit): Promise<Page | null> {
  const { path, session } = visit;
  const record = RECORD.exec(path)?.[1];
  if (record !== undefined)
    return reviewPage(visit, await options.reviews.read(session, record), { problem: '' });
  if (path !== PATH && path !== `${PATH}/review`) return null;
  const member = await findMember(options.store, session.tenant, session.user);
  if (path === PATH && member?.role === 'clinician') return openPage(visit, { status: 200, problem: '' });
  return queuePage(visit, await options.reviews.queue(session));
}

async function submit(
  options: EmergencyPagesOptions,
  visit: OwnVisit,
  form: URLSearchParams,
): Promise<Page | string | null> {
  if (visit.path === `${PATH}/open`) return submitOpening(options, visit, form);
  const record = RECORD.exec(visit.path)?.[1];
  if (record === undefined) return null;
  await options.reviews.review(visit.session, { record, verdict: readVerdict(form) });
  return `${PATH}/review`;
}

/** One sign-in opens one chart, and ends with it. */
async function submitOpening(
  options: EmergencyPagesOptions,
  visit: OwnVisit,
  form: URLSearchParams,
): Promise<Page> {
  const { tenant, user } = visit.session;
  const record = recordOf(options.cookieKeys[0] ?? '', visit.session);
  try {
    const { who, ...asked } = readEmergencyForm(form);
    const patient = await patientNamed(options.find, tenant, who);
    const opening = await options.openings.open({ tenant, user, patient, record, ...asked });
    visit.leave();
    return openedPage(visit.assets, { handle: opening.patient, until: visit.time(opening.expiresAt) });
  } catch (error) {
    const again =
      (error instanceof EmergencyError && error.code === 'FORM') ||
      (error instanceof AccessError && error.code === 'NOT_FOUND');
    if (!again) throw error;
    return openPage(visit, { status: 400, problem: error.message });
  }
}
