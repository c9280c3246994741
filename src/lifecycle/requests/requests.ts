import type { AuditDraft, AuditEntry, AuditLog } from '../../audit/append.ts';
import type { ChartChange } from '../../crypto/open-chart.ts';
import type { PatientRef } from '../../crypto/patient-keys.ts';
import type { SealedCharts } from '../../crypto/sealed-charts.ts';
import type { TenantSecrets } from '../../crypto/tenant-secrets.ts';
import { type Ref, ref } from '../../kernel/collection.ts';
import { type PatientAlias, randomId, type UserId } from '../../kernel/ids.ts';
import type { Listed, Reader, Store, Transaction } from '../../kernel/store.ts';
import { RequestError, unknownRequest } from './errors.ts';
import {
  type ConsentChange,
  privacyRequests,
  type RequestKind,
  type RequestRow,
  type RequestView,
  WORDS_SCHEMA,
  wordsName,
} from './request.ts';
import { afterStep, checkAsked, isOpen, REQUEST_LIMITS, type Step, viewOf } from './rules.ts';

/** An authorised wish about one patient's data. */
export interface StartRequest {
  readonly of: PatientRef;
  readonly user: UserId;
  readonly kind: RequestKind;
  /** The consent that is to change; null for other kinds. */
  readonly about: ConsentChange | null;
  /** What is wrong, for a correction; null for other kinds. */
  readonly words: string | null;
  readonly now: number;
  /** `write` is called inside the transaction to put the audit event beside the request. */
  readonly audit: { readonly draft: AuditDraft; readonly write: (tx: Transaction, asked: Asked) => void };
}

/** What a committed start wrote. */
export interface Asked {
  readonly alias: PatientAlias;
  readonly request: RequestView;
  /** Only when the person wrote something: that is sealed in the chart. */
  readonly written?: ChartChange;
}

/** `repeated`: the very same is open already; nothing was written and no event either. */
export interface StartedRequest extends Asked {
  readonly outcome: 'asked' | 'repeated';
}

/** A step of one request, with what belongs into its transaction. */
export interface AdvanceRequest {
  readonly of: PatientRef;
  readonly id: string;
  readonly step: Step;
  readonly now: number;
  readonly audit: AuditLog;
  /** What is told of it, in the same transaction. */
  readonly entry: AuditEntry | ((row: RequestRow) => AuditEntry);
  /** Reads and checks before the change is written; throws to change nothing. May tie another request to this one. */
  readonly prepare?: (tx: Transaction, before: RequestRow) => Promise<Pick<RequestRow, 'linked'> | undefined>;
  /** Writes beside the change. */
  readonly beside?: (tx: Transaction, row: RequestRow) => void;
}

const PAGE = 200;
const ID = /^prq_[A-Za-z0-9_-]{22}$/;

/** Where a request is. @throws RequestError `REQUEST_UNKNOWN` unless `id` is the id of one. */
export function requestRef(id: string): Ref<typeof privacyRequests.columns> {
  if (!ID.test(id)) throw unknownRequest();
  return ref(privacyRequests, id);
}

/** A fresh id. */
export const newRequestId = (): string => randomId('prq');

/** Requests about patients' data. Who may ask is decided before; nothing here completes one by itself. */
export class Requests {
  readonly #store: Store;
  readonly #charts: SealedCharts;
  readonly #secrets: TenantSecrets;

  constructor(options: { store: Store; charts: SealedCharts; secrets: TenantSecrets }) {
    this.#store = options.store;
    this.#charts = options.charts;
    this.#secrets = options.secrets;
  }

  /**
   * Starts a request: it is written down, and waits to be confirmed on our page. The same wish while one is open is the
   * same request.
   *
   * @throws RequestError `REQUEST_INPUT`, `REQUEST_LIMIT`; CryptoError `KEY_MISSING` when there is no such chart.
   */
  async start(asked: StartRequest): Promise<StartedRequest> {
    const { of, words, now, audit } = asked;
    checkAsked(asked);
    const same = await sameAs(this.#secrets, asked);
    return this.#charts.transact(
      of,
      async (chart, tx) => {
        const open = (await listRequests(tx, of)).filter(({ row }) => isOpen(row, now));
        const known = open.find(({ row }) => same.equals(row.same));
        if (known !== undefined)
          return {
            outcome: 'repeated',
            alias: chart.alias,
            request: viewOf(known.id, known.row, now),
          };
        if (open.length >= REQUEST_LIMITS.open) throw tooMany();
        const id = newRequestId();
        const row = newRow(asked, same);
        const written = words === null ? null : await sealWords(chart, tx, { id, words });
        tx.create(requestRef(id), row);
        const request = viewOf(id, row, now);
        const done: Asked = { alias: chart.alias, request, ...(written === null ? {} : { written }) };
        audit.write(tx, done);
        return { outcome: 'asked', ...done };
      },
      { proof: audit.draft.proof },
    );
  }

