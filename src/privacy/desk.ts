import { type Consent, type ConsentTopic, consentOf, consentRef, recordConsent } from '../access/consents.ts';
import type { AuditEvent } from '../audit/event.ts';
import { recentEvents } from '../audit/recent.ts';
import { storeSource } from '../audit/store-source.ts';
import type { Documents } from '../clinic/documents/documents.ts';
import type { SealedCharts } from '../crypto/sealed-charts.ts';
import type { TenantSecrets } from '../crypto/tenant-secrets.ts';
import type { PatientId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { DOCUMENTS_FILE, zipDocuments } from '../lifecycle/export/document-files.ts';
import { EXPORT_FILES, type ExportFile } from '../lifecycle/export/files.ts';
import { dropExport, openFile, requireExport } from '../lifecycle/export/sealed-files.ts';
import { confirmRequest } from '../lifecycle/requests/confirm.ts';
import type { ConsentChange, RequestKind, RequestView } from '../lifecycle/requests/request.ts';
import type { Requests } from '../lifecycle/requests/requests.ts';
import { chartsOf, type OwnChart } from '../oauth/page-charts.ts';
import { type Permit, type PermitParts, type Person, permit } from '../oauth/page-permit.ts';
import { CLIENT } from './frame.ts';

/** What the desk stands on. */
export interface DeskParts extends PermitParts {
  readonly store: Store;
  readonly charts: SealedCharts;
  readonly secrets: TenantSecrets;
  readonly requests: Requests;
  readonly documents: Documents;
}

/** What a person sees of a chart here. */
export interface DeskOverview {
  readonly patient: PatientId;
  readonly requests: readonly RequestView[];
  readonly consent: Consent;
  /** Acts that succeeded but for the person's own looks at this page, the newest first. */
  readonly accesses: readonly AuditEvent[];
  /** False when the log goes further back than was looked. */
  readonly complete: boolean;
}

const SHOWN = 15;
/** Somebody looks at this page. */
const LOOK = 'readPrivacyPage';

/** What patients, and who acts for them, do about their data. Every act is decided, and is an event before its answer. */
export class PrivacyDesk {
  readonly #parts: DeskParts;

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  /** The person's own chart and those they act for. The names of others are read, and their events committed, here. */
  charts(person: Person): Promise<OwnChart[]> {
    return chartsOf(this.#parts, person, { client: CLIENT, operation: LOOK, action: 'request-privacy' });
  }

  async overview(person: Person, patient: string): Promise<DeskOverview> {
    const { store, requests, audit, clock } = this.#parts;
    const { of, alias, entry } = await this.#permit(person, patient);
    const [list, [said], recent] = await Promise.all([
      requests.list(of, clock()),
      store.tenant(of.tenant).get(consentRef(of.patient)),
      recentEvents(storeSource(store.tenant(of.tenant))),
    ]);
    const isOwnLook = ({ operation, actor }: AuditEvent): boolean =>
      operation === LOOK && actor.user === person.user;
    const mine = recent.events.filter(
      (event) => event.patient === alias && event.outcome === '0' && !isOwnLook(event),
    );
    const fields = ['access', 'consents', 'requests'];
    await audit.append(of.tenant, entry(LOOK, { action: 'R', entity: { resource: 'AuditEvent', fields } }));
    return {
      patient: of.patient,
      requests: list,
      consent: consentOf(said),
      accesses: mine.slice(0, SHOWN),
      complete: recent.complete && mine.length <= SHOWN,
    };
  }

  /** @throws RequestError `REQUEST_INPUT`, `REQUEST_LIMIT`. */
  async start(
    person: Person,
    patient: string,
    asked: { kind: RequestKind; about: ConsentChange | null; words: string | null },
  ): Promise<RequestView> {
    const { requests, audit, clock } = this.#parts;
    const { of, entry } = await this.#permit(person, patient);
    const draft = audit.draft(of.tenant);
    try {
      const { outcome, request } = await requests.start({
        ...{ of, ...asked, user: person.user, now: clock() },
        audit: {
          draft,
          write: (tx, made) =>
            draft.write(tx, {
              ...entry('startPrivacyRequest', { action: 'C', entity: taskOf(made.request.id, [asked.kind]) }),
              ...(made.written === undefined ? {} : { written: made.written }),
            }),
        },
      });
      if (outcome === 'asked') draft.confirm();
      else draft.abandon();
      return request;
    } catch (error) {
      draft.abandon();
      throw error;
    }
  }

  /** @throws RequestError `REQUEST_STATE`, `REQUEST_UNKNOWN`, `REQUEST_INPUT` when an erasure is not typed out. */
  async confirm(person: Person, patient: string, asked: { id: string; typed: string }): Promise<RequestView> {
    const { requests, secrets, audit, clock } = this.#parts;
    const { of, entry } = await this.#permit(person, patient);
    return confirmRequest(
      { requests, secrets },
      {
        ...{ of, ...asked, user: person.user, now: clock(), audit },
        entry: ({ kind }) =>
          entry('confirmPrivacyRequest', { action: 'U', entity: taskOf(asked.id, [kind]) }),
      },
    );
  }

  /** Ends a request, and with it the files of a finished export. @throws RequestError `REQUEST_STATE`. */
  async withdraw(person: Person, patient: string, id: string): Promise<RequestView> {
    const { store, requests, audit, clock } = this.#parts;
    const { of, entry } = await this.#permit(person, patient);
    const view = await requests.advance({
      ...{ of, id, step: { step: 'withdraw' }, now: clock(), audit },
      entry: entry('withdrawPrivacyRequest', { action: 'U', entity: taskOf(id) }),
    });
    if (view.kind === 'export') await dropExport(store.tenant(of.tenant), id);
    return view;
  }

  /** Grants or withdraws a consent. It holds on the next call. */
  async setConsent(
    person: Person,
    patient: string,
    said: { topic: ConsentTopic; state: 'granted' | 'withdrawn' },
  ): Promise<void> {
    const { audit, clock } = this.#parts;
    const { of, entry } = await this.#permit(person, patient);
    await audit.commit(of.tenant, async (tx) => {
      const state = await recordConsent(tx, { patient: of.patient, ...said, now: clock() });
      const fields = [`${said.topic}.${state}`];
      return entry('setConsent', { action: 'U', entity: { resource: 'Consent', fields } });
    });
  }

  /**
   * A file of a finished export, once the event of the disclosure is committed.
   *
   * @throws ExportError `EXPORT_GONE`; RequestError `REQUEST_UNKNOWN`.
   */
  async download(
    person: Person,
    patient: string,
    { id, file }: { id: string; file: ExportFile },
  ): Promise<Buffer> {
    const { requests, clock } = this.#parts;
    const given = await this.#permit(person, patient);
    const { of } = given;
    const now = clock();
    await requests.find(of, id, now);
    const bytes = await openFile(this.#parts, { of, request: id, file, now });
    await this.#handedOut(given, { id, name: EXPORT_FILES[file].name });
    return bytes;
  }

  /**
   * The documents that go with a finished export, as one file that opens as it is read: they are no copies, but the
   * chart's own. As {@link download}.
   */
  async downloadDocuments(person: Person, patient: string, id: string): Promise<AsyncIterable<Uint8Array>> {
    const { store, documents, clock } = this.#parts;
    const given = await this.#permit(person, patient);
    await requireExport(store, { of: given.of, request: id, now: clock() });
    const listed = await documents.list(given.of);
    const bytes = zipDocuments(documents, given.of, listed);
    await this.#handedOut(given, { id, name: DOCUMENTS_FILE.name });
    return bytes;
  }

  async #handedOut(
    { of, role, entry }: Permit,
    { id, name }: { readonly id: string; readonly name: string },
  ): Promise<void> {
    const entity = {
      ...{ resource: 'DocumentReference', id, fields: [name] },
      recipient: role === 'patient' ? 'the patient' : 'who acts for the patient',
    };
    await this.#parts.audit.append(of.tenant, entry('downloadExport', { action: 'R', entity }));
  }

  #permit(person: Person, patient: string): Promise<Permit> {
    return permit(this.#parts, person, {
      patient,
      actions: ['see-access', 'request-privacy'],
      client: CLIENT,
    });
  }
}

const taskOf = (id: string, fields?: readonly string[]) => ({
  resource: 'Task',
  id,
  ...(fields === undefined ? {} : { fields }),
});
