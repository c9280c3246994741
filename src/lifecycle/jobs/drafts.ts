import type { AuditDraft, AuditLog } from '../../audit/append.ts';
import type { TenantId } from '../../kernel/ids.ts';

/**
 * Runs work that commits one transaction with the draft's event in it, or finds that there is nothing to do, and
 * settles the draft by what `wasWritten` says of the result. (That the event was put into a transaction is no proof: it
 * may have run again and then found nothing.)
 */
export async function withDraft<T>(
  audit: AuditLog,
  tenant: TenantId,
  options: {
    readonly work: (draft: AuditDraft) => Promise<T>;
    readonly wasWritten: (result: T, draft: AuditDraft) => boolean | Promise<boolean>;
  },
): Promise<T> {
  const draft = audit.draft(tenant);
  let isWritten = false;
  try {
    const result = await options.work(draft);
    isWritten = await options.wasWritten(result, draft);
    return result;
  } finally {
    if (isWritten) draft.confirm();
    else draft.abandon();
  }
}
