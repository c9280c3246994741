import { type ConsentTopic, recordConsent } from '../../access/consents.ts';
import type { TenantSecrets } from '../../crypto/tenant-secrets.ts';
import type { UserId } from '../../kernel/ids.ts';
import type { Transaction } from '../../kernel/store.ts';
import { RequestError } from './errors.ts';
import type { RequestRow, RequestView } from './request.ts';
import {
  type AdvanceRequest,
  listRequests,
  newRequestId,
  newRow,
  type Requests,
  requestRef,
  sameAs,
} from './requests.ts';
import { afterStep, stateAt } from './rules.ts';

/** What somebody types who confirms an erasure. */
export const TYPED = 'ERASE';

/** A confirmation on our page, by a person who is freshly signed in. */
export interface ConfirmRequest extends Pick<AdvanceRequest, 'of' | 'id' | 'now' | 'audit' | 'entry'> {
  readonly user: UserId;
  /** What the person typed; only an erasure looks at it. */
  readonly typed: string;
}

type Writes = (tx: Transaction) => void;

/**
 * Confirms a request. A consent change takes effect in the same transaction; an erasure must be typed out, and starts the
 * export that goes before it.
 *
 * @throws RequestError `REQUEST_INPUT` for an erasure that is not typed out, `REQUEST_STATE`, `REQUEST_UNKNOWN`.
 */
export async function confirmRequest(
  { requests, secrets }: { requests: Requests; secrets: TenantSecrets },
  asked: ConfirmRequest,
): Promise<RequestView> {
  const { of, user, now } = asked;
  const wish = { of, kind: 'export', about: null, words: null } as const;
  const same = await sameAs(secrets, wish);
  let beside: Writes = () => {};
  return requests.advance({
    ...asked,
    step: { step: 'confirm' },
    prepare: async (tx, before) => {
      beside = () => {};
      if (before.kind === 'consent') await applyConsent(tx, before, now);
      if (before.kind !== 'erasure') return undefined;
      if (asked.typed.trim() !== TYPED) throw notTyped();
      const { linked, write } = await stageExport(tx, newRow({ ...wish, user, now }, same), now);
      beside = write;
      return { linked };
    },
    beside: (tx) => beside(tx),
  });
}

async function applyConsent(tx: Transaction, { about, patient }: RequestRow, now: number): Promise<void> {
  const [topic, state] = (about ?? '').split('.');
  await recordConsent(tx, {
    patient: patient as ConfirmRequest['of']['patient'],
    topic: topic as ConsentTopic,
    state: state === 'granted' ? 'granted' : 'withdrawn',
    now,
  });
}

/** One that is made, or being made, already serves; else one is confirmed along with the erasure. */
async function stageExport(
  tx: Transaction,
  fresh: RequestRow,
  now: number,
): Promise<{ linked: string; write: Writes }> {
  const all = await listRequests(tx, { patient: fresh.patient as ConfirmRequest['of']['patient'] });
  const serves = all.find(
    ({ row }) => row.kind === 'export' && ['confirmed', 'ready'].includes(stateAt(row, now)),
  );
  if (serves !== undefined) return { linked: serves.id, write: () => {} };
  const asked = all.find(({ row }) => row.kind === 'export' && stateAt(row, now) === 'asked');
  const { id, row } = asked ?? { id: newRequestId(), row: fresh };
  const confirmed = afterStep(row, { step: 'confirm' }, now);
  return { linked: id, write: (writes) => writes.put(requestRef(id), confirmed) };
}

const notTyped = (): RequestError =>
  new RequestError('REQUEST_INPUT', `Type ${TYPED} in capital letters to confirm. Nothing was changed.`);
