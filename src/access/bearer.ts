import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Clock } from '../kernel/clock.ts';
import { ChartsealError } from '../kernel/errors.ts';
import { parseTenantId, parseUserId, type TenantId, type UserId } from '../kernel/ids.ts';
import { AccessError } from './errors.ts';
import { OWN_ISSUER, type TokenProfile } from './token-profile.ts';

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
  /** How the issuer writes its tokens; as ours does when left out. */
  readonly profile?: TokenProfile;
}

/** Where a request carries what could be a token. */
export interface Credentials {
  readonly authorization: string | undefined;
  /** The request's address, with its query. */
  readonly url: string | undefined;
  readonly contentType: string | undefined;
}

/** The largest token, in characters. */
export const MAX_TOKEN = 8_192;
const CLOCK_TOLERANCE_S = 5;

/**
 * Refuses what RFC 6750 §2.2 and §2.3 allowed and OAuth 2.1 forbids: a token in the address, which ends in logs, or
 * in a form. Such a token counts as leaked, so the request is refused even when its header is right.
 *
 * @throws AccessError `TOKEN_MISPLACED`.
 */
export function refuseMisplacedToken({ url, contentType }: Omit<Credentials, 'authorization'>): void {
  const query = new URLSearchParams(url?.split('?')[1] ?? '');
  const form = /^application\/x-www-form-urlencoded\b/i.test(contentType ?? '');
  if (!query.has('access_token') && !form) return;
  throw new AccessError(
    'TOKEN_MISPLACED',
    'Send the token in the Authorization header only: not in the address, not in a form. Revoke the one that was sent.',
  );
}

/**
 * Verifies the `Authorization` header (RFC 6750 §2.1, RFC 9068): the profile's algorithm and type, this issuer,
 * exactly this one audience, and every claim that later steps rely on.
 *
 * @throws AccessError `TOKEN_MISSING`, `TOKEN_EXPIRED`, or `TOKEN_INVALID` for everything else.
 * @throws ChartsealError what the key source throws when the keys are out of reach (retryable).
 */
export async function verifyBearer(header: string | undefined, options: BearerOptions): Promise<Principal> {
  const token = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(header ?? '')?.[1];
  if (token === undefined)
    throw new AccessError('TOKEN_MISSING', 'Sign in first: this address needs a bearer token.');
  if (token.length > MAX_TOKEN) throw invalid();
  const profile = options.profile ?? OWN_ISSUER;
  try {
    const { payload } = await jwtVerify(token, options.keys, {
      algorithms: [...profile.algorithms],
      ...(profile.typ === null ? {} : { typ: profile.typ }),
      issuer: options.issuer,
      audience: options.audience,
      requiredClaims: ['exp', 'iat', 'sub', 'jti', profile.claims.client, profile.claims.tenant],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(options.clock()),
    });
    return principalOf(payload, { options, profile });
  } catch (error) {
    if (error instanceof errors.JWTExpired) {
      throw new AccessError('TOKEN_EXPIRED', 'The access token has expired. Refresh it or sign in again.');
    }
    // Keys out of reach say nothing about the token: the client must not throw a good one away.
    if (error instanceof ChartsealError && error.retryable) throw error;
    throw invalid();
  }
}

function principalOf(
  payload: JWTPayload,
  { options, profile }: { options: BearerOptions; profile: TokenProfile },
): Principal {
  const claims = payload as Record<string, unknown>;
  const { aud, exp = 0, iat = 0 } = payload;
  const client = claims[profile.claims.client];
  const grant = claims['grant_id'];
  const sound =
    aud === options.audience &&
    typeof client === 'string' &&
    client !== '' &&
    iat <= options.clock() / 1000 + CLOCK_TOLERANCE_S &&
    exp - iat <= profile.maxLifetime;
  if (!sound) throw invalid();
  return {
    user: parseUserId(claims[profile.claims.user]),
    tenant: parseTenantId(claims[profile.claims.tenant]),
    client,
    grant: typeof grant === 'string' ? grant : null,
    scopes: scopesOf(claims[profile.claims.scope]),
    expiresAt: exp,
  };
}

/** RFC 9068 §2.2.3 writes scopes as one string; some issuers write a list. */
function scopesOf(claim: unknown): string[] {
  const names = Array.isArray(claim) ? claim : typeof claim === 'string' ? claim.split(' ') : [];
  return names.filter((name): name is string => typeof name === 'string' && name !== '');
}

const invalid = (): AccessError =>
  new AccessError('TOKEN_INVALID', 'The access token is not valid here. Sign in again.');