  /** Every request about a chart, the newest first. */
  async list(of: PatientRef, now: number): Promise<RequestView[]> {
    const rows = await listRequests(this.#store.tenant(of.tenant), of);
    return rows.map(({ id, row }) => viewOf(id, row, now)).sort((a, b) => b.askedAt - a.askedAt);
  }

  /** @throws RequestError `REQUEST_UNKNOWN` unless it is a request about this chart. */
  async find(of: PatientRef, id: string, now: number): Promise<RequestView> {
    const [row] = await this.#store.tenant(of.tenant).get(requestRef(id));
    if (row === null || row.patient !== of.patient) throw unknownRequest();
    return viewOf(id, row, now);
  }

  /** What a person wrote to a request, null when nothing. Commit the event of reading it first. */
  async words(of: PatientRef, id: string): Promise<string | null> {
    const read = await this.#charts.read(of, [wordsName(id)]);
    return read?.values[0]?.toString('utf8') ?? null;
  }

  /**
   * Takes a request one step further, with its event and whatever belongs to it in the same transaction.
   *
   * @throws RequestError `REQUEST_UNKNOWN`, `REQUEST_STATE`.
   */
  async advance(asked: AdvanceRequest): Promise<RequestView> {
    const { of, id, step, now, audit, entry } = asked;
    const at = requestRef(id);
    let row: RequestRow | null = null;
    await audit.commit(of.tenant, async (tx) => {
      const [before] = await tx.get(at);
      if (before === null || before.patient !== of.patient) throw unknownRequest();
      const stepped = afterStep(before, step, now);
      row = { ...stepped, ...(await asked.prepare?.(tx, before)) };
      tx.put(at, row);
      asked.beside?.(tx, row);
      return typeof entry === 'function' ? entry(row) : entry;
    });
    if (row === null) throw unknownRequest();
    return viewOf(id, row, now);
  }
}

/** Every row about one chart. */
export async function listRequests(
  reader: Reader,
  { patient }: Pick<PatientRef, 'patient'>,
): Promise<Listed<typeof privacyRequests.columns>[]> {
  const rows: Listed<typeof privacyRequests.columns>[] = [];
  for (let after: string | undefined; ; ) {
    const page = await reader.list(privacyRequests, {
      equals: { patient },
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    rows.push(...page);
    after = page.at(-1)?.id;
    if (page.length < PAGE) return rows;
  }
}

async function sealWords(
  chart: Parameters<Parameters<SealedCharts['transact']>[1]>[0],
  tx: Transaction,
  { id, words }: { id: string; words: string },
): Promise<ChartChange> {
  await chart.seal(wordsName(id), Buffer.from(words.trim(), 'utf8'), WORDS_SCHEMA);
  return chart.save(tx);
}

type Wish = Pick<StartRequest, 'of' | 'kind' | 'about' | 'words'>;

/** Keyed digest of what is asked. Call it before a transaction: it may need KMS. */
export const sameAs = (secrets: TenantSecrets, { of, kind, about, words }: Wish): Promise<Buffer> =>
  secrets.mac(of.tenant, 'privacy-request', [of.patient, kind, about ?? '', words ?? '']);

/** The row of a wish that nobody confirmed yet. */
export function newRow(
  { of, user, kind, about, words, now }: Wish & Pick<StartRequest, 'user' | 'now'>,
  same: Buffer,
): RequestRow {
  return {
    patient: of.patient,
    kind,
    state: 'asked',
    about,
    asker: user,
    askedAt: now,
    changedAt: now,
    until: now + REQUEST_LIMITS.confirmMs,
    reason: null,
    reviewer: null,
    linked: null,
    same,
    hasWords: words !== null,
  };
}

const tooMany = (): RequestError =>
  new RequestError(
    'REQUEST_LIMIT',
    `There are ${REQUEST_LIMITS.open} open requests about this chart. Finish or withdraw one first.`,
  );
