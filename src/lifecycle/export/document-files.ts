import { Zip, ZipPassThrough } from 'fflate';
import { z } from 'zod';
import { titleOfFile } from '../../clinic/documents/display-text.ts';
import { type ChartDocument, DOCUMENT_KINDS, type DocumentKind } from '../../clinic/documents/document.ts';
import type { Documents } from '../../clinic/documents/documents.ts';
import { DocumentError } from '../../clinic/documents/errors.ts';
import { FILE_TYPES } from '../../clinic/documents/file-types.ts';
import type { PatientRef } from '../../crypto/patient-keys.ts';

/** What the files of documents are called together. */
export const DOCUMENTS_FILE = {
  name: 'documents.zip',
  type: 'application/zip',
  words: 'Your documents',
} as const;
/** Bytes: a ZIP without its 64-bit extension holds 4 GiB, heads included. */
const MAX_ZIP = 4_000_000_000;
const SYSTEM = 'urn:chartseal:document';

/** Where a document lies beside the bundle that names it. */
export const pathOfDocument = ({ id, type }: Pick<ChartDocument, 'id' | 'type'>): string =>
  `documents/${id}.${FILE_TYPES[type].ending}`;

/** A document as a FHIR R4 DocumentReference, whose attachment is the file at {@link pathOfDocument}. */
export const referenceOf = (document: ChartDocument, subject: object) => ({
  resourceType: 'DocumentReference',
  id: document.id.replaceAll('_', '.'),
  status: 'current',
  type: {
    coding: [{ system: SYSTEM, code: document.kind }],
    text: DOCUMENT_KINDS[document.kind],
  },
  subject,
  date: new Date(document.addedAt).toISOString(),
  description: document.title,
  content: [
    {
      attachment: {
        contentType: document.type,
        url: pathOfDocument(document),
        size: document.size,
        title: document.title,
      },
    },
  ],
});

const reference = z.object({
  resourceType: z.literal('DocumentReference'),
  type: z.object({
    coding: z.array(z.object({ system: z.string().optional(), code: z.string().optional() })),
  }),
  date: z.iso.datetime(),
  description: z.string(),
  content: z.tuple([
    z.object({ attachment: z.object({ url: z.string().regex(/^documents\/doc_[\w-]{22}\.[a-z]{3}$/) }) }),
  ]),
});
const bundle = z.object({ entry: z.array(z.object({ resource: z.unknown() })) });

/** A document that a bundle of ours names: what it is, and where its file lies beside the bundle. */
export interface NamedDocument {
  readonly title: string;
  readonly kind: DocumentKind;
  /** ms since the epoch */
  readonly addedAt: number;
  readonly path: string;
}

/** The documents that a bundle which was exported here names; those of other systems' bundles are none. */
export function documentsNamedIn(text: string): NamedDocument[] {
  return bundle.parse(JSON.parse(text)).entry.flatMap(({ resource }) => {
    const parsed = reference.safeParse(resource);
    if (!parsed.success) return [];
    const { type, date, description, content } = parsed.data;
    const code = type.coding.find(({ system }) => system === SYSTEM)?.code ?? '';
    const kind: DocumentKind = Object.hasOwn(DOCUMENT_KINDS, code) ? (code as DocumentKind) : 'other';
    const path = content[0].attachment.url;
    return [{ title: description || titleOfFile(path), kind, addedAt: Date.parse(date), path }];
  });
}

/**
 * The documents as one ZIP, opened as it is read: a chunk of one of them is in memory. Commit the event of the disclosure
 * first.
 *
 * @throws DocumentError `DOCUMENT_TOO_LARGE` at once when they are more than a ZIP holds. Reading throws
 *   `DOCUMENT_DAMAGED`, `DOCUMENT_UNKNOWN`, `OBJECTS_UNAVAILABLE`: then break the answer off.
 */
export function zipDocuments(
  documents: Documents,
  of: PatientRef,
  listed: readonly ChartDocument[],
): AsyncGenerator<Uint8Array> {
  if (listed.reduce((sum, { size }) => sum + size, 0) > MAX_ZIP)
    throw new DocumentError(
      'DOCUMENT_TOO_LARGE',
      'These documents are more than one file can hold. Download each from the page of documents.',
    );
  return zipped(documents, of, listed);
}

async function* zipped(
  documents: Documents,
  of: PatientRef,
  listed: readonly ChartDocument[],
): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  const zip = new Zip((error, chunk) => {
    if (error !== null) throw error;
    ready.push(chunk);
  });
  for (const document of listed) {
    const { bytes } = await documents.open(of, document.id);
    // What is listed is compressed already, or small.
    const file = new ZipPassThrough(pathOfDocument(document));
    file.mtime = document.addedAt;
    zip.add(file);
    for await (const chunk of bytes) {
      file.push(chunk);
      yield* ready.splice(0);
    }
    file.push(new Uint8Array(), true);
    yield* ready.splice(0);
  }
  zip.end();
  yield* ready.splice(0);
}
