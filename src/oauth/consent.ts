import type { Provider } from 'oidc-provider';
import type { Clock } from '../kernel/clock.ts';
import { parseTenantId, type UserId } from '../kernel/ids.ts';
import type { GrantRegistry } from './grants.ts';
import { LIFETIMES } from './lifetimes.ts';
import type { SignedIn } from './sign-in.ts';

/** What a person is asked, and what is recorded when they say yes. */

/** An interaction as the library keeps it between two pages. */
export type Details = Awaited<ReturnType<Provider['interactionDetails']>>;

/** Records a new connection for exactly the scopes that the page showed. @returns its grant id. */
export async function saveGrant(
  options: { provider: Provider; grants: GrantRegistry; now: Clock },
  details: Details,
  { login, offered }: { login: SignedIn; offered: readonly string[] },
): Promise<string> {
  const clientId = String(details.params['client_id']);
  const { openid, resources } = missingOf(details);
  const grant = new options.provider.Grant({ accountId: login.userId, clientId });
  if (openid.length > 0) grant.addOIDCScope(openid.join(' '));
  for (const [resource, scopes] of Object.entries(resources)) {
    const suits = (scope: string): boolean => offered.includes(scope);
    grant.addResourceScope(resource, scopes.filter(suits).join(' '));
    // Said no to, so that the library does not ask again for what the role does not have.
    grant.rejectResourceScope(resource, scopes.filter((scope) => !suits(scope)).join(' '));
  }
  const grantId = await grant.save();
  const createdAt = options.now();
  await options.grants.record({
    ...login,
    grantId,
    clientId,
    scope: offered.join(' '),
    createdAt,
    expiresAt: createdAt + LIFETIMES.grant * 1000,
  });
  return grantId;
}

function missingOf(details: Details): { openid: readonly string[]; resources: Record<string, string[]> } {
  const { missingOIDCScope, missingResourceScopes } = details.prompt.details as {
    missingOIDCScope?: string[];
    missingResourceScopes?: Record<string, string[]>;
  };
  return { openid: missingOIDCScope ?? [], resources: missingResourceScopes ?? {} };
}

/** The scopes that are asked for and, of those that open something, suit the role. */
export function scopesOf(details: Details, suitable: readonly string[]): string[] {
  const { openid, resources } = missingOf(details);
  const fitting = Object.values(resources)
    .flat()
    .filter((scope) => suitable.includes(scope));
  return [...fitting, ...openid];
}

/** Who signed in for this very request; null when nobody did, or the session is another's. */
export function loginOf(details: Details): SignedIn | null {
  const login = details.lastSubmission?.login as
    | { accountId: string; ts?: number; amr?: string[]; tenant?: string }
    | undefined;
  if (login === undefined || details.session?.accountId !== login.accountId) return null;
  return {
    userId: login.accountId as UserId,
    tenant: parseTenantId(login.tenant),
    authTime: login.ts ?? 0,
    amr: login.amr ?? [],
  };
}
