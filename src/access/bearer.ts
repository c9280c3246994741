import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Clock } from '../kernel/clock.ts';
import { parseTenantId, parseUserId, type TenantId, type UserId } from '../kernel/ids.ts';
import { AccessError } from './errors.ts';

/** Who is calling, as the access token proves it. Nothing here comes from the tool call's arguments. */
export interface Principal {
  readonly user: UserId;
  readonly tenant: TenantId;
  readonly client: string;
  readonly grant: string | null;
  readonly scopes: readonly string[];
  /** Seconds since the Unix epoch. */
  readonly expiresAt: number;
}

/** What a token must be of. */
export interface BearerOptions {
  readonly issuer: string;
  /** The MCP address, exactly as the protected-resource metadata names it. */
  readonly audience: string;
  readonly keys: JWTVerifyGetKey;
  readonly clock: Clock;
}

const MAX_TOKEN = 8_192;
const CLOCK_TOLERANCE_S = 5;

/**
 * Verifies the `Authorization` header (RFC 6750 §2.1, RFC 9068): ES256, `typ: at+jwt`, this issuer, exactly this
 * one audience, and every claim that later steps rely on.
 *
 * @throws AccessError `TOKEN_MISSING`, `TOKEN_EXPIRED`, or `TOKEN_INVALID` for everything else.
 */
export async function verifyBearer(header: string | undefined, options: BearerOptions): Promise<Principal> {
  const token = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(header ?? '')?.[1];
  if (token === undefined)
    throw new AccessError('TOKEN_MISSING', 'Sign in first: this address needs a bearer token.');
  if (token.length > MAX_TOKEN) throw invalid();
  try {
    const { payload } = await jwtVerify(token, options.keys, {
      algorithms: ['ES256'],
      typ: 'at+jwt',
      issuer: options.issuer,
      audience: options.audience,
      requiredClaims: ['exp', 'iat', 'sub', 'jti', 'client_id', 'tenant'],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(options.clock()),
    });
    return principalOf(payload, options.audience);
  } catch (error) {
    if (error instanceof errors.JWTExpired) {
      throw new AccessError('TOKEN_EXPIRED', 'The access token has expired. Refresh it or sign in again.');
    }
    throw invalid();
  }
}

function principalOf(payload: JWTPayload, audience: string): Principal {
  const {
    aud,
    sub,
    exp,
    client_id: client,
    tenant,
    scope,
    grant_id: grant,
  } = payload as JWTPayload & Record<string, unknown>;
  if (aud !== audience || typeof client !== 'string' || client === '' || typeof exp !== 'number')
    throw invalid();
  return {
    user: parseUserId(sub),
    tenant: parseTenantId(tenant),
    client,
    grant: typeof grant === 'string' ? grant : null,
    scopes: typeof scope === 'string' ? scope.split(' ').filter((name) => name !== '') : [],
    expiresAt: exp,
  };
}

const invalid = (): AccessError =>
  new AccessError('TOKEN_INVALID', 'The access token is not valid here. Sign in again.');
