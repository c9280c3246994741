import type { AuditEntry, AuditLog } from '../../audit/append.ts';
import type { PatientKeys, PatientRef } from '../../crypto/patient-keys.ts';
import type { TenantSecrets } from '../../crypto/tenant-secrets.ts';
import type { UserId } from '../../kernel/ids.ts';
import { confirmRequest, TYPED } from './confirm.ts';
import { RequestError } from './errors.ts';
import type { RequestView } from './request.ts';
import type { Requests } from './requests.ts';

/** An erasure that two administrators ask for and approve at once, each permitted by the policies before. */
export interface ErasureOrder {
  readonly of: PatientRef;
  readonly by: UserId;
  readonly approver: UserId;
  readonly now: number;
}

/** What an order stands on. */
export interface OrderParts {
  readonly requests: Requests;
  readonly secrets: TenantSecrets;
  readonly keys: PatientKeys;
  readonly audit: AuditLog;
}

/**
 * Takes the patient's erasure into its cooling-off, from wherever it is: one that the patient asked for is gone on with,
 * and one that is ordered already stays as it is. The export that goes before it is started with it.
 *
 * @throws RequestError, CryptoError `KEY_MISSING` when there is no such chart.
 */
export async function orderErasure(parts: OrderParts, order: ErasureOrder): Promise<RequestView> {
  const { requests, audit, secrets } = parts;
  const { of, by, approver, now } = order;
  const known = (await requests.list(of, now)).find(
    ({ kind, state }) => kind === 'erasure' && ['review', 'cooling', 'erasing', 'done'].includes(state),
  );
  if (known !== undefined && known.state !== 'review') return known;
  const entry = await entryOf(parts, order);
  const id = known?.id ?? (await ask(parts, order, entry));
  const stateNow = async () => (await requests.find(of, id, now)).state;
  if ((await stateNow()) === 'asked')
    await unlessTaken(
      confirmRequest(
        { requests, secrets },
        { of, id, now, audit, user: by, typed: TYPED, entry: entry('confirmPrivacyRequest', id) },
      ),
    );
  // The first of them may have approved it on the page before.
  for (const person of [by, approver])
    if ((await stateNow()) === 'review')
      await unlessTaken(
        requests.advance({
          ...{ of, id, now, audit, step: { step: 'approve', by: person } },
          entry: entry('reviewPrivacyRequest', id, person),
        }),
      );
  return requests.find(of, id, now);
}

/** Of two that order the same at once one takes each step; to the other it is taken, which is what was wanted. */
async function unlessTaken(step: Promise<unknown>): Promise<void> {
  await step.catch((error: unknown) => {
    if (!(error instanceof RequestError && error.code === 'REQUEST_STATE')) throw error;
  });
}

type EntryOf = (operation: string, id: string, person?: UserId) => AuditEntry;

async function entryOf({ keys }: OrderParts, { of, by }: ErasureOrder): Promise<EntryOf> {
  const alias = await keys.aliasOf(of);
  return (operation, id, person = by) => ({
    action: 'U',
    operation,
    outcome: '0',
    actor: { user: person, role: 'admin', client: 'chartseal' },
    ...(alias === null ? {} : { patient: alias }),
    entity: { resource: 'Task', id, fields: ['erasure'] },
    purposeOfUse: 'HOPERAT',
    policy: 'admin-manages-keys',
  });
}

async function ask({ requests, audit }: OrderParts, order: ErasureOrder, entry: EntryOf): Promise<string> {
  const { of, by, now } = order;
  const draft = audit.draft(of.tenant);
  try {
    const { outcome, request } = await requests.start({
      ...{ of, user: by, kind: 'erasure', about: null, words: null, now },
      audit: {
        draft,
        write: (tx, asked) =>
          draft.write(tx, { ...entry('startPrivacyRequest', asked.request.id), action: 'C' }),
      },
    });
    if (outcome === 'asked') draft.confirm();
    else draft.abandon();
    return request.id;
  } catch (error) {
    draft.abandon();
    throw error;
  }
}
