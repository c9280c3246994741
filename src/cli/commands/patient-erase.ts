import { findMember } from '../../access/members.ts';
import type { Asker } from '../../access/question.ts';
import { findClinic } from '../../clinic/clinic.ts';
import { timeWords } from '../../clinic/clinic-time.ts';
import type { Composed } from '../../compose.ts';
import { parsePatientId, parseTenantId, parseUserId, type UserId } from '../../kernel/ids.ts';
import { receiptOf, refusalFor } from '../../lifecycle/erasure/erase.ts';
import { privacyRound } from '../../lifecycle/privacy-round.ts';
import { type ErasureOrder, orderErasure } from '../../lifecycle/requests/order-erasure.ts';
import { REFUSALS } from '../../lifecycle/requests/request.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { composeHere } from '../here.ts';
import { out } from '../terminal.ts';

/**
 * An erasure that the clinic decides itself. The rules are the page's: two administrators, the export first, the
 * cooling-off, retention and legal holds. The first run orders it, one after the cooling-off carries it out.
 */
export const patientErase: Command = {
  usage: 'PATIENT --by USER --approver USER --confirm PATIENT [--tenant T]',
  summary: 'erase a patient: ordered now, done after the cooling-off; run it again for the receipt',
  options: {
    tenant: { type: 'string' },
    by: { type: 'string' },
    approver: { type: 'string' },
    confirm: { type: 'string' },
  },
  run: async ({ values, positionals: [patient, ...more], json }) => {
    if (patient === undefined || more.length > 0)
      throw new UsageError('Name one patient: chartseal patient erase PATIENT');
    if (values['confirm'] !== patient) throw new UsageError('Type the handle once more: --confirm PATIENT');
    if (values['by'] === undefined || values['approver'] === undefined)
      throw new UsageError('An erasure takes two administrators: --by USER --approver USER');
    const order = {
      of: { tenant: parseTenantId(values['tenant'] ?? 'riverside'), patient: parsePatientId(patient) },
      by: parseUserId(values['by']),
      approver: parseUserId(values['approver']),
    };
    const { composed } = await composeHere();
    try {
      return await erase(composed, order, json);
    } finally {
      await composed.close();
    }
  },
};

type Order = Pick<ErasureOrder, 'of' | 'by' | 'approver'>;

async function erase(composed: Composed, order: Order, json: boolean): Promise<number> {
  const { services, privacy } = composed;
  const { of } = order;
  if (!(await mayErase(composed, order)))
    return say(json, { refused: 'not-permitted' }, NOT_PERMITTED, EXIT.no);
  const now = services.clock();
  const against = await refusalFor(privacy, of, now);
  if (against !== null)
    return say(json, { refused: against }, `${REFUSALS[against]}. Nothing was erased.`, EXIT.no);
  const { id } = await orderErasure(privacy, { ...order, now });
  // Makes the export, and carries the erasure out when its time has come.
  const faults: unknown[] = [];
  await privacyRound(privacy, [of.tenant], { onFault: (error) => faults.push(error) });
  if (faults.length > 0) throw faults[0];
  const [receipt, request, { zone }] = await Promise.all([
    receiptOf(privacy.store, { of, request: id }),
    services.requests.find(of, id, now),
    findClinic(privacy.store, of.tenant),
  ]);
  const time = timeWords(zone);
  const words =
    receipt?.finalAt == null
      ? `Ordered as ${id}. It begins ${time(request.until ?? now)}; until then it can be withdrawn. Run this again then, or leave it to the scheduled job.`
      : `Erased. Nothing opens since ${time(receipt.logicalAt ?? now)}; the last copy is gone ${time(receipt.finalAt)}.`;
  return say(json, { request: id, state: request.state, begins: request.until, receipt }, words, EXIT.ok);
}

const NOT_PERMITTED =
  'Both must be administrators of this clinic, and two different people. Nothing was erased.';

/** Asked of the policies, as on the page. */
async function mayErase({ services }: Composed, { of: { tenant }, by, approver }: Order): Promise<boolean> {
  const askerOf = async (user: UserId): Promise<Asker> => {
    const role = (await findMember(services.store, tenant, user))?.role ?? 'none';
    return { user, tenant, role, granted: [] };
  };
  const engine = await services.policies.engine();
  return engine.ask({
    kind: 'clinic',
    action: 'erase-patient',
    asker: await askerOf(by),
    approver: await askerOf(approver),
    tenant,
    purpose: 'HOPERAT',
  }).permit;
}

function say(json: boolean, facts: object, words: string, code: number): number {
  out(json ? JSON.stringify(facts) : words);
  return code;
}
