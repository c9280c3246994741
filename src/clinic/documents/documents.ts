import type { AuditDraft, AuditEntry } from '../../audit/append.ts';
import { CryptoError } from '../../crypto/errors.ts';
import type { ChartChange, OpenChart, ValueName } from '../../crypto/open-chart.ts';
import type { PatientRef } from '../../crypto/patient-keys.ts';
import type { SealedCharts } from '../../crypto/sealed-charts.ts';
import { randomId } from '../../kernel/ids.ts';
import { arriving } from './arriving.ts';
import {
  type ChartDocument,
  DOCUMENT_LIMITS,
  DOCUMENT_SCHEMA,
  type DocumentKind,
  readDocument,
  type StoredDocument,
  shownDocument,
  writeDocument,
} from './document.ts';
import { DocumentError } from './errors.ts';
import {
  chunkCountOf,
  type DocumentRef,
  documentKeyOf,
  newDocumentKey,
  openChunk,
  sealChunks,
} from './sealed-chunks.ts';
import { dropUpload, objectsOf, type UploadParts, uploadRef } from './uploads.ts';

/** What {@link Documents} stands on. */
export interface DocumentsOptions extends UploadParts {
  readonly charts: SealedCharts;
}

/** A file to be kept, and what whoever brings it says of it. */
export interface NewDocument {
  readonly title: string;
  readonly kind: DocumentKind;
  /** The role of whoever brings it. */
  readonly addedBy: string;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** ms since the epoch; now unless it comes from another instance. */
  readonly addedAt?: number;
}

/** A document to be handed out. Its first chunk is opened; the rest opens as it is read. */
export interface OpenedDocument {
  readonly document: ChartDocument;
  readonly bytes: AsyncIterable<Buffer>;
}

const ID = /^doc_[A-Za-z0-9_-]{22}$/;

/**
 * Files of a chart. The chart's own sealed value says what a document is and holds its key; the bytes lie in the object
 * store under that key, in chunks. Who may do what is decided before.
 */
export class Documents {
  readonly #options: DocumentsOptions;

  constructor(options: DocumentsOptions) {
    this.#options = options;
  }

