/**
 * How an issuer writes its access tokens. Ours follow RFC 9068 to the letter; an external issuer (Auth0, Okta,
 * Keycloak) differs in algorithm, type and the names of its claims, and in nothing that a decision rests on.
 */
export interface TokenProfile {
  readonly algorithms: readonly string[];
  /** The `typ` that a token must have; null takes any, because some issuers write none. */
  readonly typ: string | null;
  /** Which claim says what. */
  readonly claims: {
    readonly user: string;
    readonly tenant: string;
    readonly client: string;
    readonly scope: string;
  };
  /** A token that was issued for longer than this is refused, in seconds: nobody else's token can be revoked here. */
  readonly maxLifetime: number;
}

/** Tokens of the authorization server in `src/oauth`. */
export const OWN_ISSUER: TokenProfile = {
  algorithms: ['ES256'],
  typ: 'at+jwt',
  claims: { user: 'sub', tenant: 'tenant', client: 'client_id', scope: 'scope' },
  maxLifetime: 600,
};
