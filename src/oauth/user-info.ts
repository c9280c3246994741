import type { IncomingMessage, ServerResponse } from 'node:http';
import { createLocalJWKSet, type JWK } from 'jose';
import { verifyBearer } from '../access/bearer.ts';
import { AccessError } from '../access/errors.ts';
import type { Clock } from '../kernel/clock.ts';
import type { OAuthEvent } from './events.ts';
import type { GrantRegistry } from './grants.ts';
import type { SignIn } from './sign-in.ts';

/** What {@link createUserInfo} stands on. */
export interface UserInfoOptions {
  readonly issuer: string;
  readonly resource: string;
  readonly signingKeys: readonly JWK[];
  readonly grants: GrantRegistry;
  readonly signIn: SignIn;
  readonly now: Clock;
  /** Awaited before the address is released. */
  readonly onEvent: (event: OAuthEvent) => Promise<void>;
}

export const USER_INFO_PATH = '/oauth/userinfo';

/**
 * UserInfo (OpenID Connect Core §5.3) for the holder of an access token. The library's own takes opaque tokens
 * alone, and every token here is a JWT for the MCP address. `sub` needs the scope `openid`, the e-mail address
 * `email` beside it: it names a person, so its release is an event of the audit log.
 */
export function createUserInfo(
  options: UserInfoOptions,
): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const keys = createLocalJWKSet({ keys: options.signingKeys.map(({ d: _private, ...key }) => key) });
  const bearer = { issuer: options.issuer, audience: options.resource, keys, clock: options.now };
  return async (req, res) => {
    try {
      const principal = await verifyBearer(req.headers.authorization, bearer);
      const connection = await options.grants.find(principal.grant ?? '');
      if (connection === null) return refuse(res, 'invalid_token');
      const scopes = connection.scope.split(' ');
      if (!scopes.includes('openid')) return refuse(res, 'insufficient_scope');
      const { userId, tenant, clientId } = connection;
      if (!scopes.includes('email')) return send(res, 200, { sub: userId });
      const { email, emailVerified } = await options.signIn.profile(userId);
      await options.onEvent({ kind: 'profile-read', userId, tenant, clientId });
      send(res, 200, { sub: userId, ...(email === null ? {} : { email, email_verified: emailVerified }) });
    } catch (error) {
      if (!(error instanceof AccessError)) throw error;
      refuse(res, 'invalid_token');
    }
  };
}

function refuse(res: ServerResponse, error: 'invalid_token' | 'insufficient_scope'): void {
  const scope = error === 'insufficient_scope' ? ', scope="openid"' : '';
  res.setHeader('www-authenticate', `Bearer error="${error}"${scope}`);
  send(res, error === 'invalid_token' ? 401 : 403, { error });
}

function send(res: ServerResponse, status: number, body: Record<string, unknown>): void {
  res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'private, no-store' });
  res.end(JSON.stringify(body));
}
