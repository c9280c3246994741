import type { AuditEntry } from '../audit/append.ts';
import { SYSTEM_TENANT, type TenantId, type UserId } from '../kernel/ids.ts';
import type { OAuthErrorCode } from './errors.ts';

interface Known {
  readonly clientId: string;
  readonly userId: UserId;
  readonly tenant: TenantId;
}

/** What happened between a person, a client and this server, for the audit log. No names, no addresses. */
export type OAuthEvent =
  | (Known & { readonly kind: 'signed-in' })
  | { readonly kind: 'sign-in-refused'; readonly clientId: string; readonly code: OAuthErrorCode }
  | { readonly kind: 'sign-in-cancelled' | 'sign-in-locked' | 'client-registered'; readonly clientId: string }
  | (Known & {
      readonly kind: 'consent-given' | 'consent-denied';
      readonly scopes: readonly string[];
      readonly grantId?: string;
    })
  /** A connection ended: by its client, or because a code or refresh token was used that had been used before. */
  | (Known & { readonly kind: 'token-revoked' | 'code-reused' | 'refresh-reused' })
  /** A client read the person's e-mail address. */
  | (Known & { readonly kind: 'profile-read' });

/** Why an event's outcome is a refusal; the rest went through. */
const REASONS: Partial<Record<OAuthEvent['kind'], string>> = {
  'sign-in-cancelled': 'PERSON_SAID_NO',
  'consent-denied': 'PERSON_SAID_NO',
  'sign-in-locked': 'TOO_MANY_ATTEMPTS',
  'code-reused': 'CODE_REUSED',
  'refresh-reused': 'REFRESH_REUSED',
};

/** What the audit log says of it. Before a person is known the event belongs to the system tenant. */
export function auditEntryOf(event: OAuthEvent): { tenant: TenantId; entry: AuditEntry } {
  const known = 'userId' in event;
  const reason = reasonOf(event);
  return {
    tenant: known ? event.tenant : SYSTEM_TENANT,
    entry: {
      action: event.kind === 'profile-read' ? 'R' : 'E',
      operation: event.kind,
      outcome: reason === undefined ? '0' : '4',
      ...(reason === undefined ? {} : { reason }),
      actor: { user: known ? event.userId : 'unknown', role: 'none', client: event.clientId },
      ...entityOf(event),
      purposeOfUse: 'PATRQT',
      policy: 'sign-in',
    },
  };
}

/** Who was offered nothing did not say no. */
function reasonOf(event: OAuthEvent): string | undefined {
  if (event.kind === 'sign-in-refused') return event.code;
  if (event.kind === 'consent-denied' && event.scopes.length === 0) return 'NOTHING_TO_GRANT';
  return REASONS[event.kind];
}

function entityOf(event: OAuthEvent): Pick<AuditEntry, 'entity'> {
  if ('scopes' in event) return { entity: { resource: 'Consent', fields: [...event.scopes] } };
  return event.kind === 'profile-read' ? { entity: { resource: 'Person', fields: ['email'] } } : {};
}
