import type { AuditEntry } from '../audit/append.ts';
import { SYSTEM_TENANT, type TenantId } from '../kernel/ids.ts';
import type { OAuthEvent } from './interactions.ts';

/**
 * What the audit log says of a step on the sign-in and consent pages. Before a person is known the event belongs
 * to the system tenant.
 */
export function auditEntryOf(event: OAuthEvent): { tenant: TenantId; entry: AuditEntry } {
  const refused = event.kind === 'sign-in-refused' || event.kind === 'sign-in-cancelled';
  const denied = event.kind === 'consent-denied';
  const known = 'userId' in event;
  const reason =
    event.kind === 'sign-in-refused' ? event.code : refused || denied ? 'PERSON_SAID_NO' : undefined;
  return {
    tenant: known ? event.tenant : SYSTEM_TENANT,
    entry: {
      action: 'E',
      operation: event.kind,
      outcome: reason === undefined ? '0' : '4',
      ...(reason === undefined ? {} : { reason }),
      actor: { user: known ? event.userId : 'unknown', role: 'none', client: event.clientId },
      ...('scopes' in event ? { entity: { resource: 'Consent', fields: [...event.scopes] } } : {}),
      purposeOfUse: 'PATRQT',
      policy: 'sign-in',
    },
  };
}
