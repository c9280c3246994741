import { findMember } from '../access/members.ts';
import { DocumentError, type DocumentErrorCode } from '../clinic/documents/errors.ts';
import { CryptoError } from '../crypto/errors.ts';
import type { OwnFile } from '../oauth/own-file.ts';
import type { OwnPart, OwnVisit } from '../oauth/own-pages.ts';
import type { Page } from '../oauth/pages.ts';
import { type FindPatients, patientNamed, readWho, WHO_ADVICE } from '../oauth/patient-search.ts';
import type { UploadedFile } from '../oauth/upload-form.ts';
import { CLIENT, DocumentsDesk, type DocumentsDeskParts } from './desk.ts';
import { chartPath, choicePage, documentsPage, findPage, type Say, savedAs } from './pages.ts';

/** What the pages stand on. */
export interface DocumentsPartOptions extends DocumentsDeskParts {
  readonly find: FindPatients;
}
interface House extends DocumentsPartOptions {
  readonly desk: DocumentsDesk;
}

const PATH = '/documents';
const CHART = /^\/documents\/chart\/([A-Za-z0-9_-]{1,64})(?:\/(add|added|open))?$/;
const NO_PROBLEM = { status: 200, problem: '' };
/** Where a form leads that has added a document. */
const ADDED = { ...NO_PROBLEM, done: 'The document was added.' };
const STAFF: readonly string[] = ['clinician', 'frontdesk'];

/** The pages on which documents come into a chart, are listed, and are opened. */
export function documentsPart(options: DocumentsPartOptions): OwnPart {
  const house: House = { ...options, desk: new DocumentsDesk(options) };
  return {
    path: PATH,
    door: {
      operation: 'documents-sign-in',
      client: CLIENT,
      policy: 'sign-in',
      roles: ['patient', 'proxy', 'clinician', 'frontdesk'],
      wrongRole: 'This page is for patients, for who acts for them, for clinicians and the front desk.',
    },
    words: {
      title: 'Documents',
      lead: 'Bring letters and reports into a health record, and open them. Sign in afresh to go on.',
      fault: 'Nothing was kept or shown. Try again in a minute, or ask the clinic.',
      back: 'Back to the documents',
    },
    show: (visit) => pageFor(house, visit),
    submit: (visit, form) => submit(house, visit, form),
    upload: (visit, form, file) => add(house, visit, { form, file }),
    refusal: (error) => {
      if (error instanceof DocumentError) {
        const status = STATUS[error.code];
        return status === null ? null : { status, advice: error.message };
      }
      // A chart that is being erased this very moment.
      const isGone = error instanceof CryptoError && error.code === 'KEY_MISSING';
      return isGone ? { status: 404, advice: 'There is nothing at this address.' } : null;
    },
  };
}

/** Null for what whoever runs this should hear of, and a person at the page can do nothing about. */
const STATUS: Readonly<Record<DocumentErrorCode, number | null>> = {
  DOCUMENT_EMPTY: 400,
  DOCUMENT_TOO_LARGE: 413,
  DOCUMENT_TYPE: 415,
  DOCUMENT_FORM: 400,
  DOCUMENT_LIMIT: 409,
  DOCUMENT_LATE: 408,
  DOCUMENT_UNKNOWN: 404,
  DOCUMENT_DAMAGED: null,
  OBJECTS_UNAVAILABLE: null,
};

async function pageFor(house: House, visit: OwnVisit): Promise<Page | null> {
  const [, patient, act] = CHART.exec(visit.path) ?? [];
  if (patient !== undefined && act === undefined) return chartPage(house, visit, patient, NO_PROBLEM);
  if (patient !== undefined && act === 'added') return chartPage(house, visit, patient, ADDED);
  if (visit.path !== PATH) return null;
  const { session } = visit;
  const member = await findMember(house.store, session.tenant, session.user);
  if (STAFF.includes(member?.role ?? '')) return findPage(visit, NO_PROBLEM);
  const charts = await house.desk.charts(session);
  const [only, ...more] = charts;
  if (only === undefined || more.length > 0) return choicePage(visit, charts);
  return chartPage(house, visit, only.patient, NO_PROBLEM);
}

async function chartPage({ desk }: House, visit: OwnVisit, patient: string, say: Say): Promise<Page> {
  return documentsPage(visit, await desk.overview(visit.session, patient), say);
}

async function submit(
  house: House,
  visit: OwnVisit,
  form: URLSearchParams,
): Promise<Page | string | OwnFile | null> {
  if (visit.path === `${PATH}/find`) return find(house, visit, form);
  const [, patient, act] = CHART.exec(visit.path) ?? [];
  if (patient === undefined || act !== 'open') return null;
  const { document, bytes } = await house.desk.open(visit.session, patient, form.get('id') ?? '');
  return { file: savedAs(document), bytes, size: document.size };
}

/** Whether there is such a chart is said by its own page alone. */
async function find(house: House, visit: OwnVisit, form: URLSearchParams): Promise<Page | string> {
  const who = readWho(form);
  if (who === null) return findPage(visit, { status: 400, problem: WHO_ADVICE });
  const patient = await patientNamed(house.find, visit.session.tenant, who);
  if (patient !== null) return chartPath(patient);
  return findPage(visit, { status: 400, problem: 'No such patient is found, or more than one. Say more.' });
}

async function add(
  house: House,
  visit: OwnVisit,
  { form, file }: { form: URLSearchParams; file: UploadedFile },
): Promise<Page | string | null> {
  const [, patient, act] = CHART.exec(visit.path) ?? [];
  if (patient === undefined || act !== 'add') return null;
  const field = (name: string): string => form.get(name) ?? '';
  try {
    await house.desk.add(visit.session, patient, { title: field('title'), kind: field('kind'), file });
    return chartPath(patient, 'added');
  } catch (error) {
    const status = error instanceof DocumentError ? STATUS[error.code] : null;
    if (!(error instanceof DocumentError) || status === null) throw error;
    const say = { status, problem: error.message };
    return chartPage(house, visit, patient, say);
  }
}
