import type { TenantId, UserId } from '../kernel/ids.ts';

/** A person who has just proven who they are. */
export interface SignedIn {
  readonly userId: UserId;
  readonly tenant: TenantId;
  /** When the person proved it, in seconds since the Unix epoch. */
  readonly authTime: number;
  /** How, in the words of RFC 8176 (`pwd`, `mfa`, …); empty when not known. */
  readonly amr: readonly string[];
}

/** What the authorization server asks of the identity service. */
export interface SignIn {
  /**
   * Checks the ID token that the sign-in page sent.
   *
   * @throws OAuthError `SIGN_IN_TOKEN`, `SIGN_IN_STALE`, `SIGN_IN_TENANT`, `SIGN_IN_UNAVAILABLE` (retryable).
   */
  verify(idToken: string): Promise<SignedIn>;
  /** The account's e-mail address, for a client that the person let see it; null when there is none. */
  profile(userId: UserId): Promise<{ readonly email: string | null; readonly emailVerified: boolean }>;
  /**
   * Asked at each refresh: false ends the connection (account disabled, signed out everywhere, moved to another
   * tenant). Without it a connection lives until it expires or is revoked.
   */
  isActive?(person: Omit<SignedIn, 'amr'>): Promise<boolean>;
}
