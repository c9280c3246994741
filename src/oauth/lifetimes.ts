/** How long each thing the authorization server issues is good for, in seconds. */
export const LIFETIMES = {
  accessToken: 10 * 60,
  authorizationCode: 60,
  /** A connection ends this long after it was made, however often it was refreshed: then the person signs in anew. */
  grant: 30 * 24 * 60 * 60,
  /** A connection that nobody refreshes ends after this long. */
  idleGrant: 14 * 24 * 60 * 60,
  /** A registered client that nobody connected is forgotten after this long. */
  unusedClient: 24 * 60 * 60,
  /** A registered client is forgotten this long after the last connection that was made through it. */
  client: 90 * 24 * 60 * 60,
  /** A sign-in or consent page may stay open this long. */
  interaction: 15 * 60,
  /** Only spans the steps from sign-in to the code; there is no single sign-on. */
  session: 15 * 60,
  idToken: 10 * 60,
  /** A refresh token already used is taken once more within this time: clients refresh in parallel. */
  refreshGrace: 30,
  /** A Firebase sign-in older than this is not accepted: it could be a replayed token. */
  signIn: 5 * 60,
} as const;
