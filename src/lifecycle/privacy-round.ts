import type { AuditEntry } from '../audit/append.ts';
import { type PatientId, SYSTEM_TENANT, type TenantId } from '../kernel/ids.ts';
import type { Listed, TenantStore } from '../kernel/store.ts';
import { type ErasureParts, erasePatient, refusalFor } from './erasure/erase.ts';
import { ErasureError } from './erasure/errors.ts';
import { makeExport } from './export/make-export.ts';
import { dropExport, exports } from './export/sealed-files.ts';
import { RequestError } from './requests/errors.ts';
import { privacyRequests, type RequestState } from './requests/request.ts';
import { type Step, stateAt } from './requests/rules.ts';

/** What a round stands on. */
export type RoundParts = ErasureParts;

/** How a round is run. */
export interface RoundOptions {
  /** Told of what went wrong with one request; the round goes on with the next. */
  readonly onFault: (error: unknown) => void;
  /** Stops between two requests. */
  readonly signal?: AbortSignal;
}

type Listing = Listed<typeof privacyRequests.columns>;

const PAGE = 100;
/** Export and erasure requests that one tenant's round works on. The next round takes the rest. */
const MAX_WORK = 50;
const WORKED: readonly RequestState[] = ['erasing', 'cooling', 'confirmed', 'asked', 'ready'];

/**
 * What is due with every tenant's requests: what nobody confirmed is over, confirmed exports are made, erasures that have
 * cooled off begin and those that were interrupted go on, old files are deleted. Safe to run twice at once and to kill.
 */
export async function privacyRound(
  parts: RoundParts,
  tenants: readonly TenantId[],
  options: RoundOptions,
): Promise<void> {
  for (const tenant of tenants) {
    if (tenant === SYSTEM_TENANT || options.signal?.aborted === true) continue;
    await tenantRound(parts, tenant, options).catch(options.onFault);
  }
}

async function tenantRound(parts: RoundParts, tenant: TenantId, options: RoundOptions): Promise<void> {
  const store = parts.store.tenant(tenant);
  let work = 0;
  for (const state of WORKED)
    for await (const request of inState(store, state)) {
      if (options.signal?.aborted === true || work >= MAX_WORK) return;
      const done = await workOn(parts, tenant, request).catch((error: unknown) => {
        options.onFault(error);
        return true;
      });
      if (done) work += 1;
    }
  await dropOldExports(parts, store);
}

/** Read whole before any is worked on: work moves requests out of the state. */
async function* inState(store: TenantStore, state: RequestState): AsyncGenerator<Listing> {
  for (let after: string | undefined; ; ) {
    const page = await store.list(privacyRequests, {
      equals: { state },
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    yield* page;
    after = page.at(-1)?.id;
    if (page.length < PAGE) return;
  }
}

/** False when nothing was due. */
async function workOn(parts: RoundParts, tenant: TenantId, { id, row }: Listing): Promise<boolean> {
  const now = parts.clock();
  const of = { tenant, patient: row.patient as PatientId };
  if (row.state === 'erasing') return (await erasePatient(parts, { of, request: id })) !== null;
  if (row.state === 'cooling')
    return row.until !== null && row.until <= now && erase(parts, { of, request: id, now });
  if (row.state === 'confirmed') return makeExport(parts, { of, request: id, now });
  if (stateAt(row, now) !== 'expired') return false;
  await advance(parts, { of, id, step: { step: 'expire' }, now });
  return true;
}

/** An erasure that the rules came to stand against is answered with the reason. One whose export is late waits. */
async function erase(
  parts: RoundParts,
  { of, request, now }: { of: { tenant: TenantId; patient: PatientId }; request: string; now: number },
): Promise<boolean> {
  const reason = await refusalFor(parts, of, now);
  if (reason !== null) {
    await advance(parts, { of, id: request, step: { step: 'refuse', by: 'system', reason }, now });
    return true;
  }
  try {
    await erasePatient(parts, { of, request });
    return true;
  } catch (error) {
    if (error instanceof ErasureError && error.code === 'ERASURE_EARLY') return false;
    throw error;
  }
}

async function advance(
  parts: RoundParts,
  at: { of: { tenant: TenantId; patient: PatientId }; id: string; step: Step; now: number },
): Promise<void> {
  const alias = await parts.keys.aliasOf(at.of);
  const entry: AuditEntry = {
    action: 'U',
    operation: `privacyRequest-${at.step.step}`,
    outcome: '0',
    actor: { user: 'system', role: 'job', client: 'scheduler' },
    ...(alias === null ? {} : { patient: alias }),
    entity: { resource: 'Task', id: at.id },
    purposeOfUse: 'HOPERAT',
    policy: 'scheduled-job',
  };
  await parts.requests.advance({ ...at, entry, audit: parts.audit }).catch((error: unknown) => {
    // Somebody was faster.
    if (!(error instanceof RequestError)) throw error;
  });
}

/** Files whose time is over, or whose request was withdrawn. */
async function dropOldExports({ clock }: RoundParts, store: TenantStore): Promise<void> {
  for (let after: string | undefined; ; ) {
    const page = await store.list(exports, { limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const { id, row } of page) {
      const [request] = await store.get({ collection: privacyRequests, id });
      if (row.expiresAt <= clock() || request?.state !== 'ready') await dropExport(store, id);
    }
    after = page.at(-1)?.id;
    if (page.length < PAGE) return;
  }
}
