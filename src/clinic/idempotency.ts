import { timingSafeEqual } from 'node:crypto';
import type { OpenChart, ValueName } from '../crypto/open-chart.ts';
import type { TenantSecrets } from '../crypto/tenant-secrets.ts';
import { collection, type Ref, type Row, ref } from '../kernel/collection.ts';
import type { PatientId, TenantId, UserId } from '../kernel/ids.ts';
import type { Transaction } from '../kernel/store.ts';
import { ClinicError } from './errors.ts';

/** The answer given to a request, sealed; id = HMAC of who asked for what. Gone after `expiresAt`. */
export const idempotency = collection(
  'idempotency',
  { patient: 'text', body: 'bytes', sealed: 'bytes', expiresAt: 'instant' },
  { indexed: ['patient'] },
);

/** One request of one person through one client. The same `key` is the same request. */
export interface RequestIdentity {
  readonly tenant: TenantId;
  readonly patient: PatientId;
  readonly user: UserId;
  readonly client: string;
  readonly operation: string;
  readonly key: string;
  /** Everything else that was asked for; another body under the same key is a conflict. */
  readonly body: string;
}

/** The keyed id and body digest of a request. */
export interface RequestMark {
  readonly at: Ref<typeof idempotency.columns>;
  readonly patient: PatientId;
  readonly body: Buffer;
}

const ANSWER_SCHEMA = 1;
/** How long an answer is kept for whoever asks again. */
export const KEPT_MS = 86_400_000;

/** Marks a request. Call it before the transaction: it may need KMS. */
export async function markRequest(secrets: TenantSecrets, request: RequestIdentity): Promise<RequestMark> {
  const { tenant, user, client, operation, key } = request;
  const id = await secrets.mac(tenant, 'idempotency', [user, client, operation, key]);
  const body = await secrets.mac(tenant, 'body', [request.patient, request.body]);
  return { at: ref(idempotency, id.toString('base64url')), patient: request.patient, body };
}

/**
 * The answer that this request was given before, or null.
 *
 * @throws ClinicError `REQUEST_CONFLICT` when the key was used with another body.
 */
export async function earlierAnswer(
  chart: OpenChart,
  mark: RequestMark,
  row: Row<typeof idempotency.columns> | null,
): Promise<Buffer | null> {
  if (row === null) return null;
  if (row.body.length !== mark.body.length || !timingSafeEqual(row.body, mark.body)) {
    throw new ClinicError(
      'REQUEST_CONFLICT',
      'This was already asked for with other details. Nothing was changed. Look for open slots again.',
    );
  }
  return chart.openAside(answerName(mark), row.sealed, { schema: ANSWER_SCHEMA });
}

/** Keeps the answer for a day, in the transaction of what it tells of. */
export async function keepAnswer(
  tx: Transaction,
  chart: OpenChart,
  kept: { mark: RequestMark; answer: Buffer; now: number },
): Promise<void> {
  const sealed = await chart.sealAside(answerName(kept.mark), kept.answer, { schema: ANSWER_SCHEMA });
  const { at, patient, body } = kept.mark;
  tx.create(at, { patient, body, sealed, expiresAt: kept.now + KEPT_MS });
}

/** Seals a kept answer anew when its key version must be left behind. True when it put something into `tx`. */
export async function resealAnswer(
  tx: Transaction,
  chart: OpenChart,
  { id, row }: { id: string; row: Row<typeof idempotency.columns> },
): Promise<boolean> {
  if (!chart.isStaleAside(row.sealed)) return false;
  const at = ref(idempotency, id);
  const name = answerName({ at });
  const answer = await chart.openAside(name, row.sealed, { schema: ANSWER_SCHEMA });
  tx.put(at, { ...row, sealed: await chart.sealAside(name, answer, { schema: ANSWER_SCHEMA }) });
  answer.fill(0);
  return true;
}

const answerName = (mark: Pick<RequestMark, 'at'>): ValueName => ({
  collection: 'idempotency',
  document: mark.at.id,
  compartment: 'answer',
});
