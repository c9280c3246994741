import { z } from 'zod';
import { displayText, MAX_TITLE } from './display-text.ts';
import { DocumentError } from './errors.ts';
import { FILE_TYPE_NAMES } from './file-types.ts';

/** What people keep here, and how it is called. Stored: never rename one. */
export const DOCUMENT_KINDS = {
  referral: 'Referral letter',
  'lab-report': 'Lab report',
  imaging: 'Imaging report',
  letter: 'Letter',
  other: 'Other',
} as const;
export type DocumentKind = keyof typeof DOCUMENT_KINDS;
const KIND_NAMES = Object.keys(DOCUMENT_KINDS) as [DocumentKind, ...DocumentKind[]];

/** Limits of documents: bytes of one, documents of a chart, and how long one may take to arrive. */
export const DOCUMENT_LIMITS = { bytes: 25 * 1_048_576, ofChart: 500, uploadMs: 120_000 } as const;

/** Bound into the sealed value: raise it with every change that an older reader would misread. */
export const DOCUMENT_SCHEMA = 1;

const stored = z.object({
  title: z.string().min(1).max(MAX_TITLE),
  kind: z.enum(KIND_NAMES),
  type: z.enum(FILE_TYPE_NAMES),
  /** bytes */
  size: z.number().int().min(1).max(DOCUMENT_LIMITS.bytes),
  /** ms since the epoch */
  addedAt: z.number().int(),
  /** The role of whoever added it. */
  addedBy: z.string(),
  /** base64url: it seals the chunks, and leaves this value only to open them. */
  key: z.string().length(43),
});
/** A document as the chart keeps it, sealed. */
export type StoredDocument = z.infer<typeof stored>;

/** A document as it is listed: everything but its key. */
export interface ChartDocument extends Omit<StoredDocument, 'key'> {
  /** `doc_` and 22 characters. */
  readonly id: string;
}

export const writeDocument = (document: StoredDocument): Buffer =>
  Buffer.from(JSON.stringify(stored.parse(document)), 'utf8');

export const readDocument = (plaintext: Buffer): StoredDocument =>
  stored.parse(JSON.parse(plaintext.toString('utf8')));

/** What may be shown of it. */
export const shownDocument = (id: string, { key: _key, ...document }: StoredDocument): ChartDocument => ({
  id,
  ...document,
});

/** @throws DocumentError `DOCUMENT_FORM`, which repeats nothing of what was typed. */
export function describedAs(typed: { title: string; kind: string }): { title: string; kind: DocumentKind } {
  const title = displayText(typed.title);
  const kind = KIND_NAMES.find((one) => one === typed.kind);
  if (title === '' || kind === undefined)
    throw new DocumentError(
      'DOCUMENT_FORM',
      'Say what the document is, and choose its kind. Nothing was kept.',
    );
  return { title, kind };
}