  /**
   * Seals a file as it arrives and puts it into the chart together with its event. Until then nothing names it.
   *
   * @throws DocumentError `DOCUMENT_EMPTY`, `DOCUMENT_TOO_LARGE`, `DOCUMENT_TYPE`, `DOCUMENT_LATE`, `DOCUMENT_LIMIT`,
   *   `OBJECTS_UNAVAILABLE`; CryptoError `KEY_MISSING` without such a chart. Then nothing was kept.
   */
  async add(of: PatientRef, given: NewDocument, entry: (id: string) => AuditEntry): Promise<ChartDocument> {
    const at = { ...of, document: randomId('doc') };
    const startedAt = this.#options.clock();
    await this.#begin(at, startedAt);
    const key = newDocumentKey();
    try {
      const { type, size } = await this.#put(at, given.bytes, { key, startedAt });
      const { title, kind, addedBy, addedAt = startedAt } = given;
      const document = { title, kind, type, size, addedAt, addedBy };
      await this.#commit(at, { ...document, key: key.toString('base64url') }, entry(at.document));
      return { id: at.document, ...document };
    } catch (error) {
      // What cannot be taken away now, the round takes away.
      await dropUpload(this.#options, at).catch(() => undefined);
      throw error;
    } finally {
      key.fill(0);
    }
  }

  /** A patient's documents, the newest first. Commit the event of showing them before you do. */
  async list(of: PatientRef): Promise<ChartDocument[]> {
    let names: ValueName[] = [];
    const read = await this.#options.charts.read(of, (chart) => {
      names = chart.documents('documents').map(nameOf);
      return names;
    });
    const all = (read?.values ?? []).flatMap((plaintext, index) =>
      plaintext === null ? [] : [shownDocument(names[index]?.document ?? '', readDocument(plaintext))],
    );
    return all.sort((a, b) => b.addedAt - a.addedAt);
  }

  /**
   * A document in clear. Commit the event of the disclosure before its first byte goes out.
   *
   * @throws DocumentError `DOCUMENT_UNKNOWN`, `DOCUMENT_DAMAGED`, `OBJECTS_UNAVAILABLE`; reading `bytes` throws the last
   *   two as well: then break the answer off.
   */
  async open(of: PatientRef, id: string): Promise<OpenedDocument> {
    const read = ID.test(id) ? await this.#options.charts.read(of, [nameOf(id)]) : null;
    const [plaintext] = read?.values ?? [];
    if (plaintext == null) throw unknown();
    const stored = readDocument(plaintext);
    plaintext.fill(0);
    const chunks = this.#chunks({ ...of, document: id }, stored);
    const first = await chunks.next();
    return { document: shownDocument(id, stored), bytes: resumed(first, chunks) };
  }

  /** The row comes before the first object, so that nothing lies there that no row knows of. */
  async #begin(at: DocumentRef, startedAt: number): Promise<void> {
    await this.#options.charts.transact(at, async (chart, tx) => {
      checkRoom(chart);
      tx.create(uploadRef(at.document), { patient: at.patient, state: 'open', startedAt });
    });
  }

  async #put(
    at: DocumentRef,
    bytes: AsyncIterable<Uint8Array>,
    { key, startedAt }: { key: Buffer; startedAt: number },
  ): Promise<Pick<StoredDocument, 'type' | 'size'>> {
    const { objects, clock } = this.#options;
    const onTime = (): void => {
      if (clock() > startedAt + DOCUMENT_LIMITS.uploadMs) throw late();
    };
    const file = await arriving(bytes, onTime);
    let index = 0;
    for await (const sealed of sealChunks(file.bytes, at, documentKeyOf(key))) {
      onTime();
      await objects.put(objectName(at, index), sealed);
      index += 1;
    }
    return { type: file.type, size: file.size() };
  }

  async #commit(at: DocumentRef, document: StoredDocument, entry: AuditEntry): Promise<void> {
    const { audit, charts } = this.#options;
    const draft: AuditDraft = audit.draft(at.tenant);
    const plaintext = writeDocument(document);
    try {
      await charts.transact(
        at,
        async (chart, tx) => {
          const [upload] = await tx.get(uploadRef(at.document));
          if (upload?.state !== 'open') throw late();
          checkRoom(chart);
          await chart.seal(nameOf(at.document), plaintext, DOCUMENT_SCHEMA);
          const written: ChartChange = await chart.save(tx);
          tx.delete(uploadRef(at.document));
          draft.write(tx, { ...entry, patient: chart.alias, written });
        },
        { proof: draft.proof },
      );
    } catch (error) {
      draft.abandon();
      throw error;
    } finally {
      plaintext.fill(0);
    }
    draft.confirm();
  }

  async *#chunks(at: DocumentRef, { size, key }: StoredDocument): AsyncGenerator<Buffer, void> {
    const count = chunkCountOf(size);
    const secret = documentKeyOf(Buffer.from(key, 'base64url'));
    for (let index = 0; index < count; index += 1) {
      const sealed = await this.#options.objects.get(objectName(at, index));
      if (sealed === null) throw damaged();
      yield opened(sealed, at, { index, count, key: secret });
    }
  }
}

/** Where a document lies in its chart. */
const nameOf = (document: string): ValueName => ({ collection: 'documents', document, compartment: 'file' });
const objectName = (at: DocumentRef, index: number): string => `${objectsOf(at)}${index}`;

function opened(sealed: Buffer, ...at: [DocumentRef, Parameters<typeof openChunk>[2]]): Buffer {
  try {
    return openChunk(sealed, ...at);
  } catch (error) {
    if (error instanceof CryptoError) throw damaged();
    throw error;
  }
}

async function* resumed(
  first: IteratorResult<Buffer, void>,
  rest: AsyncGenerator<Buffer, void>,
): AsyncGenerator<Buffer, void> {
  if (first.done !== true) yield first.value;
  yield* rest;
}

function checkRoom(chart: OpenChart): void {
  if (chart.documents('documents').length >= DOCUMENT_LIMITS.ofChart)
    throw new DocumentError('DOCUMENT_LIMIT', `A chart keeps at most ${DOCUMENT_LIMITS.ofChart} documents.`);
}

const late = (): DocumentError =>
  new DocumentError('DOCUMENT_LATE', 'The file took too long to arrive. Nothing was kept; try again.');
const unknown = (): DocumentError =>
  new DocumentError('DOCUMENT_UNKNOWN', 'There is no such document. Look at the list again.');
const damaged = (): DocumentError =>
  new DocumentError(
    'DOCUMENT_DAMAGED',
    'A document’s stored bytes are not those that were kept. Restore them from a copy of the bucket.',
  );
