import type { OpeningGuard } from '../access/guard.ts';
import type { AuditEntry } from '../audit/append.ts';
import { titleOfFile } from '../clinic/documents/display-text.ts';
import { type ChartDocument, describedAs } from '../clinic/documents/document.ts';
import type { Documents, OpenedDocument } from '../clinic/documents/documents.ts';
import { DocumentError } from '../clinic/documents/errors.ts';
import { CryptoError } from '../crypto/errors.ts';
import type { PatientId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { chartsOf, nameOf, type OwnChart } from '../oauth/page-charts.ts';
import { type Permit, type PermitParts, type Person, permit } from '../oauth/page-permit.ts';
import type { UploadedFile } from '../oauth/upload-form.ts';

/** What the desk stands on. */
export interface DocumentsDeskParts extends PermitParts {
  readonly store: Store;
  readonly documents: Documents;
  readonly guard: OpeningGuard;
}

/** What a person sees of a chart here. */
export interface DocumentsOverview {
  readonly patient: PatientId;
  /** Whose chart it is; null for the person's own. */
  readonly name: string | null;
  /** The newest first; null for who may bring documents and read none. */
  readonly documents: readonly ChartDocument[] | null;
}

/** As the audit log names this page. */
export const CLIENT = 'documents-page';
const LOOK = { client: CLIENT, operation: 'readDocumentsPage', action: 'add-documents' } as const;
const LISTED = ['title', 'kind', 'type', 'size', 'addedAt', 'addedBy'];

/** What people do with the documents of a chart. Every act is decided, and is an event before its answer. */
export class DocumentsDesk {
  readonly #parts: DocumentsDeskParts;

  constructor(parts: DocumentsDeskParts) {
    this.#parts = parts;
  }

  /** The person's own chart and those they act for. */
  charts(person: Person): Promise<OwnChart[]> {
    return chartsOf(this.#parts, person, LOOK);
  }

  /** @throws AccessError `NOT_FOUND` for every chart that the policies do not open. */
  async overview(person: Person, patient: string): Promise<DocumentsOverview> {
    const { of, role, relationship } = await this.#permit(person, patient, 'add-documents');
    const name = relationship === 'self' ? null : await nameOf(this.#parts, person, { ...LOOK, patient });
    // The front desk is never asked about: each look would leave a refusal in the log.
    if (role === 'frontdesk') return { patient: of.patient, name, documents: null };
    const { entry } = await this.#permit(person, patient, 'read-documents');
    const documents = await this.#parts.documents.list(of);
    const entity = { resource: 'DocumentReference', fields: LISTED };
    await this.#parts.audit.append(of.tenant, entry('listDocuments', { action: 'R', entity }));
    return { patient: of.patient, name, documents };
  }

  /** Keeps a file. A refusal is an event too. @throws DocumentError. */
  async add(
    person: Person,
    patient: string,
    given: { readonly title: string; readonly kind: string; readonly file: UploadedFile },
  ): Promise<ChartDocument> {
    const { of, role, entry } = await this.#permit(person, patient, 'add-documents');
    const { file, kind } = given;
    const entryOf = (id: string): AuditEntry =>
      entry('addDocument', { action: 'C', entity: { resource: 'DocumentReference', id, fields: ['file'] } });
    return this.#told({ of, entry }, 'addDocument', () => {
      const said = describedAs({
        kind,
        title: given.title.trim() === '' ? titleOfFile(file.name) : given.title,
      });
      return this.#parts.documents.add(of, { ...said, addedBy: role, bytes: file.bytes }, entryOf);
    });
  }

  /** A document whose disclosure is committed. @throws DocumentError. */
  async open(person: Person, patient: string, id: string): Promise<OpenedDocument> {
    const { of, role, entry } = await this.#permit(person, patient, 'read-documents');
    const opened = await this.#told({ of, entry }, 'openDocument', () => this.#parts.documents.open(of, id));
    const recipient = RECIPIENTS[role];
    const entity = {
      ...{ resource: 'DocumentReference', id: opened.document.id, fields: ['file'] },
      ...(recipient === undefined ? {} : { recipient }),
    };
    await this.#parts.audit.append(of.tenant, entry('openDocument', { action: 'R', entity }));
    return opened;
  }

  async #told<T>(
    { of, entry }: Pick<Permit, 'of' | 'entry'>,
    operation: 'addDocument' | 'openDocument',
    act: () => Promise<T>,
  ): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (error instanceof DocumentError || error instanceof CryptoError)
        await this.#parts.audit.append(
          of.tenant,
          entry(operation, {
            action: operation === 'addDocument' ? 'C' : 'R',
            outcome: error.retryable ? '8' : '4',
            reason: error.code,
            entity: { resource: 'DocumentReference' },
          }),
        );
      throw error;
    }
  }

  /** What is read is counted among the charts that the person opened within the hour. */
  async #permit(
    person: Person,
    patient: string,
    action: 'read-documents' | 'add-documents',
  ): Promise<Permit> {
    const given = await permit(this.#parts, person, { patient, actions: [action], client: CLIENT });
    if (action === 'add-documents') return given;
    const actor = { user: person.user, role: given.role, client: CLIENT };
    await this.#parts.guard.admit({ ...given.of, actor, rows: { person: null, client: null } });
    return given;
  }
}

/** Whoever treats the patient is no recipient of a disclosure. */
const RECIPIENTS: Readonly<Record<string, string>> = {
  patient: 'the patient',
  proxy: 'who acts for the patient',
};
