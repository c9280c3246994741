import { CONSENT_TOPICS, type ConsentTopic } from '../access/consents.ts';
import { EXPORT_FILE_IDS, type ExportFile } from '../lifecycle/export/files.ts';
import { REFUSALS, REQUEST_KINDS, type Refusal, type RequestKind } from '../lifecycle/requests/request.ts';
import { PrivacyError } from './errors.ts';

/** One of `words`, as a form field has it. @throws PrivacyError `FORM`, which repeats nothing of what was sent. */
function among<T extends string>(form: URLSearchParams, field: string, words: readonly T[]): T {
  const value = form.get(field);
  const found = words.find((one) => one === value);
  if (found === undefined)
    throw new PrivacyError('FORM', 'Choose one of what the form offers. Nothing was changed.');
  return found;
}

/** What may be started from the page; a consent is changed at once. */
export function readStart(form: URLSearchParams): { kind: RequestKind; about: null; words: string | null } {
  const kind = among(
    form,
    'kind',
    REQUEST_KINDS.filter((one) => one !== 'consent'),
  );
  return { kind, about: null, words: kind === 'correction' ? (form.get('words') ?? '') : null };
}

export const readConsent = (
  form: URLSearchParams,
): { topic: ConsentTopic; state: 'granted' | 'withdrawn' } => ({
  topic: among(form, 'topic', CONSENT_TOPICS),
  state: among(form, 'state', ['granted', 'withdrawn']),
});

export const readFile = (form: URLSearchParams): { id: string; file: ExportFile | 'documents' } => ({
  id: form.get('id') ?? '',
  file: among(form, 'file', [...EXPORT_FILE_IDS, 'documents']),
});

/** Null approves. */
export function readAnswer(form: URLSearchParams): Refusal | null {
  if (among(form, 'verdict', ['approve', 'refuse']) === 'approve') return null;
  return among(form, 'reason', Object.keys(REFUSALS) as Refusal[]);
}
