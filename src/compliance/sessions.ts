/** How long what lets people in is good for, in seconds. */
export interface SessionLifetimes {
  readonly accessToken: number;
  readonly grant: number;
  readonly idleGrant: number;
  readonly session: number;
  readonly refreshGrace: number;
}

/** The longest that what lets people in may be good for here, in seconds. */
export const SESSION_LIMITS = {
  accessToken: 15 * 60,
  session: 30 * 60,
  grant: 90 * 86_400,
  idleGrant: 30 * 86_400,
  refreshGrace: 60,
} as const;
